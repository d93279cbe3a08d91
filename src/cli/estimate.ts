/** `cowherd estimate`: about how many states tests have, before they are explored. */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Expected } from '../check/index.ts'
import { type Estimate, MAX_STATES } from '../engine/index.ts'
import { count } from '../report/count.ts'
import { guessed } from '../report/estimate.ts'
import { chooseDesigns, designOption, jobsOf, jobsOption, wholeUpTo } from './choices.ts'
import { called } from './single.ts'
import { survey, testsToSurvey } from './survey.ts'
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

interface Row extends Expected {
  readonly test: string
  readonly design: string
}

async function estimate(paths: readonly string[], options: EstimateOptions): Promise<void> {
  const tests = testsToSurvey(paths)
  const sources = await chooseDesigns(options.design ?? ['all'])
  const cells = tests.flatMap((test) => sources.map((design) => ({ test, design })))
  const limits = { states: options.maxStates }
  const { found, interruption } = await survey(
    cells,
    'explorations',
    jobsOf(options),
    'worker',
    (pool, { test: { file, text }, design }) =>
      pool.run('estimate', { test: { file, text }, design, limits }),
  )
  const rows = found
    .filter(({ result }) => !result.interrupted)
    .map(({ subject, result }) => ({ ...result, test: subject.test.name, design: called(subject.design) }))
  if (!options.json) print(asTable(rows))
  else {
    const report = { interrupted: interruption !== undefined, explorations: rows.map(asJson) }
    print(JSON.stringify(report, null, 2))
  }
  if (interruption !== undefined) complain(interruption)
}

function asJson({ test, design, states: { low, high }, exact }: Row): object {
  // JSON has no infinity.
  const states = { least: Math.round(low), most: Number.isFinite(high) ? Math.round(high) : null }
  return { test, design, states, exact }
}

function asTable(rows: readonly Row[]): string {
  const widthOf = (of: (row: Row) => string): number => Math.max(0, ...rows.map((row) => of(row).length))
  const [tests, designs] = [widthOf(({ test }) => test), widthOf(({ design }) => design)]
  const lines = rows.map((row) => `${row.test.padEnd(tests)}  ${row.design.padEnd(designs)}  ${said(row)}`)
  if (rows.length > 1)
    lines.push(`In all ${said({ states: sumOf(rows), exact: rows.every(({ exact }) => exact) })}.`)
  return lines.join('\n')
}

function sumOf(rows: readonly Row[]): Estimate {
  return {
    low: rows.reduce((sum, { states }) => sum + states.low, 0),
    high: rows.reduce((sum, { states }) => sum + states.high, 0),
  }
}

/** `1,204 states`, `about 2–8 million states`. */
function said({ states, exact }: Pick<Expected, 'states' | 'exact'>): string {
  return `${exact ? count(states.low) : guessed(states)} ${exact && states.low === 1 ? 'state' : 'states'}`
}
