/**
 * What reductions save: the ten largest tests of the suite, each under the design that has the
 * most states, without and with them; and beside it SPIN's own partial-order reduction on the
 * program that the engine exports.
 *
 * All must come to the same outcomes, or the benchmark fails. Each exploration runs in a fresh
 * process, three times; medians are printed. SPIN is asked for its states only, not for its time:
 * its program is compiled by whichever compiler is the quickest.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runTest } from '../src/check/index.ts'
import { designNamed } from '../src/designs/index.ts'
import { Explorer, REDUCTIONS, type Reduction, toPromela } from '../src/engine/index.ts'
import { compile } from '../src/litmus/index.ts'
import { compileSpin, quickestCompiler, spinAvailable } from '../test/spin.ts'
import { largest, nameOf, testFrom } from './largest.ts'

const RUNS = 3
const TESTS = 10

interface Measured {
  readonly states: number
  readonly seconds: number
  readonly outcomes: string
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
  const verifier = await compileSpin(toPromela(explorer), '-O0', quickestCompiler(), 'reduced')
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
  for (const { file, design } of largest(TESTS)) {
    const plain = measureInChild(file, design, [])
    const [merging, symmetry, both] = [['merging'], ['symmetry'], REDUCTIONS].map((reductions) =>
      measureInChild(file, design, reductions as Reduction[]),
    ) as [Measured, Measured, Measured]
    for (const other of [merging, symmetry, both]) {
      if (other.outcomes !== plain.outcomes) throw new Error(`${file} under ${design}: other outcomes`)
    }
    const spin = spinAvailable() ? String(await spinStates(file, design)) : '-'
    factors.push(plain.states / both.states)
    const states = [plain, merging, symmetry, both].map((measured) => String(measured.states))
    print([
      nameOf({ file, design }),
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
