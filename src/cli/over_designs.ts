/** What the commands that survey many tests under each of several designs have in common. */

import { Interruption, UsageError } from './exit.ts'
import { interruptible } from './interruptible.ts'
import { Pool } from './pool.ts'
import type { TestText } from './protocol.ts'
import type { WorkerProgram } from './standby.ts'
import { complain, ProgressLine } from './terminal.ts'
import { readTests, SUITE } from './tests.ts'

/**
 * The tests of some files and folders, or of the suite.
 * @throws UsageError if one cannot be read: a survey of the others would claim too much
 */
export function testsToSurvey(paths: readonly string[]): TestText[] {
  const { tests, errors, warnings } = readTests(paths.length === 0 ? [SUITE] : paths)
  for (const text of warnings) complain(text)
  if (errors.length > 0) throw new UsageError(errors.join('\n'))
  return tests.map(({ file, text }) => ({ file, text }))
}

/**
 * Does one job for each design, several at a time.
 * @throws UsageError if a design cannot be explored, Interruption on Ctrl-C
 */
export async function overDesigns<S, T>(
  sources: readonly S[],
  jobs: number,
  program: WorkerProgram,
  job: (pool: Pool, source: S) => Promise<T>,
): Promise<{ readonly source: S; readonly result: T }[]> {
  const progress = new ProgressLine()
  let done = 0
  const pool = new Pool(jobs, () => progress.show(`${done} of ${sources.length} designs`), { program })
  const interruption = (): string => `interrupted after ${done} of ${sources.length} designs`
  return interruptible(
    pool,
    progress,
    async (isInterrupted) => {
      const results = await Promise.all(
        sources.map(async (source) => {
          const result = await job(pool, source)
          done++
          return { source, result }
        }),
      )
      if (isInterrupted()) throw new Interruption(interruption())
      return results
    },
    { interruption, failure: (message) => message },
  )
}
