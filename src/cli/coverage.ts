/** `cowherd coverage`: which parts of the kernel's paths and of the designs no test reaches. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { DESIGNS } from '../designs/index.ts'
import { answeredOneWay, mergeQuestions } from '../engine/index.ts'
import { type CoverageReport, renderCoverage, type SourceFunction } from '../report/unreached.ts'
import {
  addLimits,
  chooseDesigns,
  designOption,
  jobsOf,
  jobsOption,
  type LimitOptions,
  limitsOf,
} from './choices.ts'
import type { DesignCoverage } from './coverage_job.ts'
import type { DesignFile, DesignSource } from './protocol.ts'
import { called } from './single.ts'
import { mergeCoverage, type ScriptCoverage, sourceFunctions } from './source_coverage.ts'
import { PART, survey, testsToSurvey } from './survey.ts'
import { complain, outputWidth, print } from './terminal.ts'

interface CoverageOptions extends LimitOptions {
  readonly design?: readonly string[]
  readonly copies?: true
  readonly json?: true
  readonly jobs?: number
}

export function registerCoverage(program: Command): void {
  const command = program
    .command('coverage')
    .description('tell which functions, branches and rules of the kernel’s paths and designs no test reaches')
    .argument(
      '[paths...]',
      'tests by file or by name, and folders of tests; without any, the suite that comes with Cowherd',
    )
    .addOption(designOption())
    .option(
      '--copies',
      'count copies of pages too, in explorations of their own, which reach further functions',
    )
    .option('--json', 'print it as JSON')
    .addOption(jobsOption())
    .addHelpText(
      'after',
      `
Every history that any interleaving gives a function is run once, to be learned from; so what is
listed here was reached by no interleaving of these tests. With --design, of the designs' files only
those of designs in files are looked at, and the rules that were never asked.`,
    )
  addLimits(command).action(coverage)
}

async function coverage(paths: readonly string[], options: CoverageOptions): Promise<void> {
  const tests = testsToSurvey(paths)
  const sources = await chooseDesigns(options.design ?? ['all'])
  const all = DESIGNS.every(({ name }) => sources.some((source) => called(source) === name))
  // The yardstick is asked about every test, whatever the designs.
  const surveyed = all ? [...sources, undefined] : sources
  const { found, interruption } = await survey(
    surveyed,
    { what: 'designs', jobs: jobsOf(options), program: 'watched_worker', part: PART },
    (pool, design) =>
      pool.run('coverage', { tests, design, copies: options.copies === true, limits: limitsOf(options) }),
  )
  const results = found.map(({ result }) => result)
  const each = tests.length * (options.copies ? 2 : 1)
  const report: CoverageReport = {
    tests: tests.length,
    designs: sources.map(called),
    states: results.reduce((sum, { states }) => sum + states, 0),
    bounded: results.reduce((sum, { bounded }) => sum + bounded, each * (surveyed.length - found.length)),
    interrupted: interruption !== undefined,
    functions: functionsOf(results, sources, all),
    unasked: found.flatMap(({ subject, result }) =>
      subject === undefined ? [] : [{ design: called(subject), rules: result.unasked }],
    ),
    oneWay: answeredOneWay(mergeQuestions(results.flatMap(({ questions }) => questions))),
  }
  print(options.json ? JSON.stringify(report, null, 2) : renderCoverage(report, outputWidth()))
  if (interruption !== undefined) complain(interruption)
}

/** The functions of the kernel's paths; of all designs if all were looked at; and of a person's own. */
function functionsOf(
  results: readonly DesignCoverage[],
  sources: readonly DesignSource[],
  all: boolean,
): SourceFunction[] {
  const scripts = mergeCoverage(results.flatMap((result) => result.scripts))
  const functions = scripts.flatMap((script) => {
    const own = sources.find((source) => source.kind === 'file' && script.url === urlOf(source.code))
    if (own?.kind === 'file') return ofOwnDesign(script, own)
    return script.url.startsWith('file:') ? ofThisProgram(script, all) : []
  })
  const order = (a: SourceFunction, b: SourceFunction): number =>
    a.source === b.source ? a.line - b.line : a.source < b.source ? -1 : 1
  return functions.sort(order)
}

function ofThisProgram(script: ScriptCoverage, all: boolean): SourceFunction[] {
  const file = fileURLToPath(script.url)
  let text: string
  let map: string
  try {
    text = readFileSync(file, 'utf8')
    map = readFileSync(`${file}.map`, 'utf8')
  } catch {
    // Somebody else's file, of a package.
    return []
  }
  return sourceFunctions(script, text, map)
    .map((found) => ({ ...found, source: found.source.replace(/^(\.\.\/)+/, '') }))
    .filter(({ source }) => source.startsWith('src/mm/') || (all && source.startsWith('src/designs/')))
}

/** A person's design: its source map has no texts in it, so they are read from its files. */
function ofOwnDesign(script: ScriptCoverage, { file, code, map }: DesignFile): SourceFunction[] {
  return sourceFunctions(script, code, map).map((found) => {
    const source = join(dirname(file), found.source)
    const lines = linesOf(source)
    const untaken = found.untaken.map(({ line }) => ({ line, text: lines[line - 1]?.trim() ?? '' }))
    return { ...found, source, untaken }
  })
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    // It has been there a moment ago; without it, the numbers of lines must do.
    return []
  }
}

/** As `own_design.ts` imports it. */
function urlOf(code: string): string {
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
}
