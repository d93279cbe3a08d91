/** What is asked of a search and what it answers: modes, limits, bounds, findings. */
import type { AutomatonLimits } from './automaton.ts'

/**
 * In which order, and how much, is looked at.
 *
 * - `breadth-first`: every state, each by a shortest run.
 * - `hash-compaction`: the same, but remembering of each state only a fingerprint.
 * - `depth-first`: every state, each by the run that came first.
 * - `random`: so many runs, in each of which chance decides who goes on and how.
 * - `preemptions`: all runs in which a thread that could go on is interrupted at most so often.
 */
export type SearchMode =
  | {
      readonly mode: 'breadth-first'
      /** None by default. `auto`: all, but only if there are many states without, or memory is short. */
      readonly reductions?: readonly Reduction[] | 'auto'
    }
  | { readonly mode: 'hash-compaction' }
  | { readonly mode: 'depth-first' }
  | {
      readonly mode: 'random'
      /** The same seed gives the same runs: a whole number from 0 to 2^32 - 1. */
      readonly seed: number
      /** How many runs, from 1 up. */
      readonly runs: number
      /** Most steps of one run, from 1 up. */
      readonly steps: number
    }
  | {
      readonly mode: 'preemptions'
      /** From 0 up. */
      readonly most: number
    }

/** Seeds are whole numbers from 0 up to this. */
export const MAX_SEED = 2 ** 32 - 1

/** How a search was made, and how far it came. */
export type Coverage =
  | {
      readonly mode: 'breadth-first'
      /** Those that were made; none if it is missing. */
      readonly reductions?: readonly Reduction[]
    }
  | {
      readonly mode: 'hash-compaction'
      /** That a state was missed: at most this, 0 to 1. */
      readonly chance: number
    }
  | { readonly mode: 'depth-first' }
  | {
      readonly mode: 'random'
      readonly seed: number
      readonly steps: number
      /** Runs that were made, also those cut off at `steps`, and how many of them were. */
      readonly runs: number
      readonly cut: number
    }
  | {
      readonly mode: 'preemptions'
      readonly most: number
      /** All runs with so many preemptions were looked at; -1 if not even all those with none. */
      readonly complete: number
    }

/**
 * What is left out, without changing what can happen:
 *
 * - `merging`: states between a step and a later one of the same run that nobody else can notice.
 * - `symmetry`: states that differ only in how interchangeable things are numbered.
 */
export type Reduction = (typeof REDUCTIONS)[number]
export const REDUCTIONS = ['merging', 'symmetry'] as const

/** What ended an exploration early, if anything did; the last two are how a mode is meant to end. */
export type Bound = 'states' | 'depth' | 'memory' | 'time' | 'interrupted' | 'runs' | 'preemptions'

export interface ExploreLimits {
  /** Most states, 1 to 2^28. */
  readonly states?: number
  /** States that are more steps away than this are found, but not looked into; from 0. */
  readonly depth?: number
  /** Most bytes of engine data, from 0. An allocation that fails before that ends an exploration alike. */
  readonly bytes?: number
  /** Most milliseconds, from 0. */
  readonly milliseconds?: number
  readonly automaton?: AutomatonLimits
}

export const DEFAULT_LIMITS = {
  states: 20_000_000,
  depth: 100_000,
  bytes: 2 ** 31,
  milliseconds: Number.POSITIVE_INFINITY,
} as const

/** The highest limit of states: the entries of tables have no room for much larger numbers (`hash.ts`). */
export const MAX_STATES = 2 ** 28

/** @throws RangeError if a limit is none */
export function checkLimits(limits: ExploreLimits): void {
  const { states, depth, bytes, milliseconds } = { ...DEFAULT_LIMITS, ...limits }
  if (!(Number.isInteger(states) && states >= 1 && states <= MAX_STATES)) {
    throw new RangeError(`a limit of ${states} states is not within 1..${MAX_STATES}`)
  }
  for (const [name, limit] of Object.entries({ depth, bytes, milliseconds })) {
    if (!(limit >= 0)) throw new RangeError(`the limit ${name}, ${limit}, is no number from 0 up`)
  }
}

export type FailureKind = 'failure' | 'invariant' | 'deadlock'

/** The first run found that goes wrong in one particular way. */
export interface FailedRun {
  readonly kind: FailureKind
  readonly message: string
  /** The last state before it goes wrong; below 0 if an earlier search has found it that was given up. */
  readonly state: number
  /** The step that makes it wrong, where it is a step and not the state itself. */
  readonly step: { readonly thread: number; readonly alternative: number } | undefined
}

/** A memory in which a run can end, and the first state that has it, numbered as in `FailedRun`. */
export interface FinalMemory {
  readonly bytes: Uint8Array
  readonly state: number
}

/** A level of a breadth-first search. */
export interface Level {
  /** Steps from the initial state. */
  readonly depth: number
  /** How many states it has, and how many it and all before it have. */
  readonly last: number
  readonly upTo: number
}

export interface Exploration {
  readonly search: Coverage
  /** Different states that were found. */
  readonly states: number
  readonly transitions: number
  readonly memories: number
  /** Steps of the longest run by which a state was found that was looked into. */
  readonly depth: number
  /** Of a breadth-first search: the last level, states that are equally far away, which was found whole. */
  readonly level?: Level
  /** States found but not looked at yet: 0 unless bounded. */
  readonly frontier: number
  readonly milliseconds: number
  /** Bytes of engine data that grow with the number of states. */
  readonly bytes: number
  /** Undefined means exhaustive. */
  readonly bounded: Bound | undefined
  readonly finals: readonly FinalMemory[]
  readonly failures: readonly FailedRun[]
}
