/** A closed system: what the engine explores. */
import type { Layout } from './layout.ts'
import type { Plain, Procedure } from './operation.ts'

/** The values of the shared locations at one moment. */
export interface Memory {
  get(location: number): number
}

export interface ThreadSpec {
  readonly name: string
  readonly procedure: Procedure
  readonly args: readonly Plain[]
  /**
   * A daemon need not finish: a run is over when every other thread has ended, and a daemon
   * that waits is no deadlock. What it may still do after that is explored too.
   */
  readonly daemon?: boolean
}

export interface System<C = unknown> {
  /** Handed to every procedure and effect. Must not change during an exploration. */
  readonly context: C
  readonly layout: Layout
  readonly threads: readonly ThreadSpec[]
  /** Looked at in every reachable memory; a message means that it is broken. */
  readonly invariant?: (memory: Memory) => string | undefined
  /** As `invariant`, but only while no thread is inside a procedure that its root procedure called. */
  readonly restInvariant?: (memory: Memory) => string | undefined
  /** As `invariant`, but only when every thread except the daemons has ended. */
  readonly finalInvariant?: (memory: Memory) => string | undefined
}
