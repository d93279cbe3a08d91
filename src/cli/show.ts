/** `cowherd show`: the run behind one cell of the table, step by step. */
import type { Command } from 'commander'
import { describeDoubts, extent, rangeOf } from '../report/words.ts'
import { wrap } from '../report/wrap.ts'
import { checkAddressSpace } from './address_space.ts'
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
import { noSuchOutcome } from './selection.ts'
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
  checkAddressSpace(options.workers, 1, limits.bytes)
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
