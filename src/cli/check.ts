/** `cowherd check`: tests under designs, as a table, as blocks or as JSON. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Yardstick } from '../check/index.ts'
import { didYouMean } from '../litmus/diagnostic.ts'
import { type Litmus, renderDiagnostic } from '../litmus/index.ts'
import { JSON_VERSION } from '../report/json.ts'
import {
  count,
  describeSurprise,
  type Entry,
  hang,
  type Row,
  renderBlock,
  renderCopies,
  renderTable,
} from '../report/table.ts'
import {
  ALL_NAMES,
  addLimits,
  chooseDesigns,
  designOption,
  type LimitOptions,
  limitsOf,
  workersOption,
} from './choices.ts'
import { INTERRUPTED, OK, SURPRISED, UNUSABLE, UsageError } from './exit.ts'
import { JobError, Pool } from './pool.ts'
import type { DesignSource, Jobs } from './protocol.ts'
import { called, factsOf } from './single.ts'
import { complain, outputColour, outputWidth, ProgressLine, print, quoted } from './terminal.ts'
import { nameOf, readTests, SUITE, type TestFile } from './tests.ts'

interface CheckOptions extends LimitOptions {
  readonly design?: readonly string[]
  readonly json?: true
  readonly workers: number
  readonly typecheck?: true
  readonly copies?: true
}

export function registerCheck(program: Command): void {
  const command = program
    .command('check')
    .description('explore tests under designs, and say what can happen')
    .argument('[paths...]', 'tests, and folders of tests; without any, the suite that comes with Cowherd')
    .addOption(designOption())
    .option('--json', 'print everything that was found as JSON')
    .option('--copies', 'count copies of pages too, in explorations of their own')
    .option('--typecheck', 'check the types of a design’s file first; needs the package typescript')
    .addOption(workersOption())
  addLimits(command).action(async (paths: string[], options: CheckOptions) => {
    process.exitCode = await check(paths, options)
  })
}

/** A design of the table: where it comes from, and what it is called. */
interface Column {
  readonly source: DesignSource
  readonly name: string
  readonly title: string
  /** What to say to `--design` to get it. */
  readonly option: string
}

async function check(paths: readonly string[], options: CheckOptions): Promise<number> {
  const began = Date.now()
  const found = readTests(paths.length === 0 ? [SUITE] : paths)
  for (const text of [...found.warnings, ...found.errors]) complain(text)
  const sources = await chooseDesigns(options.design ?? ['all'])
  if (options.typecheck) await typecheckAll(sources)

  const run = new CheckRun(found.tests, options)
  const columns = await run.open(sources)
  for (const text of found.tests.flatMap((test) => unknownDesigns(test, columns))) complain(text)
  const rows = await run.explore(columns)

  const result: Result = {
    columns,
    tests: found.tests,
    rows,
    unreadable: found.errors,
    milliseconds: Date.now() - began,
    interrupted: run.interrupted,
  }
  if (options.json) print(JSON.stringify(document(result), null, 2))
  else printResult(result, options)
  return exitCode(result)
}

interface Result {
  readonly columns: readonly Column[]
  readonly tests: readonly TestFile[]
  readonly rows: readonly Row[]
  readonly unreadable: readonly string[]
  readonly milliseconds: number
  readonly interrupted: boolean
}

/** Explorations of tests under designs in a pool of workers, until all are done or somebody presses Ctrl-C. */
class CheckRun {
  private readonly pool: Pool
  private readonly progress = new ProgressLine()
  private readonly began = Date.now()
  private readonly entries: Entry[][]
  private done = 0
  private total = 0
  private states = 0
  /** Designs that hang or fill the memory, and how: each further cell would take as long to fail. */
  private readonly hopeless = new Map<DesignSource, JobError>()
  interrupted = false

  constructor(
    private readonly tests: readonly TestFile[],
    private readonly options: CheckOptions,
  ) {
    this.entries = tests.map(() => [])
    this.pool = new Pool(options.workers, ({ states, depth, frontier }) => {
      const seconds = (Date.now() - this.began) / 1000
      if (seconds < 1) return
      const all = this.states + states
      this.progress.show(
        `${this.done}/${this.total} cells  ${count(all)} states  ${count(Math.round(all / seconds))}/s  depth ${depth}  frontier ${count(frontier)}`,
      )
    })
  }

  /**
   * Looks at the designs, those from files in a worker.
   * @throws UsageError with what is wrong with them
   */
  async open(sources: readonly DesignSource[]): Promise<Column[]> {
    try {
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
      if (this.interrupted) process.exit(INTERRUPTED)
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
      yardstick = await this.pool.run('yardstick', { test: { file, text }, limits }, urgency)
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
    const copies = this.options.copies === true ? { copies: limits } : {}
    this.entries[index] = await Promise.all(
      columns.map((column) =>
        this.exploreCell(
          { test: { file, text }, design: column.source, yardstick, limits, ...copies },
          urgency,
        ),
      ),
    )
  }

  private async exploreCell(input: Jobs['cell']['input'], urgency: number): Promise<Entry> {
    try {
      const known = this.hopeless.get(input.design)
      if (known !== undefined) throw known
      const report = await this.pool.run('cell', input, urgency)
      this.states += report.states
      return { status: 'done', report }
    } catch (error) {
      if (error instanceof JobError && (error.fault === 'silent' || error.fault === 'memory')) {
        this.hopeless.set(input.design, error)
        this.pool.cancel(({ input: other }) => 'design' in other && other.design === input.design, error)
      }
      return entryFor(error)
    } finally {
      this.done++
    }
  }
}

/** Checks the types of those designs that are files. */
async function typecheckAll(sources: readonly DesignSource[]): Promise<void> {
  const files = sources.flatMap((source) => (source.kind === 'file' ? [source.file] : []))
  if (files.length === 0) throw new UsageError('--typecheck is for designs in files: --design ./my-design.ts')
  const { typecheck } = await import('./typecheck.ts')
  for (const file of files) typecheck(file)
}

function entryFor(error: unknown): Entry {
  if (!(error instanceof JobError)) throw error
  return error.fault === 'stopped'
    ? { status: 'unfinished', yardstickStates: 0 }
    : { status: 'error', message: error.message }
}

/** Grows with the number of interleavings: the product of what threads have to do. */
function guessedSize(test: Litmus): number {
  const threads = test.processes.flatMap(({ threads }) => threads)
  const words = test.pages.reduce((sum, page) => sum + page.words.length, 0)
  return words * threads.reduce((product, { statements }) => product * (1 + statements.length), 1)
}

/** Warnings about `expect` lines for designs that nobody knows: they are checked for nobody. */
function unknownDesigns({ test, text, file }: TestFile, columns: readonly Column[]): string[] {
  const known = ['all', ...ALL_NAMES, ...columns.map(({ name }) => name)]
  return test.expectations.flatMap(({ designs }) =>
    designs
      .filter(({ name }) => !known.includes(name))
      .map(({ name, span }) => {
        const hint = `nothing is checked for it here${didYouMean(name, known)}`
        const message = `unknown design "${name}"`
        return renderDiagnostic({ severity: 'warning', span, message, hint }, text, file)
      }),
  )
}

// ---- what is printed ----

/** Up to this many cells are shown in full. */
const BLOCKS_UP_TO = 20

function printResult(result: Result, { copies }: CheckOptions): void {
  const { columns, rows } = result
  const text = { width: outputWidth(), colour: outputColour() }
  const names = columns.map(({ name }) => name)
  const entries = rows.flatMap((row) => row.entries)
  const inFull = rows.length === 1 || entries.length <= BLOCKS_UP_TO
  if (rows.length > 0) {
    const parts: string[] = []
    if (inFull) {
      parts.push(
        ...entries.flatMap((entry) => (entry.status === 'done' ? [renderBlock(entry.report, text)] : [])),
      )
    }
    if (!inFull || columns.length > 1 || entries.some(({ status }) => status !== 'done')) {
      parts.push(renderTable(names, rows, text))
      if (copies) parts.push(renderCopies(names, rows, text))
    }
    print(parts.join('\n'))
  }
  printUnfinished(result)
  printSurprises(result, text.width)
  printErrors(result)
  print(summaryLine(result))
}

/** Tests that were interrupted while their yardstick was explored: without it, no outcome can be judged. */
function printUnfinished({ rows }: Result): void {
  for (const { name, entries } of rows) {
    const [entry] = entries
    if (entry?.status !== 'unfinished' || entry.yardstickStates === 0) continue
    const states = count(entry.yardstickStates)
    print(`${name}: interrupted while its yardstick was explored, which had come to ${states} states`)
  }
}

function printSurprises(result: Result, width: number): void {
  const lines = surprisesOf(result).map(({ test, column, report }) => {
    const what = `${test.inSuite ? nameOf(test) : test.test.name} under ${column.name}: ${describeSurprise(report)}`
    const command = showCommand(test, column, report)
    return `  ${hang(what, width, 4, 2)}${command === undefined ? '' : `\n    ${command}`}`
  })
  if (lines.length === 0) return
  print(`${lines.length} ${lines.length === 1 ? 'surprise' : 'surprises'}:\n${lines.join('\n')}\n`)
}

/** The command that shows how it comes about; undefined if there is nothing to show. */
function showCommand(test: TestFile, column: Column, report: Jobs['cell']['output']): string | undefined {
  const name = quoted(nameOf(test))
  const command = `cowherd show ${name} --design ${quoted(column.option)}`
  if (report.verdict !== 'right') return command
  const broken = report.conditions.findIndex(({ holds, quantifier }) => !holds && quantifier !== 'sometimes')
  const witness = report.outcomes.find(({ witnesses }) => witnesses.includes(broken))
  return witness === undefined ? undefined : `${command} --outcome ${quoted(witness.key)}`
}

/** Each message once, with the tests that it is about. */
function printErrors({ columns, rows, tests }: Result): void {
  const byMessage = new Map<string, { design: string; tests: string[] }>()
  rows.forEach(({ entries }, i) => {
    entries.forEach((entry, c) => {
      if (entry.status !== 'error') return
      const design = columns[c]!.option
      const key = `${design}: ${entry.message}`
      const known = byMessage.get(key)
      if (known === undefined) byMessage.set(key, { design, tests: [tests[i]!.test.name] })
      else known.tests.push(tests[i]!.test.name)
    })
  })
  for (const [message, { tests: names }] of byMessage) {
    const more = names.length > 1 ? ` and ${names.length - 1} more tests` : ''
    complain(`design ${message}\n  in test ${names[0]}${more}`)
  }
}

interface Surprise {
  readonly test: TestFile
  readonly column: Column
  readonly report: Jobs['cell']['output']
}

function surprisesOf({ rows, tests, columns }: Result): Surprise[] {
  return rows.flatMap(({ entries }, i) =>
    entries.flatMap((entry, c) =>
      entry.status === 'done' && entry.report.surprise
        ? [{ test: tests[i]!, column: columns[c]!, report: entry.report }]
        : [],
    ),
  )
}

function summaryOf(result: Result) {
  const entries = result.rows.flatMap((row) => row.entries)
  const reports = entries.flatMap((entry) => (entry.status === 'done' ? [entry.report] : []))
  return {
    tests: result.rows.length,
    designs: result.columns.length,
    cells: reports.length,
    states: reports.reduce((sum, { states }) => sum + states, 0),
    milliseconds: result.milliseconds,
    surprises: reports.filter(({ surprise }) => surprise).length,
    bounded: reports.filter(({ exhaustive }) => !exhaustive).length,
    unfinished: entries.filter(({ status }) => status === 'unfinished').length,
    errors: entries.filter(({ status }) => status === 'error').length + result.unreadable.length,
    interrupted: result.interrupted,
  }
}

function summaryLine(result: Result): string {
  const { cells, states, milliseconds, surprises, bounded, unfinished, errors, interrupted } =
    summaryOf(result)
  const parts = [
    `${count(cells)} ${cells === 1 ? 'cell' : 'cells'}`,
    `${count(states)} states`,
    `${(milliseconds / 1000).toFixed(1)} s`,
    `${surprises === 0 ? 'no surprises' : `${surprises} ${surprises === 1 ? 'surprise' : 'surprises'}`}`,
  ]
  if (bounded > 0) parts.push(`${bounded} not explored to the end`)
  if (unfinished > 0) parts.push(`${unfinished} unfinished`)
  if (errors > 0) parts.push(`${errors} in error`)
  return `${interrupted ? 'Interrupted. ' : ''}${parts.join(', ')}.`
}

function exitCode(result: Result): number {
  const { surprises, errors, interrupted } = summaryOf(result)
  if (interrupted) return INTERRUPTED
  if (errors > 0) return UNUSABLE
  return surprises > 0 ? SURPRISED : OK
}

/** The whole result as `--json` prints it. */
function document(result: Result) {
  return {
    version: JSON_VERSION,
    cowherd: version(),
    designs: result.columns.map(({ name, title }) => ({ name, title })),
    tests: result.tests.map(({ test, file, group }, i) => ({
      name: test.name,
      file,
      group,
      description: test.description,
      cells: result.rows[i]!.entries.map((entry, c) => ({
        design: result.columns[c]!.name,
        status: entry.status,
        ...(entry.status === 'done' && entry.report),
        ...(entry.status === 'error' && { message: entry.message }),
      })),
    })),
    unreadable: result.unreadable,
    summary: summaryOf(result),
  }
}

/** The version of this package. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
