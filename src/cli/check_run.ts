/** The explorations of one `cowherd check`, in a pool of workers. */
import type { Yardstick } from '../check/index.ts'
import type { SearchMode } from '../engine/index.ts'
import type { Litmus } from '../litmus/index.ts'
import { count } from '../report/count.ts'
import { forecast } from '../report/forecast.ts'
import type { Entry, Row } from '../report/table.ts'
import { checkAddressSpace } from './address_space.ts'
import { ALL_NAMES, jobsOf, limitsOf, type SearchOptions, searchFrom, yardstickLimitsOf } from './choices.ts'
import { UsageError } from './exit.ts'
import { HopelessDesigns } from './hopeless.ts'
import { type Activity, JobError, Pool } from './pool.ts'
import type { DesignSource, Jobs } from './protocol.ts'
import { endImpatiently } from './signals.ts'
import { called, factsOf } from './single.ts'
import { isProgressShown, ProgressLine } from './terminal.ts'
import type { TestFile } from './tests.ts'

export interface RunOptions extends SearchOptions {
  /** Explorations at the same time. */
  readonly jobs?: number
  /** Threads of each. */
  readonly workers: number
  readonly copies?: true
}

/** A design of the table: where it comes from, and what it is called. */
export interface Column {
  readonly source: DesignSource
  readonly name: string
  readonly title: string
  /** What to say to `--design` to get it. */
  readonly option: string
}

/** Explorations of tests under designs in a pool of workers, until all are done or somebody presses Ctrl-C. */
export class CheckRun {
  private readonly pool: Pool
  private readonly progress = new ProgressLine()
  private readonly began = Date.now()
  private readonly search: SearchMode
  private readonly entries: Entry[][]
  private done = 0
  private total = 0
  private states = 0
  private readonly designs = new HopelessDesigns()
  interrupted = false

  constructor(
    private readonly tests: readonly TestFile[],
    private readonly options: RunOptions,
  ) {
    this.search = searchFrom(options)
    this.entries = tests.map(() => [])
    const tick = (activity: Activity): void => {
      const seconds = (Date.now() - this.began) / 1000
      if (seconds < 1) return
      const all = this.states + activity.states
      this.progress.show(`${this.done}/${this.total} cells  ${howFar(activity, all, seconds)}`)
    }
    this.pool = new Pool(jobsOf(options), tick, { workers: options.workers, foresees: isProgressShown() })
  }

  /**
   * Looks at the designs, those from files in a worker.
   * @throws UsageError with what is wrong with them
   */
  async open(sources: readonly DesignSource[]): Promise<Column[]> {
    try {
      const { workers } = this.options
      const jobs = Math.min(jobsOf(this.options), this.tests.length * sources.length)
      checkAddressSpace(workers, jobs, limitsOf(this.options).bytes)
      const facts = await Promise.all(sources.map((source) => factsOf(this.pool, source)))
      const columns = facts.map(({ name, title }, i) => ({
        source: sources[i]!,
        name,
        title,
        option: called(sources[i]!),
      }))
      const names = new Set<string>()
      for (const { name, source } of columns) {
        const taken = source.kind === 'file' && ALL_NAMES.includes(name)
        if (taken || names.has(name)) {
          throw new UsageError(
            `${called(source)}: there is another design of the name "${name}"; give this one its own`,
          )
        }
        names.add(name)
      }
      return columns
    } catch (error) {
      await this.pool.close()
      throw error
    }
  }

  async explore(columns: readonly Column[]): Promise<Row[]> {
    const interrupt = (): void => {
      // The second time, whoever asks does not want to wait.
      if (this.interrupted) endImpatiently()
      this.interrupted = true
      this.pool.stop()
    }
    process.on('SIGINT', interrupt)
    this.total = this.tests.length * columns.length
    try {
      await Promise.all(this.tests.map((_, index) => this.exploreTest(index, columns)))
    } finally {
      process.off('SIGINT', interrupt)
      this.progress.clear()
      await this.pool.close()
    }
    return this.tests.map(({ test, group }, i) => ({ name: test.name, group, entries: this.entries[i]! }))
  }

  private async exploreTest(index: number, columns: readonly Column[]): Promise<void> {
    const { test, file, text } = this.tests[index]!
    const limits = limitsOf(this.options)
    const urgency = guessedSize(test)
    let yardstick: Yardstick
    try {
      const job = { test: { file, text }, limits: yardstickLimitsOf(this.options) }
      yardstick = await this.pool.run('yardstick', job, urgency)
      this.states += yardstick.states
    } catch (error) {
      const entry = entryFor(error)
      this.entries[index] = columns.map(() => entry)
      return
    }
    // An unfinished yardstick would call almost anything a violation.
    if (this.interrupted) {
      this.entries[index] = columns.map(() => ({ status: 'unfinished', yardstickStates: yardstick.states }))
      return
    }
    const { search } = this
    const copies = this.options.copies === true ? { copies: limits } : {}
    this.entries[index] = await Promise.all(
      columns.map((column) =>
        this.exploreCell(
          { test: { file, text }, design: column.source, yardstick, limits, search, ...copies },
          urgency,
        ),
      ),
    )
  }

  private async exploreCell(input: Jobs['cell']['input'], urgency: number): Promise<Entry> {
    try {
      const report = await this.designs.run(this.pool, 'cell', input, urgency)
      this.states += report.states
      return { status: 'done', report }
    } catch (error) {
      return entryFor(error)
    } finally {
      this.done++
    }
  }
}

/**
 * In the columns of a narrow terminal: what is expected of the largest of the explorations that run, or else how fast they are.
 * @param all states, of those that are done too
 */
function howFar({ depth, frontier, largest, running }: Activity, all: number, seconds: number): string {
  const guess = largest === undefined ? '' : forecast(largest)
  if (largest === undefined || guess === '') {
    return `${count(all)} states  ${count(Math.round(all / seconds))}/s  depth ${depth}  frontier ${count(frontier)}`
  }
  const expected = `${count(largest.states)} ${guess}`
  return running === 1 ? expected : `${count(all)} states  largest: ${expected}`
}

/** Grows with the number of interleavings: the product of what threads have to do. */
function guessedSize(test: Litmus): number {
  const threads = test.processes.flatMap(({ threads }) => threads)
  const words = test.pages.reduce((sum, page) => sum + page.words.length, 0)
  return words * threads.reduce((product, { statements }) => product * (1 + statements.length), 1)
}

function entryFor(error: unknown): Entry {
  if (!(error instanceof JobError)) throw error
  return error.fault === 'stopped'
    ? { status: 'unfinished', yardstickStates: 0 }
    : { status: 'error', message: error.message }
}
