/** `cowherd history`: what threads remember and never use again, and how many states that costs. */
import type { Command } from 'commander'
import { type HistoryReport, mergeCauses, renderHistory } from '../report/history.ts'
import {
  addLimits,
  chooseDesigns,
  designOption,
  jobsOf,
  jobsOption,
  type LimitOptions,
  limitsOf,
  whole,
} from './choices.ts'
import { called } from './single.ts'
import { PART, survey, testsToSurvey } from './survey.ts'
import { complain, outputWidth, print } from './terminal.ts'

interface HistoryOptions extends LimitOptions {
  readonly design?: readonly string[]
  readonly top: number
  readonly json?: true
  readonly jobs?: number
}

export function registerHistory(program: Command): void {
  const command = program
    .command('history')
    .description('tell what threads remember and never use again, and how many states that costs')
    .argument(
      '[paths...]',
      'tests by file or by name, and folders of tests; without any, the suite that comes with Cowherd',
    )
    .addOption(designOption())
    .option('--top <n>', 'how many causes to show', whole, 10)
    .option('--json', 'print all of it as JSON')
    .addOption(jobsOption())
    .addHelpText(
      'after',
      `
For those who write paths and rules: states that differ only in an answer or an argument that nothing
uses any more are explored again and again. Where a response carries more than is used, ask for less
(\`is\` instead of \`read\`); where a part of a function leaves nothing behind, make it a function that is
called; where a function goes on as another one, make that a tail call.`,
    )
  addLimits(command).action(history)
}

async function history(paths: readonly string[], options: HistoryOptions): Promise<void> {
  const tests = testsToSurvey(paths)
  const sources = await chooseDesigns(options.design ?? ['all'])
  const { found, interruption } = await survey(
    sources,
    { what: 'designs', jobs: jobsOf(options), part: PART },
    (pool, design) => pool.run('history', { tests, design, limits: limitsOf(options) }),
  )
  const results = found.map(({ result }) => result)
  const sum = (of: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  const bounded = sum((result) => result.bounded) + tests.length * (sources.length - found.length)
  const report: HistoryReport = {
    cells: tests.length * sources.length - bounded,
    states: sum(({ states }) => states),
    folded: sum(({ folded }) => folded),
    bounded,
    interrupted: interruption !== undefined,
    causes: mergeCauses(
      found.flatMap(({ subject, result }) =>
        result.causes.map((cause) => ({ ...cause, design: called(subject) })),
      ),
    ),
  }
  print(options.json ? JSON.stringify(report, null, 2) : renderHistory(report, options.top, outputWidth()))
  if (interruption !== undefined) complain(interruption)
}
