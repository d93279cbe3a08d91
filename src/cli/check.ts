/** `cowherd check`: tests under designs, as a table, as blocks or as JSON. */
import type { Command } from 'commander'
import { didYouMean } from '../litmus/diagnostic.ts'
import { renderDiagnostic } from '../litmus/index.ts'
import { document } from './check_json.ts'
import { printResult } from './check_output.ts'
import { type Result, summaryOf } from './check_result.ts'
import { CheckRun, type Column, type RunOptions } from './check_run.ts'
import {
  ALL_NAMES,
  addLimits,
  addSearch,
  chooseDesigns,
  designOption,
  jobsOption,
  workersOption,
} from './choices.ts'
import { INTERRUPTED, OK, SURPRISED, UNUSABLE, UsageError } from './exit.ts'
import type { DesignSource } from './protocol.ts'
import { complain, print } from './terminal.ts'
import { pathsOf, readTests, SUITE, type TestFile } from './tests.ts'

interface CheckOptions extends RunOptions {
  readonly design?: readonly string[]
  readonly json?: true
  readonly typecheck?: true
}

export function registerCheck(program: Command): void {
  const command = program
    .command('check')
    .description('explore tests under designs, and say what can happen')
    .argument(
      '[paths...]',
      'tests by file or by name, and folders of tests; without any, the suite that comes with Cowherd',
    )
    .addOption(designOption())
    .option('--json', 'print everything that was found as JSON')
    .option('--copies', 'count copies of pages too, in explorations of their own')
    .option('--typecheck', 'check the types of a design’s file first; needs the package typescript')
    .addOption(jobsOption())
    .addOption(workersOption())
  addSearch(addLimits(command)).action(async (paths: string[], options: CheckOptions) => {
    process.exitCode = await check(paths, options)
  })
}

async function check(paths: readonly string[], options: CheckOptions): Promise<number> {
  const began = Date.now()
  const found = readTests(paths.length === 0 ? [SUITE] : pathsOf(paths))
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
  else printResult(result, options.copies === true)
  return exitCode(result)
}

/** Checks the types of those designs that are files. */
async function typecheckAll(sources: readonly DesignSource[]): Promise<void> {
  const files = sources.flatMap((source) => (source.kind === 'file' ? [source.file] : []))
  if (files.length === 0) throw new UsageError('--typecheck is for designs in files: --design ./my-design.ts')
  const { typecheck } = await import('./typecheck.ts')
  for (const file of files) typecheck(file)
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

function exitCode(result: Result): number {
  const { surprises, errors, interrupted } = summaryOf(result)
  if (interrupted) return INTERRUPTED
  if (errors > 0) return UNUSABLE
  return surprises > 0 ? SURPRISED : OK
}
