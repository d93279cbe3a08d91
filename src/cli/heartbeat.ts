/**
 * A few numbers that a worker and the main thread share, so that a worker that is busy, or
 * stuck, can still be watched, and told to stop.
 */
import type { Progress } from '../check/index.ts'
import type { Estimate } from '../engine/index.ts'

const BEAT = 0
const STOP = 1
const REPLAYING = 2
const NAME_LENGTH = 3
const STATES = 4
const DEPTH = 5
const FRONTIER = 6
/** How many states there may be, in hundreds, and how long the exploration has taken. */
const LOW = 7
const HIGH = 8
const MILLISECONDS = 9
const WORKERS = 10
const FORESEES = 11
const INTEGERS = 12

/** Longer names of procedures are cut. */
const NAME_CAPACITY = 100

/** In place of a procedure's name: what stands outside of functions in a design's file is running. */
export const LOADING = '(loading)'

export interface Pulse {
  /** Changes whenever the worker shows that it is alive. */
  readonly beat: number
  /** The generator that is running; undefined if none is. */
  readonly replaying: string | undefined
  readonly states: number
  readonly depth: number
  readonly frontier: number
  readonly milliseconds: number
  /** About how many states there will be, where there is a guess. */
  readonly expected: Estimate | undefined
}

/** Guesses are no more exact than that, and so fit into 32 bits. */
const UNIT = 100
/** Stands for a guess without an upper end, and is more than any exploration can hold. */
const MOST = 2 ** 36

function highOf(states: number): number {
  return states >= MOST ? Number.POSITIVE_INFINITY : states
}

/** Where there is no shared memory the worker has a copy: it is not watched, and not asked to stop, but it works. */
function room(): SharedArrayBuffer | ArrayBuffer {
  const bytes = 4 * INTEGERS + 2 * NAME_CAPACITY
  return typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
}

export class Heartbeat {
  private readonly integers: Int32Array
  private readonly name: Uint16Array
  private lastName = ''

  constructor(readonly buffer: SharedArrayBuffer | ArrayBuffer = room()) {
    this.integers = new Int32Array(buffer, 0, INTEGERS)
    this.name = new Uint16Array(buffer, 4 * INTEGERS, NAME_CAPACITY)
  }

  // ---- the worker's side ----

  /** A job begins. */
  reset(): void {
    for (const index of [REPLAYING, STATES, DEPTH, FRONTIER, LOW, HIGH, MILLISECONDS]) {
      Atomics.store(this.integers, index, 0)
    }
    Atomics.add(this.integers, BEAT, 1)
  }

  /** Foreign code is about to run, which may never come back. */
  enter(name: string): void {
    if (name !== this.lastName) {
      const length = Math.min(name.length, NAME_CAPACITY)
      for (let i = 0; i < length; i++) this.name[i] = name.charCodeAt(i)
      Atomics.store(this.integers, NAME_LENGTH, length)
      this.lastName = name
    }
    Atomics.store(this.integers, REPLAYING, 1)
    Atomics.add(this.integers, BEAT, 1)
  }

  /** It has come back. What the worker does now may take long, and is nobody's fault: a table that grows. */
  leave(): void {
    Atomics.store(this.integers, REPLAYING, 0)
    Atomics.add(this.integers, BEAT, 1)
  }

  progress({ states, depth, frontier, milliseconds, expected }: Progress): void {
    Atomics.store(this.integers, STATES, states)
    Atomics.store(this.integers, MILLISECONDS, milliseconds)
    Atomics.store(this.integers, LOW, Math.floor(Math.min(expected?.low ?? 0, MOST) / UNIT))
    Atomics.store(this.integers, HIGH, Math.ceil(Math.min(expected?.high ?? 0, MOST) / UNIT))
    Atomics.store(this.integers, DEPTH, depth)
    Atomics.store(this.integers, FRONTIER, frontier)
    Atomics.store(this.integers, REPLAYING, 0)
    Atomics.add(this.integers, BEAT, 1)
  }

  get stopped(): boolean {
    return Atomics.load(this.integers, STOP) === 1
  }

  /** How many threads explore one thing together. */
  get workers(): number {
    return Atomics.load(this.integers, WORKERS)
  }

  /** Whether somebody sees what is expected of an exploration. */
  get foresees(): boolean {
    return Atomics.load(this.integers, FORESEES) === 1
  }

  // ---- the main thread's side ----

  /** To be said before there is a job: a worker is made before anybody knows. */
  set workers(count: number) {
    Atomics.store(this.integers, WORKERS, count)
  }

  set foresees(foresees: boolean) {
    Atomics.store(this.integers, FORESEES, foresees ? 1 : 0)
  }

  stop(): void {
    Atomics.store(this.integers, STOP, 1)
  }

  read(): Pulse {
    const at = (index: number): number => Atomics.load(this.integers, index)
    return {
      beat: at(BEAT),
      replaying:
        at(REPLAYING) === 1 ? String.fromCharCode(...this.name.slice(0, at(NAME_LENGTH))) : undefined,
      states: at(STATES),
      depth: at(DEPTH),
      frontier: at(FRONTIER),
      milliseconds: at(MILLISECONDS),
      expected: at(HIGH) === 0 ? undefined : { low: at(LOW) * UNIT, high: highOf(at(HIGH) * UNIT) },
    }
  }
}
