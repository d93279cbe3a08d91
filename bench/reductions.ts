/**
 * What reductions save: the ten largest tests of the suite, each under the design that has the
 * most states, without and with them; and beside it SPIN's own partial-order reduction on the
 * program that the engine exports.
 *
 * Both must come to the same outcomes, or the benchmark fails. Each exploration runs in a fresh
 * process, three times; medians are printed. SPIN's compilation is not counted.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTest } from '../src/check/index.ts'
import { DESIGNS, designNamed } from '../src/designs/index.ts'
import { Explorer, REDUCTIONS, type Reduction, toPromela } from '../src/engine/index.ts'
import { compile, type Litmus, parse } from '../src/litmus/index.ts'
import { compileSpin, spinAvailable } from '../test/spin.ts'

const RUNS = 3
const TESTS = 10

interface Measured {
  readonly states: number
  readonly seconds: number
  readonly outcomes: string
}

function testFrom(file: string): Litmus {
  return parse(readFileSync(file, 'utf8'), file).test
}

function suite(): string[] {
  return readdirSync('suite', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.litmus'))
    .map((file) => join('suite', file))
    .sort()
}

/** Of each test the design under which it has the most states; of these the largest. */
function largest(): { file: string; design: string; states: number }[] {
  const cells = suite().map((file) => {
    const test = testFrom(file)
    const sizes = DESIGNS.map(({ name, rules }) => {
      const explorer = new Explorer(compile(test, rules).system)
      explorer.run()
      return { file, design: name, states: explorer.result().states }
    })
    return sizes.sort((a, b) => b.states - a.states)[0]!
  })
  return cells.sort((a, b) => b.states - a.states).slice(0, TESTS)
}

/** What `--measure file design reductions` prints, for the parent process. */
function measure(file: string, design: string, reductions: readonly Reduction[]): Measured {
  const { exploration, ends } = runTest(testFrom(file), designNamed(design)!.rules, {
    search: { mode: 'breadth-first', reductions },
  })
  if (exploration.bounded !== undefined) throw new Error(`${file} is bounded: ${exploration.bounded}`)
  const outcomes = ends.map(({ outcome }) => outcome.key).sort()
  return {
    states: exploration.states,
    seconds: exploration.milliseconds / 1000,
    outcomes: outcomes.join('; '),
  }
}

function measureInChild(file: string, design: string, reductions: readonly Reduction[]): Measured {
  const self = fileURLToPath(import.meta.url)
  const runs = Array.from({ length: RUNS }, (): Measured => {
    const args = [self, '--measure', file, design, reductions.join()]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  })
  return runs.sort((a, b) => a.seconds - b.seconds)[RUNS >> 1]!
}

/** The states that SPIN stores with its partial-order reduction. */
async function spinStates(file: string, design: string): Promise<number> {
  const explorer = new Explorer(compile(testFrom(file), designNamed(design)!.rules).system)
  explorer.run()
  const verifier = await compileSpin(toPromela(explorer), '-O0', 'gcc', 'reduced')
  try {
    return (await verifier.run('-m10000000', '-w20')).states
  } finally {
    await verifier.dispose()
  }
}

const WIDTHS = [38, 9, 9, 9, 9, 7, 9, 8, 8]

function print(row: readonly string[]): void {
  const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!)))
  process.stdout.write(`${cells.join(' ')}\n`)
}

const [flag, ...rest] = process.argv.slice(2)
if (flag === '--measure') {
  const [file, design, reductions] = rest as [string, string, string]
  const wanted = REDUCTIONS.filter((reduction) => reductions.split(',').includes(reduction))
  process.stdout.write(JSON.stringify(measure(file, design, wanted)))
} else {
  print(['test', 'states', 'merging', 'symmetry', 'both', 'factor', 'SPIN', 's', 's, both'])
  const factors: number[] = []
  for (const { file, design } of largest()) {
    const plain = measureInChild(file, design, [])
    const [merging, symmetry, both] = [['merging'], ['symmetry'], REDUCTIONS].map((reductions) =>
      measureInChild(file, design, reductions as Reduction[]),
    ) as [Measured, Measured, Measured]
    for (const other of [merging, symmetry, both]) {
      if (other.outcomes !== plain.outcomes) throw new Error(`${file} under ${design}: other outcomes`)
    }
    const spin = spinAvailable() ? String(await spinStates(file, design)) : '-'
    factors.push(plain.states / both.states)
    const name = `${file.split('/').at(-1)!.replace('.litmus', '')} ${design}`
    const states = [plain, merging, symmetry, both].map((measured) => String(measured.states))
    print([
      name,
      ...states,
      factors.at(-1)!.toFixed(1),
      spin,
      plain.seconds.toFixed(2),
      both.seconds.toFixed(2),
    ])
  }
  factors.sort((a, b) => a - b)
  const median = (factors[(factors.length - 1) >> 1]! + factors[factors.length >> 1]!) / 2
  process.stdout.write(`median factor: ${median.toFixed(1)}\n`)
}
