/** `cowherd estimate`: about how many states tests have, before they are explored. */
import { type Command, Option } from 'commander'
import type { Expected } from '../check/index.ts'
import { MAX_STATES } from '../engine/index.ts'
import { count } from '../report/count.ts'
import { guessed } from '../report/estimate.ts'
import { chooseDesigns, designOption, jobsOf, jobsOption, wholeUpTo } from './choices.ts'
import { UNUSABLE } from './exit.ts'
import { HopelessDesigns } from './hopeless.ts'
import { JobError } from './pool.ts'
import { called } from './single.ts'
import { PART, survey, testsToSurvey } from './survey.ts'
import { complain, print } from './terminal.ts'

interface EstimateOptions {
  readonly design?: readonly string[]
  readonly maxStates: number
  readonly json?: true
  readonly jobs?: number
}

/** Looking at them takes a second or two. */
const LOOKED_AT = 300_000

export function registerEstimate(program: Command): void {
  program
    .command('estimate')
    .description('guess how many states tests have, before they are explored')
    .argument(
      '[paths...]',
      'tests by file or by name, and folders of tests; without any, the suite that comes with Cowherd',
    )
    .addOption(designOption())
    .addOption(
      new Option('--max-states <n>', 'states that are looked at for a guess: with more, it is narrower')
        .default(LOOKED_AT)
        .argParser(wholeUpTo(MAX_STATES)),
    )
    .option('--json', 'print it as JSON')
    .addOption(jobsOption())
    .addHelpText(
      'after',
      `
The guess is made from runs in which threads are interrupted only a few times. It is of the states
without reductions: these leave one of five or so. docs/engine-search.md tells how good it is.`,
    )
    .action(estimate)
}

/** An exploration: what is expected of it, or why it cannot be explored. */
type Row = { readonly test: string; readonly file: string; readonly design: string } & (
  | Expected
  | { readonly error: string }
)

async function estimate(paths: readonly string[], options: EstimateOptions): Promise<void> {
  const tests = testsToSurvey(paths)
  const sources = await chooseDesigns(options.design ?? ['all'])
  const cells = tests.flatMap((test) => sources.map((design) => ({ test, design })))
  const limits = { states: options.maxStates }
  const designs = new HopelessDesigns()
  const { found, interruption } = await survey(
    cells,
    { what: 'explorations', jobs: jobsOf(options), part: PART },
    (pool, { test: { file, text }, design }) =>
      designs.run(pool, 'estimate', { test: { file, text }, design, limits }).catch(asRow),
  )
  const rows = found.map(({ subject: { test, design }, result }): Row => {
    return { test: test.name, file: test.file, design: called(design), ...result }
  })
  if (options.json) {
    const report = { interrupted: interruption !== undefined, explorations: rows.map(asJson) }
    print(JSON.stringify(report, null, 2))
  } else {
    print(asTable(rows))
    const expected = rows.filter((row) => 'states' in row)
    const isSum = rows.length > 1 && expected.length > 0
    if (isSum && interruption === undefined) print(`In all ${statesIn(sumOf(expected))}.`)
  }
  if (interruption !== undefined) complain(interruption)
  else if (rows.some((row) => 'error' in row)) process.exitCode = UNUSABLE
}

/** What is wrong with one exploration is no reason to say nothing of the others. */
function asRow(error: unknown): { readonly error: string } {
  if (error instanceof JobError && error.fault !== 'stopped' && error.fault !== 'internal') {
    return { error: error.message }
  }
  throw error
}

function asJson({ test, file, design, ...row }: Row): object {
  if ('error' in row) return { test, file, design, error: row.error }
  const { low, high } = row.states
  // JSON has no infinity.
  const states = { least: Math.round(low), most: Number.isFinite(high) ? Math.round(high) : null }
  return { test, file, design, states, exact: row.exact }
}

function asTable(rows: readonly Row[]): string {
  const filesOf = new Map<string, Set<string>>()
  for (const { test, file } of rows) filesOf.set(test, (filesOf.get(test) ?? new Set()).add(file))
  // Two tests may have the same name.
  const named = rows.map((row) => ({ row, name: filesOf.get(row.test)!.size === 1 ? row.test : row.file }))
  const names = Math.max(...named.map(({ name }) => name.length))
  const designs = Math.max(...rows.map(({ design }) => design.length))
  return named
    .map(({ row, name }) => `${name.padEnd(names)}  ${row.design.padEnd(designs)}  ${said(row)}`)
    .join('\n')
}

function said(row: Row): string {
  return 'error' in row ? `cannot be explored: ${row.error}` : statesIn(row)
}

/** `1,204 states`, `about 2–8 million states`. */
function statesIn({ states, exact }: Expected): string {
  return `${exact ? count(states.low) : guessed(states)} ${exact && states.low === 1 ? 'state' : 'states'}`
}

function sumOf(expected: readonly Expected[]): Expected {
  return {
    states: {
      low: expected.reduce((sum, { states }) => sum + states.low, 0),
      high: expected.reduce((sum, { states }) => sum + states.high, 0),
    },
    exact: expected.every(({ exact }) => exact),
  }
}
