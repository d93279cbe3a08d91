/** `cowherd export`: one cell's system, its state graph or a run of it, for another program. */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { addLimits, designOption, type LimitOptions, limitsOf, outcomeTerms, whole } from './choices.ts'
import { UsageError } from './exit.ts'
import type { ExportLanguage } from './protocol.ts'
import { called, chooseOneDesign, withPool } from './single.ts'
import { complain, print } from './terminal.ts'
import { findTest, readable } from './tests.ts'

interface ExportOptions extends LimitOptions {
  readonly design: readonly string[]
  readonly to: ExportLanguage
  readonly run?: true
  readonly outcome?: string
  readonly limit?: number
  readonly output?: string
}

/** What is written, and how many states a graph of it has at most unless somebody wants more. */
const LANGUAGES: Readonly<Record<ExportLanguage, { readonly wrote: string; readonly limit: number }>> = {
  promela: { wrote: 'The comment at its top tells how to ask SPIN.', limit: Number.POSITIVE_INFINITY },
  // Graphviz draws more than that for minutes, and nobody sees anything in it.
  dot: { wrote: 'Graphviz draws it: dot -Tsvg -O.', limit: 500 },
  itf: { wrote: 'It is a trace as Apalache writes them.', limit: Number.POSITIVE_INFINITY },
  json: { wrote: 'docs/export.md describes it.', limit: 20_000 },
}

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a test under a design for another program: SPIN, Graphviz, Apalache’s viewers, yours')
    .argument('<test>', 'a file, or the name of a test in the suite')
    .addOption(designOption().makeOptionMandatory())
    .addOption(
      new Option('--to <language>', 'the language').choices(Object.keys(LANGUAGES)).default('promela'),
    )
    .option('--run', 'a single run instead of all states: the shortest to the worst outcome (dot, json)')
    .option('--outcome <terms>', "the outcome that the run leads to instead: 'child.r0=1 parent.x=0'")
    .option(
      '--limit <n>',
      `most states of a graph; without this, ${LANGUAGES.dot.limit} (dot) or ${LANGUAGES.json.limit} (json)`,
      whole,
    )
    .option('-o, --output <file>', 'where to write it; without this, to standard output')
    .addHelpText(
      'after',
      `
Languages:
  promela   a program for the model checker SPIN, with the test's conditions
  dot       the graph of all states, or a run, for Graphviz
  itf       a run in Apalache's Informal Trace Format
  json      the graph of all states, and a run; docs/export.md describes both`,
    )
  addLimits(command).action(exportTest)
}

async function exportTest(name: string, options: ExportOptions): Promise<void> {
  const { to } = options
  refuseWhatMeansNothing(options)
  const { text, file } = findTest(name)
  const design = await chooseOneDesign(options.design)
  const test = { file, text }
  const limits = limitsOf(options)
  const run =
    options.outcome !== undefined ? outcomeTerms(options.outcome) : options.run === true ? [] : undefined
  const { text: written, bounded } = await withPool(`${name} under ${called(design)}`, async (pool) =>
    pool.run('export', {
      ...{ test, design, limits, to, run },
      yardstick: to === 'promela' ? undefined : await pool.run('yardstick', { test, limits }),
      limit: options.limit ?? LANGUAGES[to].limit,
      output: options.output === undefined ? undefined : basename(options.output),
    }),
  )
  if (bounded !== undefined && options.outcome === undefined)
    complain(`there may be a run to something worse: ${bounded}`)
  if (options.output === undefined) return print(written.trimEnd())
  try {
    writeFileSync(options.output, written)
  } catch (error) {
    throw new UsageError(`${options.output}: ${readable(error)}`)
  }
  complain(`Wrote ${options.output}. ${LANGUAGES[to].wrote}`)
}

function refuseWhatMeansNothing({ to, run, outcome, limit }: ExportOptions): void {
  if (to === 'promela' && (run !== undefined || outcome !== undefined)) {
    throw new UsageError('a Promela program has all runs: --run and --outcome are for dot, itf and json')
  }
  if (limit !== undefined && (to === 'promela' || to === 'itf')) {
    throw new UsageError('--limit is for graphs, --to dot and json; --max-states ends any exploration early')
  }
}
