/** `cowherd claims`: what was claimed about copy-on-write, and what comes of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Claim, ClaimsError, type Section, testsOf } from '../claims/index.ts'
import { didYouMean } from '../litmus/diagnostic.ts'
import {
  type ClaimReport,
  claimsMarkdown,
  decisionInWords,
  renderCase,
  renderClaims,
  type SectionReport,
} from '../report/claims.ts'
import { count } from '../report/count.ts'
import { addLimits, jobsOf, jobsOption, type LimitOptions, limitsOf } from './choices.ts'
import { OK, SURPRISED, UsageError } from './exit.ts'
import { JobError, type Pool } from './pool.ts'
import type { TestText } from './protocol.ts'
import { survey } from './survey.ts'
import { complain, outputColour, outputWidth, print } from './terminal.ts'
import { findTest, readable } from './tests.ts'

/** The claims that come with the package, and their tests. */
const CLAIMS = fileURLToPath(new URL('../claims', import.meta.url))

interface ClaimsOptions extends LimitOptions {
  readonly file?: readonly string[]
  readonly verbose?: true
  readonly markdown?: true
  readonly json?: true
  readonly case?: number
  readonly full?: true
  readonly jobs?: number
}

export function registerClaims(program: Command): void {
  const command = program
    .command('claims')
    .description(
      'decide what was claimed about copy-on-write in December 2021, each claim by running its experiments',
    )
    .argument('[ids...]', 'claims by name; without any, all')
    .option('-v, --verbose', 'with the run that decides, and the source')
    .addOption(
      new Option('--case <number>', 'one case of one claim, with the run that decides it')
        .argParser(caseNumber)
        .conflicts(['json', 'markdown']),
    )
    .option('--full', 'with --case: the run step by step')
    .addOption(new Option('--markdown', 'as a page of documentation').conflicts('json'))
    .option('--json', 'as JSON')
    .option(
      '-f, --file <yaml>',
      'claims of your own instead; again for more',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .addOption(jobsOption())
  addLimits(command).action(claims)
}

async function claims(ids: readonly string[], options: ClaimsOptions): Promise<void> {
  const files = options.file ?? filesOfPackage()
  const sections = chosen(await Promise.all(files.map(read)), ids)
  checkCase(sections, ids, options)
  const { sections: reports, interruption } = await decideAll(sections, options)
  if (options.case !== undefined) {
    const shown = { width: outputWidth(), colour: outputColour(), full: options.full === true }
    const [claim] = reports[0]!.claims
    print(renderCase(claim!, shown).trimEnd())
    const [one] = claim!.cases
    const fine = one!.exhaustive && (one!.expected === null || one!.expected === one!.holds)
    process.exitCode = fine ? OK : SURPRISED
    return
  }
  if (options.json) print(JSON.stringify(reports, null, 2))
  else if (options.markdown) print(claimsMarkdown(reports).trimEnd())
  else {
    const verbose = options.verbose === true
    print(renderClaims(reports, { width: outputWidth(), colour: outputColour(), verbose }))
    print(`\n${summary(reports)}`)
  }
  if (interruption !== undefined) {
    complain(interruption)
    return
  }
  const all = reports.flatMap((section) => section.claims)
  process.exitCode = all.every(({ asExpected }) => asExpected) ? OK : SURPRISED
}

function caseNumber(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text))
    throw new InvalidArgumentError('Expected the number of a case, from 1.')
  return Number(text)
}

/** A case is asked for by its number, of one claim. */
function checkCase(sections: readonly Section[], ids: readonly string[], options: ClaimsOptions): void {
  if (options.case === undefined) {
    if (options.full) throw new UsageError('"--full" shows one case: say which one by "--case <number>"')
    return
  }
  const claims = sections.flatMap((section) => section.claims)
  const [claim] = claims
  if (ids.length !== 1 || claim === undefined || claims.length !== 1)
    throw new UsageError('"--case" is about one claim: name it, and no other')
  if (options.case > claim.cases.length) {
    const many = claim.cases.length === 1 ? 'one case' : `${claim.cases.length} cases`
    throw new UsageError(`there is no case ${options.case}: claim ${claim.id} has ${many}`)
  }
}

function filesOfPackage(): string[] {
  return readdirSync(CLAIMS)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(CLAIMS, name))
}

async function read(file: string): Promise<Section> {
  // Only now: see claims/index.ts.
  const { readSection } = await import('../claims/read.ts')
  try {
    return readSection(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof ClaimsError) throw new UsageError(error.message)
    throw new UsageError(`${file}: ${readable(error)}`)
  }
}

/** The sections with those claims only that were asked for. */
function chosen(sections: readonly Section[], ids: readonly string[]): Section[] {
  if (ids.length === 0) return [...sections]
  const known = sections.flatMap(({ claims }) => claims.map(({ id }) => id))
  const wrong = ids.find((id) => !known.includes(id))
  if (wrong !== undefined) {
    throw new UsageError(
      `there is no claim "${wrong}"${didYouMean(wrong, known) || '; "cowherd claims" prints them all, with their names'}`,
    )
  }
  return sections
    .map((section) => ({
      ...section,
      claims: section.claims.filter(({ id }) => ids.includes(id)),
      undecided: [],
    }))
    .filter((section) => section.claims.length > 0)
}

interface Decided {
  readonly sections: readonly SectionReport[]
  /** Said of claims that were interrupted, where some have been decided. */
  readonly interruption: string | undefined
}

/** @throws UsageError if a claim cannot be decided, Interruption on Ctrl-C if none was until then */
async function decideAll(sections: readonly Section[], options: ClaimsOptions): Promise<Decided> {
  const subjects = sections.flatMap((section) => section.claims.map((claim) => ({ section, claim })))
  // A page, or one case, is of use only whole.
  const isWhole = options.markdown === true || options.case !== undefined
  const part = isWhole ? undefined : 'these are the ones that were decided until then'
  const { found, interruption } = await survey(
    subjects,
    { what: 'claims', jobs: jobsOf(options), part },
    (pool, { claim }) => decide(claim, pool, options),
  )
  const decided = sections.map((section) => ({
    ...section,
    claims: found.filter(({ subject }) => subject.section === section).map(({ result }) => result),
  }))
  if (interruption === undefined) return { sections: decided, interruption }
  const some = decided.filter(({ claims }) => claims.length > 0)
  return { sections: some.map((section) => ({ ...section, undecided: [] })), interruption }
}

/**
 * Null if it was stopped before it was decided.
 * @throws JobError, UsageError
 */
async function decide(claim: Claim, pool: Pool, options: ClaimsOptions): Promise<ClaimReport | null> {
  const only = options.case === undefined ? undefined : { case: options.case, full: options.full === true }
  const tests = Object.fromEntries(testsOf(claim).map((name) => [name, testNamed(name, claim.id)]))
  const width = outputWidth() - (options.full ? 0 : 5)
  try {
    return await pool.run('claim', { claim, tests, limits: limitsOf(options), width, only })
  } catch (error) {
    if (error instanceof JobError && error.fault === 'model') {
      throw new UsageError(`claim ${claim.id}: ${error.message}`)
    }
    throw error
  }
}

function testNamed(name: string, claim: string): TestText {
  try {
    return findTest(name)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`claim ${claim}: ${error.message}`)
    throw error
  }
}

function summary(reports: readonly SectionReport[]): string {
  const all = reports.flatMap(({ claims }) => claims)
  const states = all.flatMap(({ cases }) => cases).reduce((sum, one) => sum + one.states, 0)
  const number = (decision: string): number => all.filter((claim) => claim.decision === decision).length
  const surprises = all.filter(({ asExpected }) => !asExpected)
  const parts = [
    `${number('holds')} ${number('holds') === 1 ? 'holds' : 'hold'}`,
    `${number('holds only if')} ${number('holds only if') === 1 ? 'holds' : 'hold'} only under a condition`,
    `${number('refuted')} ${number('refuted') === 1 ? 'is' : 'are'} refuted`,
  ]
  const total = all.length === 1 ? '1 claim' : `${all.length} claims: ${parts.join(', ')}`
  const counts = `${total}; ${count(states)} states.`
  if (surprises.length === 0) return counts
  const list = surprises.map((claim) => `  ${claim.id}: ${surpriseOf(claim)}`)
  return `${counts}\n${surprises.length} not as expected:\n${list.join('\n')}`
}

/** In what a claim came out otherwise than was expected of it. */
function surpriseOf(claim: ClaimReport): string {
  if (claim.decision !== claim.expected || !claim.exhaustive)
    return `${decisionInWords(claim)}; expected: ${claim.expected}`
  const flipped = claim.cases.flatMap(({ expected, holds }, i) =>
    expected !== null && expected !== holds ? [`case ${i + 1} is ${holds}, expected to be ${expected}`] : [],
  )
  return flipped.join('; ')
}
