/** `cowherd show`: the run behind one cell of the table, step by step. */
import type { Command } from 'commander'
import { count } from '../report/count.ts'
import { describeDoubts, extent, rangeOf } from '../report/words.ts'
import { wrap } from '../report/wrap.ts'
import {
  addLimits,
  addSearch,
  designOption,
  limitsOf,
  outcomeTerms,
  type SearchOptions,
  searchFrom,
  whole,
  workersOption,
  yardstickLimitsOf,
} from './choices.ts'
import { UsageError } from './exit.ts'
import { called, chooseOneDesign, withPool } from './single.ts'
import { outputColour, outputWidth, print } from './terminal.ts'
import { findTest } from './tests.ts'

interface ShowCommandOptions extends SearchOptions {
  readonly design: readonly string[]
  readonly outcome?: string
  readonly fold?: number
  readonly copies?: true
  readonly workers: number
}

export function registerShow(program: Command): void {
  const command = program
    .command('show')
    .description('show the shortest run to the worst outcome of a test under a design, or to another outcome')
    .argument('<test>', 'a file, or the name of a test in the suite')
    .addOption(designOption().makeOptionMandatory())
    .option('--outcome <terms>', "the outcome to show, by some of its values: 'child.r0=1 parent.x=0'")
    .option(
      '--fold <lines>',
      'leave out less important steps, so that the run takes at most that many lines',
      whole,
    )
    .option('--copies', 'count copies of pages too, in an exploration of its own')
    .addOption(workersOption())
  addSearch(addLimits(command)).action(show)
}

async function show(name: string, options: ShowCommandOptions): Promise<void> {
  const { text, file } = findTest(name)
  const design = await chooseOneDesign(options.design)
  const terms = options.outcome === undefined ? undefined : outcomeTerms(options.outcome)
  const limits = limitsOf(options)
  const search = searchFrom(options)
  const test = { file, text }
  const answer = await withPool(
    `${name} under ${called(design)}`,
    async (pool) => {
      const yardstick = await pool.run('yardstick', { test, limits: yardstickLimitsOf(options) })
      return pool.run('show', {
        ...{ test, design, yardstick, limits, search, terms, copies: options.copies === true },
        ...{ width: outputWidth(), colour: outputColour() },
        ...(options.fold !== undefined && { fold: options.fold }),
      })
    },
    options.workers,
  )
  if (answer.kind === 'none')
    throw new UsageError(noSuchOutcome(options.outcome, answer.outcomes, answer.bounded))
  const { report } = answer
  print(answer.text.trimEnd())
  for (const doubt of describeDoubts(report)) print(`\n${wrap(doubt, outputWidth()).join('\n')}`)
  if (report.copies !== null) print(`\nCopies: ${rangeOf(report.copies)} in any run`)
  if (report.verdict === 'right') {
    const sure = report.exhaustive ? 'nothing goes wrong' : 'nothing has gone wrong so far'
    print(`\nThis run is right: in this test ${sure} (${extent(report)}).`)
  }
}

const OUTCOMES_LISTED = 20

function noSuchOutcome(
  wanted: string | undefined,
  outcomes: readonly string[],
  bounded: string | undefined,
): string {
  if (outcomes.length === 0) {
    return bounded === undefined
      ? 'this test has no outcome under this design: no run comes to an end'
      : `no outcome was found (${bounded}): allow it more`
  }
  const hidden = outcomes.length - OUTCOMES_LISTED
  const list = outcomes.slice(0, OUTCOMES_LISTED).map((key) => `  ${key}`)
  if (hidden > 0) list.push(`  … and ${count(hidden)} more`)
  const known = bounded === undefined ? 'there are' : `found so far (${bounded})`
  return `no outcome has ${wanted}; ${known}:\n${list.join('\n')}`
}
