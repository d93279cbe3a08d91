/**
 * A search: something that looks at the states of a system and numbers those that it meets,
 * so that runs can be told afterwards. How it goes about it is its own affair.
 */
import type { Estimate } from './estimate.ts'
import type { Exploration } from './exploration.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import type { System } from './system.ts'

/** States by number, each with the one it was reached from: what runs are read off. */
export interface States {
  readonly learned: Learned
  readonly memories: Memories
  /** How many numbers there are: 0 is the initial state. */
  readonly count: number
  /** The number of the memory of a state. */
  memoryOf(state: number): number
  /** The control state of a thread in a state. */
  controlOf(state: number, thread: number): number
  /** The state from which it was reached, one step before; the initial state has itself. */
  parentOf(state: number): number
  /**
   * Where states are not kept as they ran: the run to one of them as it ran, from the initial state
   * to that one, which is the last. Also to those below 0, of which nothing else is known.
   */
  concrete?(state: number): States | undefined
}

export interface Search extends States {
  readonly system: System
  /**
   * Searches for at most `budget` milliseconds.
   * @returns whether the search is over: complete, or at a bound
   * @throws ModelError if the system cannot be explored
   */
  run(budget?: number): boolean
  /** Ends the search where it is. Whoever does not want to see its end calls this, if it is there. */
  stop?(): void
  /** What is known so far. Before the end, the bound is `interrupted`. */
  result(): Exploration
  /** About how many states there are in all, as what was found tells; undefined if it is too early to say. */
  guessStates?(): Estimate | undefined
  /** How often a thread that could go on is interrupted in the run to a state, where that is known. */
  preemptionsOf?(state: number): number
}
