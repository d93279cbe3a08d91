/** Ctrl-C while a pool is at work: the first one stops its jobs where they are, a second one ends the process. */
import { INTERRUPTED, Interruption, UsageError } from './exit.ts'
import { JobError, type Pool } from './pool.ts'
import { endImpatiently } from './signals.ts'
import type { ProgressLine } from './terminal.ts'

export interface InterruptOptions {
  /** What counts as Ctrl-C. */
  readonly signals?: readonly NodeJS.Signals[]
  /** Stops whatever else is at work. */
  readonly onInterrupt?: () => void
}

/**
 * Does something with a pool, which is closed afterwards.
 * @param work is told by a function whether it was interrupted: jobs then come back with less than was asked for
 * @param explain what is said of an interruption, and of a job that could not be done
 * @throws Interruption, UsageError
 */
export async function interruptible<T>(
  pool: Pool,
  progress: ProgressLine,
  work: (isInterrupted: () => boolean) => Promise<T>,
  explain: { readonly interruption: () => string; readonly failure: (message: string) => string },
  { signals = ['SIGINT'], onInterrupt }: InterruptOptions = {},
): Promise<T> {
  let interrupted = false
  const interrupt = (): void => {
    if (interrupted) endImpatiently()
    interrupted = true
    process.exitCode = INTERRUPTED
    pool.stop()
    onInterrupt?.()
  }
  for (const signal of signals) process.on(signal, interrupt)
  try {
    return await work(() => interrupted)
  } catch (error) {
    if (interrupted) throw error instanceof Interruption ? error : new Interruption(explain.interruption())
    if (error instanceof JobError && error.fault !== 'internal') {
      throw new UsageError(explain.failure(error.message))
    }
    throw error
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
    progress.clear()
    await pool.close()
  }
}
