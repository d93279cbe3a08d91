/**
 * Merging of steps that nobody else can notice or disturb (`independence.ts`) with the step
 * before them: the states in between are neither kept nor branched from.
 *
 * Kept states are expanded in full, and between two of them lies a chain of bounded length, so
 * that no thread is put off for ever. A chain that comes back to where it was goes on in a circle, of which
 * one and the same state is kept wherever it is entered. Left out of chains, since what one looks at would be missed:
 *  - steps of daemons, which need not happen before a run is over;
 *  - the first step after rest, where there is an invariant for moments of rest;
 *  - steps that fail, lead to a broken memory, or can go in several ways;
 *  - steps that could hide that an invariant does not hold: those that change a location that
 *    it looks at, unless what it has looked at in the memory before the step is beyond the
 *    reach of the others. Then it holds in all that they can make of that memory, too. But it need not hold in
 *    what they make of the memory after the step; so once it is known to be broken somewhere, none of these.
 */
import type { ControlStates } from './control.ts'
import { DONE } from './control.ts'
import { LEAF, READ } from './decision.ts'
import { type Future, Independence, NO_THINGS, type Things } from './independence.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { Numbered } from './numbered.ts'
import { grown } from './segments.ts'
import type { Memory } from './system.ts'
import { Tuples } from './tuples.ts'

/** Longest chain. A longer one is cut, and the state there is kept. */
const MAX_CHAIN = 100_000

/** Steps before a chain is suspected of going on in a circle; and no memory. */
const FIRST_MARK = 16
const NOWHERE = -1

/** What a way through an operation, which its leaf stands for, reads or writes, and what it writes: bit sets of locations. */
interface Footprint {
  readonly number: number
  readonly touches: Int32Array
  readonly writes: Int32Array
  /** Whether it writes nothing that an invariant has looked at. */
  readonly hidden: boolean
  /** By the number of a future: whether the two get in each other's way. */
  conflicts: Uint8Array
}

/** A thread, what stands still, twice a footprint's number, and another thread with its control state. */
type Entry = [number, number, number, number]

/** A step: its thread, where that is, and the memory before it. */
type OnStep = (thread: number, control: number, memory: number) => void
const NOTHING: OnStep = () => undefined

const UNKNOWN = 0
const APART = 1
const CONFLICT = 2

export class Merging {
  private readonly independence: Independence
  private readonly controlStates: readonly ControlStates[]
  /** What invariants had looked at when this round began, and what they have looked at by now. */
  private readonly watched: Int32Array
  private readonly looked: Int32Array
  /**
   * What steps were merged for: a thread, what stood still, the number of its footprint and whether the
   * invariant had to be looked at; and, of each other thread, its number and control state.
   */
  private readonly merged = new Tuples(4)
  private readonly entry = new Int32Array(4)
  /** For each thread and memory, one more than the number of what stands still in it; 0 where not looked at yet. */
  private readonly stillOf: Int32Array[]
  private readonly futures = new Numbered<Future>()
  /** For each thread, by what stands still and then by control state, the number of its future. */
  private readonly futuresOf: number[][][]
  private readonly footprints: Footprint[] = []
  /** By the record of a leaf, one more than the number of its footprint; 0 where not looked at yet. */
  private readonly footprintNumbers: Int32Array
  /** The memory after the last step of `advance`. */
  memory = 0
  /** Who moved in `advance`, step by step. */
  readonly movers: number[] = []
  /** The control states where a chain begins, and at a mark on it. */
  private readonly begin: Int32Array
  private readonly mark: Int32Array

  constructor(
    private readonly learned: Learned,
    private readonly memories: Memories,
    /** Whether an invariant is known to be broken in a memory. */
    private readonly isBroken: (memory: number) => boolean,
    private readonly things: Things = NO_THINGS,
    before?: Merging,
    /** Whether no step is merged that changes what the invariant looks at, wherever it holds. */
    private readonly onlyHidden = false,
  ) {
    this.independence = new Independence(learned, things)
    this.controlStates = learned.controls
    this.begin = new Int32Array(learned.controls.length)
    this.mark = new Int32Array(learned.controls.length)
    const { words } = this.independence
    this.looked = before?.looked.slice() ?? new Int32Array(words)
    this.watched = this.looked.slice()
    this.stillOf = learned.controls.map(() => new Int32Array(1 << 10))
    this.footprintNumbers = new Int32Array(this.independence.size)
    this.futuresOf = learned.controls.map(() => [])
  }

  /** Whether a later one would know nothing else. */
  isUpToDate(broken: boolean): boolean {
    return this.growth === 1 && isSame(this.looked, this.watched) && broken === this.onlyHidden
  }

  /** How much more there is known by now, as a factor. */
  get growth(): number {
    return this.learned.trees.size / this.independence.size
  }

  /**
   * By what has been learned since.
   * @param broken whether the invariant is known not to hold in some memory: a run that would go on after
   *   a step that was brought forward may then be cut off there
   */
  later(broken: boolean): Merging {
    return new Merging(this.learned, this.memories, this.isBroken, this.things, this, broken)
  }

  /**
   * Whether every step that was merged may still be, by what a later one knows. That others could
   * have been merged, too, does no harm.
   */
  isRightAfter(later: Merging): boolean {
    const { merged } = this
    for (let n = 0; n < merged.count; n++) {
      const [thread, still, packed, other] = [0, 1, 2, 3].map((i) => merged.word(n, i)) as Entry
      const footprint = this.footprints[packed >> 1]!
      const before = this.futures.list[this.futureOf(other >>> 16, still, other & 0xffff)]!
      const stillNow = later.independence.stillAfter(this.independence, thread, still)
      const now = later.futures.list[later.futureOf(other >>> 16, stillNow, other & 0xffff)]!
      if (!areApart(footprint, now)) return false
      const looked = (packed & 1) === 1
      if (looked && later.onlyHidden) return false
      if (looked ? !isSame(now.written, before.written) : !isApart(footprint.writes, later.watched))
        return false
    }
    return true
  }

  /**
   * Takes all steps that can be merged, from a state on; who moved is in `movers`, and the memory
   * after them in `memory`.
   * @param controls the threads' control states; they are changed
   * @param mover the thread that is asked first
   * @param onStep told of each step before it is taken, perhaps more than once
   * @returns how many steps
   */
  advance(memory: number, controls: Int32Array, mover: number, onStep: OnStep = NOTHING): number {
    const { movers, begin, mark } = this
    movers.length = 0
    this.memory = memory
    begin.set(controls)
    let last = mover
    // A circle is noticed by coming back to a mark, which is moved on after 16, 32, 64 steps and so on (Brent).
    let marked = NOWHERE
    let markedLast = last
    let moveMark = FIRST_MARK
    while (movers.length < MAX_CHAIN) {
      const next = this.moveOn(controls, last, onStep)
      if (next < 0) return movers.length
      last = next
      movers.push(last)
      if (this.memory === marked && last === markedLast && isSame(controls, mark)) {
        return this.enterCircle(memory, controls, mover, last)
      }
      if (movers.length === moveMark) {
        moveMark *= 2
        marked = this.memory
        markedLast = last
        mark.set(controls)
      }
    }
    return MAX_CHAIN
  }

  /** Takes a step that can be merged, and returns whose it was; below 0 if there is none. */
  private moveOn(controls: Int32Array, last: number, onStep: OnStep = NOTHING): number {
    // The one that moved last comes first, then all the others in turn.
    let thread = last
    let leaf = this.mergeable(thread, controls)
    for (let other = 0; leaf === 0 && other < controls.length; other++) {
      if (other === last) continue
      thread = other
      leaf = this.mergeable(thread, controls)
    }
    if (leaf === 0) return -1
    onStep(thread, controls[thread]!, this.memory)
    this.memory = this.memories.after(this.memory, this.learned.trees.code, leaf)
    controls[thread] = this.learned.trees.code[leaf + 1]!
    return thread
  }

  /**
   * From the beginning of a chain goes to the first state of a circle in an order that is the same
   * wherever the circle is entered, and whatever the other threads have done.
   * @param controls those of a state on the circle; they are changed
   * @param last the thread that moved before it
   */
  private enterCircle(memory: number, controls: Int32Array, mover: number, last: number): number {
    const { movers, begin, mark } = this
    const round = this.memory
    const first = controls.slice()
    let firstMemory = round
    let thread = last
    do {
      thread = this.moveOn(controls, thread)
      if (this.isBefore(controls, firstMemory, first)) {
        firstMemory = this.memory
        first.set(controls)
      }
    } while (this.memory !== round || thread !== last || !isSame(controls, mark))

    movers.length = 0
    this.memory = memory
    controls.set(begin)
    thread = mover
    while (this.memory !== firstMemory || !isSame(controls, first)) {
      thread = this.moveOn(controls, thread)
      movers.push(thread)
    }
    return movers.length
  }

  /** Whether the present memory, with these control states, comes before another one with others. */
  private isBefore(controls: Int32Array, memory: number, others: Int32Array): boolean {
    for (let thread = 0; thread < controls.length; thread++) {
      if (controls[thread] !== others[thread]) return controls[thread]! < others[thread]!
    }
    // Not by the numbers of memories, in which other threads' locations have a part.
    const locations = this.learned.system.layout.locations.length
    for (let location = 0; location < locations; location++) {
      const value = this.memories.get(this.memory, location)
      const other = this.memories.get(memory, location)
      if (value !== other) return value < other
    }
    return false
  }

  /** A memory to be looked at by an invariant, which notes what is looked at. */
  reader(memory: number): Memory {
    const { looked, memories, things } = this
    return {
      get: (location) => {
        if ((looked[location >> 5]! & (1 << (location & 31))) === 0) {
          // The same place of any thing: which one it is, is another after a renumbering.
          for (const one of things.alike(location)) looked[one >> 5]! |= 1 << (one & 31)
        }
        return memories.get(memory, location)
      },
    }
  }

  /** The leaf of a thread's pending operation if it can be merged in the present memory; else 0. */
  private mergeable(thread: number, controls: Int32Array): number {
    const control = controls[thread]!
    const { system, trees } = this.learned
    if (control === DONE || system.threads[thread]!.daemon === true) return 0
    if (system.restInvariant !== undefined && this.controlStates[thread]!.atRest(control)) return 0
    const root = this.learned.rootOf(thread, control)
    if (root === 0) return 0

    const { code } = trees
    let slot = root
    let leaf = 0
    while (leaf === 0) {
      const record = code[slot]!
      if (record === 0 || record >= this.independence.size) return 0
      if (code[record] === READ) slot = record + 2 + this.memories.get(this.memory, code[record + 1]!)
      else if (code[record] === LEAF) leaf = record
      else return 0
    }

    if (this.footprintNumbers[leaf] === 0) {
      this.footprintNumbers[leaf] = this.footprints.push(this.footprintOf(leaf))
    }
    const footprint = this.footprints[this.footprintNumbers[leaf]! - 1]!
    const still = this.stillIn(thread)
    for (let other = 0; other < controls.length; other++) {
      if (other === thread || controls[other] === DONE) continue
      if (this.getInEachOthersWay(footprint, this.futureOf(other, still, controls[other]!))) return 0
    }
    if (!footprint.hidden && this.onlyHidden) return 0
    if (!footprint.hidden && !this.invariantStands(this.whatOthersWrite(thread, still, controls))) return 0
    if (this.isBroken(this.memories.after(this.memory, this.learned.trees.code, leaf))) return 0
    this.note(thread, still, footprint, controls)
    return leaf
  }

  private note(thread: number, still: number, footprint: Footprint, controls: Int32Array): void {
    const { entry, merged } = this
    entry[0] = thread
    entry[1] = still
    entry[2] = (footprint.number << 1) | (footprint.hidden ? 0 : 1)
    for (let other = 0; other < controls.length; other++) {
      if (other === thread || controls[other] === DONE) continue
      entry[3] = (other << 16) | controls[other]!
      merged.intern(entry, 0, merged.hash(entry, 0))
    }
  }

  private footprintOf(leaf: number): Footprint {
    const { trees } = this.learned
    const { words } = this.independence
    const at = trees.footprintAt(leaf)
    const touches = trees.code.slice(at, at + words)
    const writes = trees.code.slice(at + words, at + 2 * words)
    const hidden = isApart(writes, this.watched)
    return { number: this.footprints.length, touches, writes, hidden, conflicts: new Uint8Array(64) }
  }

  /** Whether one reads what may be written in a future, or writes what may be touched. */
  private getInEachOthersWay(footprint: Footprint, future: number): boolean {
    if (future >= footprint.conflicts.length) {
      const more = new Uint8Array(2 * future)
      more.set(footprint.conflicts)
      footprint.conflicts = more
    }
    const { conflicts } = footprint
    if (conflicts[future] === UNKNOWN) {
      conflicts[future] = areApart(footprint, this.futures.list[future]!) ? APART : CONFLICT
    }
    return conflicts[future] === CONFLICT
  }

  /** The number of what a thread may come to do while some guards stand still. */
  private futureOf(thread: number, still: number, control: number): number {
    const byStill = this.futuresOf[thread]!
    byStill[still] ??= []
    const byControl = byStill[still]
    byControl[control] ??= this.findFuture(thread, still, control)
    return byControl[control]
  }

  private findFuture(thread: number, still: number, control: number): number {
    const future = this.independence.future(thread, control, still)
    return this.futures.numberOf(`${future.touched};${future.written}`, future)
  }

  private whatOthersWrite(thread: number, still: number, controls: Int32Array): Int32Array {
    const all = new Int32Array(this.independence.words)
    controls.forEach((control, other) => {
      if (other === thread || control === DONE) return
      this.futures.list[this.futureOf(other, still, control)]!.written.forEach((word, i) => {
        all[i]! |= word
      })
    })
    return all
  }

  /** The number of what stands still in the present memory while a thread does. */
  private stillIn(thread: number): number {
    const numbers = this.stillOf[thread]!
    const known = this.memory < numbers.length ? numbers[this.memory]! : 0
    return known > 0 ? known - 1 : this.findStill(thread)
  }

  private findStill(thread: number): number {
    const { memory, memories } = this
    let numbers = this.stillOf[thread]!
    if (memory >= numbers.length) {
      numbers = grown(numbers, memory)
      this.stillOf[thread] = numbers
    }
    const still = this.independence.standingStill(thread, (location) => memories.get(memory, location))
    numbers[memory] = still + 1
    return still
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
}

/** Whether a step neither touches what may be written in a future, nor writes what may be touched. */
function areApart({ touches, writes }: Footprint, { touched, written }: Future): boolean {
  return isApart(touches, written) && isApart(writes, touched)
}

function isApart(one: Int32Array, other: Int32Array): boolean {
  return one.every((word, i) => (word & other[i]!) === 0)
}

function isSame(one: Int32Array, other: Int32Array): boolean {
  return one.every((word, i) => word === other[i])
}
