/**
 * Merging of steps that nobody else can notice or disturb (`independence.ts`) with the step
 * before them: the states in between are neither kept nor branched from.
 *
 * Kept states are expanded in full, and between two of them lies a chain of bounded length, so
 * that no thread is put off for ever. Left out of chains, since what one looks at would be missed:
 *  - steps of daemons, which need not happen before a run is over;
 *  - the first step after rest, where there is an invariant for moments of rest;
 *  - steps that fail, lead to a broken memory, or can go in several ways;
 *  - steps that could hide that an invariant does not hold: those that change a location that
 *    it looks at, unless what it has looked at in the memory before the step is beyond the
 *    reach of the others. Then it holds in all that they can make of that memory, too.
 */
import type { ControlStates } from './control.ts'
import { DONE } from './control.ts'
import { LEAF, READ } from './decision.ts'
import { type Future, Independence, type Things } from './independence.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { grown } from './segments.ts'
import type { Memory } from './system.ts'

/** Longest chain. A longer one is cut, and the state there is kept. */
const MAX_CHAIN = 1_000

export class Merging {
  private readonly independence: Independence
  private readonly controlStates: readonly ControlStates[]
  /** What invariants had looked at when this round began, and what they have looked at by now. */
  private readonly watched: Int32Array
  private readonly looked: Int32Array
  /** For each thread and memory, one more than the number of what stands still in it; 0 where not looked at yet. */
  private readonly stillOf: Int32Array[]
  /** For each thread, by what stands still and then by control state. */
  private readonly futures: (Future | undefined)[][][]
  private readonly others: Future
  private readonly footprint: Int32Array
  /** The memory after the last step of `advance`. */
  memory = 0

  constructor(
    private readonly learned: Learned,
    private readonly memories: Memories,
    /** Whether an invariant is known to be broken in a memory. */
    private readonly isBroken: (memory: number) => boolean,
    private readonly things: Things | undefined,
    before: Merging | undefined,
  ) {
    this.independence = new Independence(learned, things)
    this.controlStates = learned.controls
    const { words } = this.independence
    this.looked = before?.looked.slice() ?? new Int32Array(words)
    this.watched = this.looked.slice()
    this.stillOf = learned.controls.map(() => new Int32Array(1 << 10))
    this.futures = learned.controls.map(() => [])
    this.others = { touched: new Int32Array(words), written: new Int32Array(words) }
    this.footprint = new Int32Array(words)
  }

  /** Whether all that was decided is still right after what has been learned since. */
  holds(): boolean {
    if (this.looked.some((word, i) => word !== this.watched[i])) return false
    return this.independence.agrees(new Independence(this.learned, this.things))
  }

  /**
   * Takes all steps that can be merged, from a state on.
   * @param controls the threads' control states; they are changed
   * @param mover the thread that is asked first
   * @param onStep told of each step
   * @returns how many steps; the memory after them is in `memory`
   */
  advance(
    memory: number,
    controls: Int32Array,
    mover: number,
    onStep?: (thread: number, control: number, memory: number) => void,
  ): number {
    this.memory = memory
    let last = mover
    for (let steps = 0; steps < MAX_CHAIN; steps++) {
      // The one that moved last comes first, then all the others in turn.
      let thread = last
      let leaf = this.mergeable(thread, controls)
      for (let other = 0; leaf === 0 && other < controls.length; other++) {
        if (other === last) continue
        thread = other
        leaf = this.mergeable(thread, controls)
      }
      if (leaf === 0) return steps
      onStep?.(thread, controls[thread]!, this.memory)
      const { code } = this.learned.trees
      this.memory = this.after(leaf)
      controls[thread] = code[leaf + 1]!
      last = thread
    }
    return MAX_CHAIN
  }

  /** A memory to be looked at by an invariant, which notes what is looked at. */
  reader(memory: number): Memory {
    const { looked, memories } = this
    return {
      get: (location) => {
        looked[location >> 5]! |= 1 << (location & 31)
        return memories.get(memory, location)
      },
    }
  }

  /** The leaf of a thread's pending operation if it can be merged in the present memory; else 0. */
  private mergeable(thread: number, controls: Int32Array): number {
    const control = controls[thread]!
    const { system, trees, roots } = this.learned
    if (control === DONE || system.threads[thread]!.daemon === true) return 0
    if (system.restInvariant !== undefined && this.controlStates[thread]!.atRest(control)) return 0
    const root = roots[thread]![control] ?? 0
    if (root === 0) return 0

    const { code } = trees
    const { footprint, memory } = this
    footprint.fill(0)
    let slot = root
    let leaf = 0
    while (leaf === 0) {
      const record = code[slot]!
      if (record === 0 || record >= this.independence.size) return 0
      if (code[record] === READ) {
        const location = code[record + 1]!
        footprint[location >> 5]! |= 1 << (location & 31)
        slot = record + 2 + this.memories.get(memory, location)
      } else if (code[record] === LEAF) leaf = record
      else return 0
    }

    const { touched, written } = this.whatOthersMay(thread, controls)
    for (let i = 0; i < footprint.length; i++) if ((footprint[i]! & written[i]!) !== 0) return 0
    let hidden = true
    for (let i = 0; i < code[leaf + 2]!; i++) {
      const location = code[leaf + 3 + 2 * i]!
      const bit = 1 << (location & 31)
      if ((touched[location >> 5]! & bit) !== 0) return 0
      if ((this.watched[location >> 5]! & bit) !== 0) hidden = false
    }
    if (!hidden && !this.invariantStands(written)) return 0
    return this.isBroken(this.after(leaf)) ? 0 : leaf
  }

  /** What the other threads may touch and write while this one stands still. */
  private whatOthersMay(thread: number, controls: Int32Array): Future {
    const { others } = this
    others.touched.fill(0)
    others.written.fill(0)
    const still = this.stillIn(thread)
    for (let other = 0; other < controls.length; other++) {
      const control = controls[other]!
      if (other === thread || control === DONE) continue
      const futures = this.futures[other]!
      futures[still] ??= []
      futures[still][control] ??= this.independence.future(other, control, still)
      const future = futures[still][control]
      for (let i = 0; i < others.touched.length; i++) {
        others.touched[i]! |= future.touched[i]!
        others.written[i]! |= future.written[i]!
      }
    }
    return others
  }

  private stillIn(thread: number): number {
    const { memory } = this
    let numbers = this.stillOf[thread]!
    if (memory >= numbers.length) {
      numbers = grown(numbers, memory)
      this.stillOf[thread] = numbers
    }
    if (numbers[memory] === 0) {
      numbers[memory] =
        1 + this.independence.standingStill(thread, (location) => this.memories.get(memory, location))
    }
    return numbers[memory]! - 1
  }

  /** Whether the invariant holds in the present memory because of locations that the others do not write. */
  private invariantStands(written: Int32Array): boolean {
    let within = true
    const message = this.learned.system.invariant!({
      get: (location) => {
        if ((written[location >> 5]! & (1 << (location & 31))) !== 0) within = false
        return this.memories.get(this.memory, location)
      },
    })
    return message === undefined && within
  }

  private after(leaf: number): number {
    const { code } = this.learned.trees
    const writes = code[leaf + 2]!
    if (writes === 0) return this.memory
    return this.memories.internChanged(this.memory, code, leaf + 3, leaf + 3 + 2 * writes)
  }
}
