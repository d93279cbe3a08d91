/** `cowherd live`: a test on real threads, beside what the engine allows. */
import type { Command } from 'commander'
import { count } from '../report/count.ts'
import { JSON_VERSION } from '../report/json.ts'
import { type LiveReport, liveReport, renderLive } from '../report/live.ts'
import {
  addLimits,
  atMost,
  chooseDesigns,
  designOption,
  type LimitOptions,
  limitsOf,
  seed,
  whole,
} from './choices.ts'
import { Crew } from './crew.ts'
import { INTERRUPTED, OK, SURPRISED, UsageError } from './exit.ts'
import { JobError } from './pool.ts'
import type { DesignSource, Jobs } from './protocol.ts'
import { endImpatiently } from './signals.ts'
import { called, withPool } from './single.ts'
import { outputColour, outputWidth, ProgressLine, print, quoted } from './terminal.ts'
import { findTest, nameOf, type TestFile } from './tests.ts'
import { version } from './version.ts'

const DEFAULT_RUNS = 10_000
/** They are counted in 32 bits. */
const MOST_RUNS = 1_000_000_000

interface LiveOptions extends LimitOptions {
  readonly design: readonly string[]
  readonly runs: number
  readonly seed?: number
  readonly json?: true
}

export function registerLive(program: Command): void {
  const command = program
    .command('live')
    .description('run a test many times on real threads, and compare what happens with what can')
    .argument('<test>', 'a file, or the name of a test in the suite')
    .addOption(designOption().makeOptionMandatory())
    .option('--runs <n>', 'how often to run it', (text) => atMost(MOST_RUNS, whole(text)), DEFAULT_RUNS)
    .option(
      '--seed <n>',
      'for pauses and for what a test leaves open; without it, another one each time',
      seed,
    )
    .option('--json', 'print everything that was found as JSON')
  addLimits(command).action(async (name: string, options: LiveOptions) => {
    process.exitCode = await live(name, options)
  })
}

async function live(name: string, options: LiveOptions): Promise<number> {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new UsageError(
      'this JavaScript has no SharedArrayBuffer, so threads cannot share memory; "cowherd check" needs none',
    )
  }
  const test = findTest(name)
  const designs = await chooseDesigns(options.design)
  const seed = options.seed ?? Date.now() % 1_000_000
  const cells = await explored(test, designs, options)

  const progress = new ProgressLine()
  const crew = new Crew({
    onProgress: (runs) => progress.show(`${count(runs)} of ${count(options.runs)} runs`),
  })
  let interrupted = false
  const interrupt = (): void => {
    if (interrupted) endImpatiently()
    interrupted = true
    crew.stop()
  }
  process.on('SIGINT', interrupt)
  const reports: LiveReport[] = []
  try {
    for (const [i, design] of designs.entries()) {
      if (interrupted) break
      const runs = await crew.run({ test, design, seed }, options.runs).catch((error: unknown) => {
        if (!(error instanceof JobError) || error.fault === 'internal') throw error
        throw new UsageError(`${name} under ${called(design)}: ${error.message}`)
      })
      progress.clear()
      const report = liveReport(test.test, cells[i]!, runs, seed)
      reports.push(report)
      if (!options.json) {
        const text = renderLive(report, again(test, design, options.runs, seed), {
          width: outputWidth(),
          colour: outputColour(),
        })
        print(i + 1 < designs.length ? text : text.trimEnd())
      }
    }
  } finally {
    process.off('SIGINT', interrupt)
    progress.clear()
    await crew.close()
  }
  if (options.json) {
    print(JSON.stringify({ version: JSON_VERSION, cowherd: version(), interrupted, live: reports }, null, 2))
  }
  if (reports.some(({ defect }) => defect)) return SURPRISED
  return interrupted ? INTERRUPTED : OK
}

/** What the engine says of the test under each design. */
async function explored(
  { test: { name }, file, text }: TestFile,
  designs: readonly DesignSource[],
  options: LimitOptions,
): Promise<Jobs['cell']['output'][]> {
  const limits = limitsOf(options)
  const test = { file, text }
  return withPool(name, async (pool) => {
    const yardstick = await pool.run('yardstick', { test, limits })
    const cells: Jobs['cell']['output'][] = []
    for (const design of designs) cells.push(await pool.run('cell', { test, design, yardstick, limits }))
    return cells
  })
}

function again(test: TestFile, design: DesignSource, runs: number, seed: number): string {
  return `cowherd live ${quoted(nameOf(test))} --design ${quoted(called(design))} --runs ${runs} --seed ${seed}`
}
