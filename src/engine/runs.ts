/**
 * Runs by their steps alone, as a tree: what runs have in common is kept once. A run is the place
 * where it ends; 0 is the beginning. Since a thread's ways have an order that does not depend on
 * who explores, any search of the same system can follow them.
 */
import { DONE } from './control.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { Run } from './run.ts'
import type { States } from './search.ts'
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

/** The thread that leads from a state to the next, and by which of its ways, in the stepper's order. */
export function wayBetween(search: States, stepper: Stepper, from: number, to: number): [number, number] {
  const threads = search.learned.controls.length
  for (let thread = 0; thread < threads; thread++) {
    const control = search.controlOf(from, thread)
    if (control === DONE) continue
    let others = true
    for (let other = 0; other < threads && others; other++) {
      others = other === thread || search.controlOf(from, other) === search.controlOf(to, other)
    }
    if (!others) continue
    const found = stepper.step(thread, control, search.memoryOf(from))
    for (let way = 0; way < found; way++) {
      if (stepper.controls[way] !== search.controlOf(to, thread)) continue
      if (stepper.memories[way] === search.memoryOf(to)) return [thread, way]
    }
  }
  throw new Error(`state ${to} is no successor of state ${from}`)
}
