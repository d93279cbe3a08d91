/** What the commands that do one job for each of many things have in common. */

import { Interruption, UsageError } from './exit.ts'
import { interruptible } from './interruptible.ts'
import { Pool } from './pool.ts'
import type { TestText } from './protocol.ts'
import type { WorkerProgram } from './standby.ts'
import { complain, ProgressLine } from './terminal.ts'
import { pathsOf, readTests, SUITE } from './tests.ts'

interface NamedTest extends TestText {
  readonly name: string
}

/**
 * The tests of some files and folders, or of the suite.
 * @throws UsageError if one cannot be read: a survey of the others would claim too much
 */
export function testsToSurvey(paths: readonly string[]): NamedTest[] {
  const { tests, errors, warnings } = readTests(paths.length === 0 ? [SUITE] : pathsOf(paths))
  for (const text of warnings) complain(text)
  if (errors.length > 0) throw new UsageError(errors.join('\n'))
  return tests.map(({ file, text, test }) => ({ file, text, name: test.name }))
}

export interface Survey<S, T> {
  /** For each subject of which anything was found. */
  readonly found: readonly { readonly subject: S; readonly result: T }[]
  /** Said of a survey that was interrupted. */
  readonly interruption: string | undefined
}

export interface SurveyOptions {
  /** What the subjects are called. */
  readonly what: string
  /** Jobs at the same time. */
  readonly jobs: number
  readonly program?: WorkerProgram
  /** What is said of a part of the survey; undefined if that is of no use. */
  readonly part?: string | undefined
}

/** What most surveys say of a part. */
export const PART = 'this is what was found until then'

/**
 * Does one job for each subject, several at a time.
 * @param job comes back with null if it was interrupted and found nothing
 * @throws UsageError if a job cannot be done, Interruption on Ctrl-C if nothing of use was found until then
 */
export async function survey<S, T extends object>(
  subjects: readonly S[],
  { what, jobs, program = 'worker', part }: SurveyOptions,
  job: (pool: Pool, subject: S) => Promise<T | null>,
): Promise<Survey<S, T>> {
  const progress = new ProgressLine()
  // One of them may be none: what no design calls.
  const total = subjects.filter((subject) => subject !== undefined).length
  let done = 0
  const pool = new Pool(jobs, () => progress.show(`${done} of ${total} ${what}`), { program })
  const interruption = (): string => `interrupted after ${done} of ${total} ${what}`
  return interruptible(
    pool,
    progress,
    async (isInterrupted) => {
      const results = await Promise.all(
        subjects.map(async (subject) => {
          try {
            const result = await job(pool, subject)
            if (result === null) return []
            if (!isPartial(result) && subject !== undefined) done++
            return [{ subject, result }]
          } catch (error) {
            // What was found of others is not to be lost.
            if (isInterrupted()) return []
            throw error
          }
        }),
      )
      const found = results.flat()
      if (!isInterrupted()) return { found, interruption: undefined }
      if (found.length === 0 || part === undefined) throw new Interruption(interruption())
      return { found, interruption: `${interruption()}: ${part}` }
    },
    { interruption, failure: (message) => message },
  )
}

/** Whether a job says of what it has found that it is less than was asked for. */
function isPartial(result: object): boolean {
  return 'interrupted' in result && result.interrupted === true
}
