/**
 * The steps of the states of one level of a breadth-first search: for each state and thread the
 * leaves of the pending operation, and the states that they lead to.
 *
 * A step is an index. The steps of a state follow each other, thread by thread. How many are kept
 * is bounded; of a state whose steps are not kept nothing else follows than that.
 */
import { allocate, grown } from './segments.ts'

/** Most states of a level whose steps are kept. */
const MOST_STATES = 2 ** 20
/** Most steps of a level that are kept. */
export const MOST_STEPS = 2 ** 22
/** Levels of which steps are kept: the one before, the one that is expanded, and what is known of the next. */
export const LEVELS = 3

// Where a step leads, if not to a state with a number.
export const NOWHERE = -1
/** To a state that waits to be looked up. */
export const WAITING = -2

/** The arrays of `LevelSteps`, for several threads; they do not grow. */
export interface SharedSteps {
  readonly firsts: SharedArrayBuffer
  readonly arrivals: SharedArrayBuffer
  readonly leaves: SharedArrayBuffer
  readonly targets: SharedArrayBuffer
}

/**
 * Reserves room for the steps of three levels in turn, for all threads that explore together.
 * @param bytes that it may take at most
 * @returns undefined if there is no room: then none are kept
 */
export function reserveSteps(
  threads: number,
  mostStates: number,
  bytes: number,
): readonly SharedSteps[] | undefined {
  const states = Math.min(mostStates, MOST_STATES, Math.floor(bytes / (8 * LEVELS * (threads + 2))))
  const steps = Math.min(MOST_STEPS, Math.floor(bytes / (16 * LEVELS)))
  try {
    return Array.from({ length: LEVELS }, () => ({
      firsts: new SharedArrayBuffer(4 * (threads + 1) * states),
      arrivals: new SharedArrayBuffer(4 * states),
      leaves: new SharedArrayBuffer(4 * steps),
      targets: new SharedArrayBuffer(4 * steps),
    }))
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

/** Which level an exploration comes to. */
export interface LevelToCome {
  /** Steps from the initial state. */
  readonly depth: number
  /** The first state of the level before, of the level, and of the next one. */
  readonly before: number
  readonly begin: number
  readonly end: number
  /** Whether steps of the level before have been kept, and of this one are. All threads of an exploration agree. */
  readonly keptBefore: boolean
  readonly keeps: boolean
}

export class LevelSteps {
  /** The first state of the level. */
  begin = 0
  /** By state: where the steps of each thread begin, and where the last ones end; the first is -1 if they are not kept. */
  firsts: Int32Array
  /** By state: the step of the level before by which it was found. */
  arrivals: Int32Array
  /** By step: its leaf (`decision.ts`), and the state to which it leads. */
  leaves: Int32Array
  targets: Int32Array
  /** From the firsts of a state to those of the next. */
  private readonly stride: number
  private mostStates = 0
  private mostSteps = 0

  /** @param threads of the system that is explored */
  constructor(
    threads: number,
    private readonly shared?: SharedSteps,
  ) {
    this.stride = threads + 1
    this.firsts = shared === undefined ? allocate(64 * this.stride) : new Int32Array(shared.firsts)
    this.arrivals = shared === undefined ? allocate(64) : new Int32Array(shared.arrivals)
    this.leaves = shared === undefined ? allocate(256) : new Int32Array(shared.leaves)
    this.targets = shared === undefined ? allocate(256) : new Int32Array(shared.targets)
  }

  /** Where in `firsts` there is room for a state of the level; -1 if there is none. */
  roomFor(state: number): number {
    const at = state - this.begin
    const place = at * this.stride
    if (place + this.stride > this.firsts.length) {
      if (this.shared !== undefined || at >= MOST_STATES) return -1
      this.firsts = grown(this.firsts, place + this.stride)
    }
    return place
  }

  /**
   * Where in `firsts` a state is; -1 if its steps are not kept.
   * @param state of an earlier level, or one of this that has been expanded
   */
  placeOf(state: number): number {
    const at = state - this.begin
    const place = at * this.stride
    return at >= 0 && place + this.stride <= this.firsts.length && this.firsts[place]! >= 0 ? place : -1
  }

  /** Notes by which step a state of the level was found. */
  arrive(state: number, step: number): void {
    const at = state - this.begin
    if (at >= this.arrivals.length) {
      if (this.shared !== undefined || at >= MOST_STATES) return
      this.arrivals = grown(this.arrivals, at)
    }
    this.arrivals[at] = step
  }

  /** By which step a state of the level was found, if the one before it has its steps kept; -1 if that is not kept. */
  arrivalOf(state: number): number {
    const at = state - this.begin
    return at < this.arrivals.length ? this.arrivals[at]! : -1
  }

  /** Whether there is room for steps up to that one. */
  hasRoom(step: number): boolean {
    if (step < this.leaves.length) return true
    if (this.shared !== undefined) return false
    this.leaves = grown(this.leaves, step)
    this.targets = grown(this.targets, step)
    return true
  }

  /** So many states of a level have had their steps kept, so many by this thread. */
  touch(states: number, steps: number): void {
    this.mostStates = Math.max(this.mostStates, Math.min(states, MOST_STATES))
    this.mostSteps = Math.max(this.mostSteps, steps)
  }

  /**
   * Bytes that have been written to; what there is room for beyond that costs nothing.
   * @param hands that explore: others keep about as many steps as this thread
   */
  bytesOf(hands: number): number {
    return 4 * ((this.stride + 1) * this.mostStates + 2 * this.mostSteps * hands)
  }
}
