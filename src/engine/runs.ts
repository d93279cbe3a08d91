/**
 * Runs by their steps alone, as a tree: what runs have in common is kept once. A run is the place
 * where it ends; 0 is the beginning. Since a thread's ways have an order that does not depend on
 * who explores, any search of the same system can follow them.
 */
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { Run } from './run.ts'
import { Stepper } from './stepper.ts'

/** Bytes of a place: three numbers in three arrays. */
const PLACE_BYTES = 3 * 8

export class Runs {
  /** For each place the one before it, and the step in between: a thread, and which of its ways. */
  private readonly before = [0]
  private readonly threads = [0]
  private readonly ways = [0]

  /** The place after a step. */
  add(before: number, thread: number, way: number): number {
    this.before.push(before)
    this.threads.push(thread)
    return this.ways.push(way) - 1
  }

  /** The run to a place, state by state. */
  runTo(place: number, learned: Learned, memories: Memories): Run {
    const path: number[] = []
    for (let at = place; at !== 0; at = this.before[at]!) path.push(at)
    const stepper = new Stepper(learned, memories)
    const run = new Run(learned, memories)
    for (const at of path.reverse()) {
      const thread = this.threads[at]!
      const way = this.ways[at]!
      const last = run.count - 1
      stepper.step(thread, run.controlOf(last, thread), run.memoryOf(last))
      run.append(thread, stepper.memories[way]!, stepper.controls[way]!)
    }
    return run
  }

  get byteLength(): number {
    return PLACE_BYTES * this.before.length
  }
}

/**
 * What there is to know of states along their runs; of a state on the way to several, once.
 * @param beginning of the initial state
 * @param follow from what is known of a state to that of one that was reached from it
 */
export function alongRuns<T>(
  parentOf: (state: number) => number,
  beginning: T,
  follow: (known: T, from: number, to: number) => T,
): (state: number) => T {
  const known = new Map([[0, beginning]])
  return (state) => {
    const path: number[] = []
    let at = state
    for (; !known.has(at); at = parentOf(at)) path.push(at)
    for (const next of path.reverse()) {
      known.set(next, follow(known.get(at)!, at, next))
      at = next
    }
    return known.get(state)!
  }
}
