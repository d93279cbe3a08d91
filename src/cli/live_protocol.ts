/** What the main thread asks of the workers that run a test live, and what they answer. */
import type { DesignSource, TestText, WorkerFailure } from './protocol.ts'

/** A test under a design, and the seed of everything random in its runs. */
export interface LiveJob {
  readonly test: TestText
  readonly design: DesignSource
  readonly seed: number
}

export type LiveRequest =
  /** Make an arena for so many runs, and begin the first. */
  | { readonly kind: 'begin'; readonly job: LiveJob; readonly runs: number }
  /** Take the part of one thread in all runs. */
  | {
      readonly kind: 'take'
      readonly job: LiveJob
      readonly buffer: SharedArrayBuffer
      readonly thread: number
    }

export type LiveReply =
  | {
      readonly kind: 'begun'
      readonly buffer: SharedArrayBuffer
      readonly locations: number
      readonly threads: number
    }
  | { readonly kind: 'taken'; readonly tally: TallyEntries }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure }

/** How often each outcome and each failure was seen. */
export interface TallyEntries {
  readonly outcomes: readonly (readonly [key: string, count: number])[]
  readonly failures: readonly (readonly [message: string, count: number])[]
}
