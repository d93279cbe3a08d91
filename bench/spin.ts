/**
 * The engine against SPIN: three litmus tests of growing size, and classic models. The same
 * states and transitions, each run in a fresh process, the two in turn, medians of five.
 *
 * SPIN runs the program that the engine exports, and checks no invariants; the engine checks
 * those of the memory manager as it always does. Neither time includes compilation.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { designNamed } from '../src/designs/index.ts'
import { Explorer, type System, toPromela } from '../src/engine/index.ts'
import { compile, parse } from '../src/litmus/index.ts'
import { casCounter, counters, lockedCounters, readersWriters, ring } from '../test/engine/systems.ts'
import { compileSpin, spinAvailable } from '../test/spin.ts'

/** Where this program is run from: the folder of the project. */
const TESTS = join(process.cwd(), 'bench/tests')

function litmus(file: string, design: string): () => System {
  return () => {
    const { test } = parse(readFileSync(join(TESTS, file), 'utf8'), file)
    return compile(test, designNamed(design)!.rules).system
  }
}

const MODELS: Readonly<Record<string, () => System>> = {
  'litmus-1': litmus('1-shared-page.litmus', 'v5.9'),
  'litmus-2': litmus('2-pins-and-forks.litmus', 'v5.19'),
  'litmus-3': litmus('3-pins-forks-reads.litmus', 'v5.9'),
  'litmus-4': litmus('3-pins-forks-reads.litmus', 'v5.19'),
  'counters-3-6': () => counters(3, 6),
  'counters-4-4': () => counters(4, 4),
  'locked-6-5': () => lockedCounters(6, 5),
  'cas-7': () => casCounter(7),
  'ring-7-9': () => ring(7, 9),
  'readers-5-4': () => readersWriters(5, 4, true),
}
const RUNS = 5

interface Measured {
  readonly states: number
  readonly transitions: number
  readonly seconds: number
  /** Bytes that grow with the number of states. */
  readonly bytes: number
}

/** What `--measure model` prints, for the parent process. */
function measure(model: string): Measured {
  const explorer = new Explorer(MODELS[model]!())
  explorer.run()
  const { states, transitions, milliseconds, bytes, bounded } = explorer.result()
  if (bounded !== undefined) throw new Error(`${model} is bounded: ${bounded}`)
  return { states, transitions, seconds: milliseconds / 1000, bytes }
}

function measureInChild(model: string): Measured {
  const self = fileURLToPath(import.meta.url)
  return JSON.parse(execFileSync(process.execPath, [self, '--measure', model], { encoding: 'utf8' }))
}

async function compare(model: string): Promise<string[]> {
  const explorer = new Explorer(MODELS[model]!())
  explorer.run()
  const { states } = explorer.result()
  const verifier = await compileSpin(toPromela(explorer), '-O2')
  const ours: Measured[] = []
  const theirs: Measured[] = []
  try {
    for (let i = 0; i < RUNS; i++) {
      ours.push(measureInChild(model))
      // A table of as many entries as states is what SPIN's manual advises.
      theirs.push(await verifier.run('-m10000000', `-w${Math.ceil(Math.log2(states))}`))
    }
  } finally {
    await verifier.dispose()
  }
  for (const run of [...ours, ...theirs]) {
    if (run.states !== ours[0]!.states || run.transitions !== ours[0]!.transitions) {
      throw new Error(
        `${model}: ${run.states} states and ${run.transitions} transitions, not ${ours[0]!.states}`,
      )
    }
  }
  const [our, their] = [medianSeconds(ours), medianSeconds(theirs)]
  const [ourBytes, theirBytes] = [ours[0]!.bytes / states, theirs[0]!.bytes / states]
  return [
    model,
    String(states),
    (states / our / 1e6).toFixed(2),
    (states / their / 1e6).toFixed(2),
    (their / our).toFixed(2),
    ourBytes.toFixed(1),
    theirBytes.toFixed(1),
    (theirBytes / ourBytes).toFixed(2),
  ]
}

function medianSeconds(runs: readonly Measured[]): number {
  const sorted = runs.map(({ seconds }) => seconds).sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

const [flag, ...rest] = process.argv.slice(2)
if (flag === '--measure') {
  process.stdout.write(JSON.stringify(measure(rest[0]!)))
} else if (!spinAvailable()) {
  process.stdout.write('SPIN or gcc is not installed: nothing to compare with.\n')
} else {
  const header = ['model', 'states', 'M/s', 'SPIN M/s', 'ratio', 'B/state', 'SPIN B/state', 'ratio']
  const print = (row: readonly string[]) =>
    process.stdout.write(
      `${row.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(12))).join(' ')}\n`,
    )
  print(header)
  for (const model of flag === undefined ? Object.keys(MODELS) : [flag, ...rest]) print(await compare(model))
}
