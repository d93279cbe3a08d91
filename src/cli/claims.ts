/** `cowherd claims`: what was claimed about copy-on-write, and what comes of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import { ClaimsError, readSection, type Section, testsOf } from '../claims/index.ts'
import { didYouMean } from '../litmus/diagnostic.ts'
import { claimsMarkdown, decisionInWords, renderClaims, type SectionReport } from '../report/claims.ts'
import { count } from '../report/words.ts'
import { addLimits, jobsOf, jobsOption, type LimitOptions, limitsOf } from './choices.ts'
import { INTERRUPTED, Interruption, OK, SURPRISED, UsageError } from './exit.ts'
import { JobError, Pool } from './pool.ts'
import type { TestText } from './protocol.ts'
import { outputColour, outputWidth, ProgressLine, print } from './terminal.ts'
import { findTest, readable } from './tests.ts'

/** The claims that come with the package, and their tests. */
const CLAIMS = fileURLToPath(new URL('../claims', import.meta.url))

interface ClaimsOptions extends LimitOptions {
  readonly file?: readonly string[]
  readonly verbose?: true
  readonly markdown?: true
  readonly json?: true
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
  const sections = chosen(files.map(read), ids)
  const reports = await decideAll(sections, options)
  if (options.json) print(JSON.stringify(reports, null, 2))
  else if (options.markdown) print(claimsMarkdown(reports).trimEnd())
  else {
    const verbose = options.verbose === true
    print(renderClaims(reports, { width: outputWidth(), colour: outputColour(), verbose }))
    print(`\n${summary(reports)}`)
  }
  const all = reports.flatMap((section) => section.claims)
  process.exitCode = all.every(({ asExpected }) => asExpected) ? OK : SURPRISED
}

function filesOfPackage(): string[] {
  return readdirSync(CLAIMS)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(CLAIMS, name))
}

function read(file: string): Section {
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

async function decideAll(sections: readonly Section[], options: ClaimsOptions): Promise<SectionReport[]> {
  const progress = new ProgressLine()
  const total = sections.reduce((sum, section) => sum + section.claims.length, 0)
  let done = 0
  const pool = new Pool(jobsOf(options), () => progress.show(`${done} of ${total} claims`))
  const interrupt = (): void => {
    process.exitCode = INTERRUPTED
    pool.stop()
  }
  process.once('SIGINT', interrupt)
  try {
    return await Promise.all(
      sections.map(async (section) => ({
        ...section,
        claims: await Promise.all(
          section.claims.map(async (claim) => {
            const names = testsOf(claim)
            const tests = Object.fromEntries(names.map((name) => [name, testNamed(name, claim.id)]))
            const job = { claim, tests, limits: limitsOf(options), width: outputWidth() - 5 }
            const report = await pool.run('claim', job).catch((error: unknown) => {
              if (error instanceof JobError && error.fault === 'model') {
                throw new UsageError(`claim ${claim.id}: ${error.message}`)
              }
              throw error
            })
            done++
            return report
          }),
        ),
      })),
    )
  } catch (error) {
    if (process.exitCode === INTERRUPTED)
      throw new Interruption(`interrupted after ${done} of ${total} claims`)
    throw error
  } finally {
    process.off('SIGINT', interrupt)
    progress.clear()
    await pool.close()
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
    `${number('holds')} hold`,
    `${number('holds only if')} hold only under a condition`,
    `${number('refuted')} are refuted`,
  ]
  const total = all.length === 1 ? '1 claim' : `${all.length} claims: ${parts.join(', ')}`
  const counts = `${total}; ${count(states)} states.`
  if (surprises.length === 0) return counts
  const list = surprises.map(
    (claim) => `  ${claim.id}: ${decisionInWords(claim)}; expected: ${claim.expected}`,
  )
  return `${counts}\n${surprises.length} not as expected:\n${list.join('\n')}`
}
