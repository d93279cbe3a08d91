/**
 * Writes docs/spin.md: asks SPIN about every cell of the suite that is small enough, and stops at
 * the first on which it and the engine disagree. With `--minutes n` it asks for so long at most.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { DESIGNS } from '../src/designs/index.ts'
import { quickestCompiler, runSpin, type SpinResult, spinAvailable } from '../test/spin.ts'
import { asSmallProgram, type SmallProgram } from '../test/suite/small_program.ts'
import { type SpinCell, spinPage, suiteRows } from '../test/suite/spin_page.ts'

type Answer = Pick<SpinResult, 'states' | 'transitions' | 'messages'>

/** Where this program is run from: the folder of the project. */
const FOLDER = process.cwd()
const REMEMBERED = join(FOLDER, 'reports/spin.json')

function remembered(): Record<string, Answer> {
  try {
    return JSON.parse(readFileSync(REMEMBERED, 'utf8'))
  } catch {
    return {}
  }
}

const answers = remembered()
const asking = new Map<string, Promise<Answer>>()
const compiler = quickestCompiler()

/** When to stop asking, in milliseconds since 1970. */
const [flag, minutes] = process.argv.slice(2)
const end = flag === '--minutes' ? Date.now() + 60_000 * Number(minutes) : Number.POSITIVE_INFINITY

/** Several designs often make the same program of a test: it is asked about once. Undefined when time is up. */
function ask(promela: string): Promise<Answer | undefined> {
  const program = promela.replace(/^\/\*[\s\S]*?\*\/\n/, '')
  const key = createHash('sha256').update(program).digest('hex')
  const known = answers[key]
  if (known !== undefined) return Promise.resolve(known)
  const running = asking.get(key)
  if (running !== undefined) return running
  if (Date.now() > end) return Promise.resolve(undefined)
  const answer = runSpin(program, compiler).then(({ states, transitions, messages }) => {
    answers[key] = { states, transitions, messages }
    return answers[key]
  })
  asking.set(key, answer)
  return answer
}

function compare(name: string, { exploration }: SmallProgram, spin: Answer): void {
  const kinds = exploration.failures.map(({ kind }) => kind)
  const ours = [
    exploration.states,
    exploration.transitions,
    kinds.includes('deadlock'),
    kinds.includes('failure'),
  ]
  const theirs = [
    ...[spin.states, spin.transitions],
    ...[spin.messages.includes('invalid end state'), spin.messages.includes('assertion violated')],
  ]
  if (ours.join() !== theirs.join()) {
    throw new Error(
      `${name}: states, transitions, deadlock, failure: the engine has ${ours.join(', ')}, SPIN ${theirs.join(', ')}`,
    )
  }
}

async function fill(): Promise<void> {
  const rows = suiteRows(join(FOLDER, 'suite'))
  const table = new Map([...rows.keys()].map((name) => [name, new Map<string, SpinCell>()]))
  const cells = [...rows].flatMap(([name, litmus]) => DESIGNS.map((design) => ({ name, litmus, design })))
  for (const { name, design } of cells) table.get(name)!.set(design.name, 'not asked')
  let next = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < cells.length; i = next++) {
      const { name, litmus, design } = cells[i]!
      const small = asSmallProgram(litmus, design)
      if (small === undefined) {
        table.get(name)!.set(design.name, 'too large')
        continue
      }
      const spin = await ask(small.promela)
      if (spin === undefined) continue
      compare(`${name} under ${design.name}`, small, spin)
      table.get(name)!.set(design.name, spin.states)
      if (i % 50 === 0) remember(`${i} of ${cells.length} cells`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  remember(`${cells.length} of ${cells.length} cells`)
  writeFileSync(join(FOLDER, 'docs/spin.md'), spinPage(table))
}

function remember(progress: string): void {
  mkdirSync(join(FOLDER, 'reports'), { recursive: true })
  writeFileSync(REMEMBERED, JSON.stringify(answers))
  process.stderr.write(`${progress}, ${Object.keys(answers).length} programs\n`)
}

if (flag !== undefined && !(flag === '--minutes' && Number(minutes) >= 0)) {
  process.stderr.write('expected nothing, or --minutes and a number\n')
  process.exitCode = 2
} else if (!spinAvailable()) {
  process.stderr.write('SPIN or gcc is not installed, so there is nobody to ask.\n')
  process.exitCode = 1
} else await fill()
