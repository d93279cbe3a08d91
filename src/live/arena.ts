/**
 * The memory that live threads share: one 32-bit word for each location of a layout, with what
 * makes steps on several of them atomic and lets threads wait for their change.
 *
 * Beside each location lie its *version*, which changes with every write and is odd while one
 * is under way, and its *waiters*, a bit for each thread that sleeps until it changes. Every thread has a
 * word to sleep at. `Transaction` writes them; nobody else does while threads run.
 */
import type { Memory } from '../engine/index.ts'

/** A bit for each thread in one word. */
export const MAX_THREADS = 31

/** How many words for the use of whoever runs the threads, behind those below. */
const OWN_CONTROL = 16

/** In `control`: threads that neither sleep nor have ended. */
export const RUNNING = 0
/** In `control`: not 0 once all threads are to stop at their next step. */
export const ABORT = 1
/** In `control`: the first of the words that the arena itself does not use. */
export const FIRST_OWN = 2

/** In `wake`: a thread is awake, or about to be. */
export const AWAKE = 0
export const ASLEEP = 1

/** How long a nap lasts, in milliseconds. */
const NAP_MS = 0.05

/** Words between the places at which two threads sleep, so that they are in different cache lines. */
const WAKE_STRIDE = 16

export class Arena implements Memory {
  /** Called in this thread again and again while it waits for others; may abort. */
  onWait: (() => void) | undefined
  readonly control: Int32Array
  readonly wake: Int32Array
  readonly value: Int32Array
  readonly version: Int32Array
  readonly waiters: Int32Array

  /**
   * @param size the number of locations
   * @param buffer what `Arena.bytes(size)` says, all zeros for a new arena, or the buffer of another thread's
   */
  constructor(
    readonly size: number,
    readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Arena.bytes(size)),
  ) {
    let at = 0
    const words = (length: number): Int32Array => {
      const array = new Int32Array(buffer, at * Int32Array.BYTES_PER_ELEMENT, length)
      at += length
      return array
    }
    this.control = words(FIRST_OWN + OWN_CONTROL)
    this.wake = words(MAX_THREADS * WAKE_STRIDE)
    this.value = words(size)
    this.version = words(size)
    this.waiters = words(size)
  }

  static bytes(size: number): number {
    return Int32Array.BYTES_PER_ELEMENT * (FIRST_OWN + OWN_CONTROL + MAX_THREADS * WAKE_STRIDE + 3 * size)
  }

  /** The value of a location now; two of them may belong to different moments. */
  get(location: number): number {
    return Atomics.load(this.value, location)
  }

  /** Sets all locations, while no thread runs. */
  reset(values: Int32Array): void {
    this.value.set(values)
    this.waiters.fill(0)
  }

  /** Lets others have the processor: whoever writes this location may have none just now. */
  nap(location: number): void {
    const { version } = this
    Atomics.wait(version, location, Atomics.load(version, location) | 1, NAP_MS)
    this.onWait?.()
  }

  /** Sends a sleeping thread on its way; tells whether it slept. */
  awaken(thread: number): boolean {
    const at = wakeWord(thread)
    if (Atomics.compareExchange(this.wake, at, ASLEEP, AWAKE) !== ASLEEP) return false
    Atomics.add(this.control, RUNNING, 1)
    Atomics.notify(this.wake, at)
    return true
  }

  /** Makes all threads stop: those that run at their next step, those that sleep now. */
  abort(): void {
    Atomics.store(this.control, ABORT, 1)
    for (let thread = 0; thread < MAX_THREADS; thread++) this.awaken(thread)
  }

  get aborted(): boolean {
    return Atomics.load(this.control, ABORT) !== 0
  }
}

/** Whether this thread may wait: a page's main thread may not. */
export function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 1, 0)
    return true
  } catch {
    return false
  }
}

/** Where in `wake` a thread sleeps. */
export function wakeWord(thread: number): number {
  return thread * WAKE_STRIDE
}
