/**
 * Successors that are known without a lookup. Two steps of different threads that commute close
 * a diamond:
 *
 *         s
 *     b ↙   ↘ a
 *      y     x
 *     a ↘   ↙ b
 *         z
 *
 * When y is expanded, which was found from s by b, and the leaf of a in s commutes with that of b
 * (`decision.ts`), then a's thread reaches the same leaf in y: its decision tree needs no walk. And
 * if x has been expanded before y, the state that its step b led to is z: there is nothing to look
 * up, nor even to put together. A breadth-first search has s in the level before, and x, unless a leads
 * further back, in that of y or the one before; the steps of these two levels are kept (`level_steps.ts`).
 *
 * This leaves out no state and no step; what is found is what would be found without, in the same order.
 * In a system whose threads all work at the same place little commutes. Then steps are not kept for a
 * while, since keeping them costs more than it saves.
 */
import { Batch } from './batch.ts'
import type { DecisionTrees } from './decision.ts'
import type { Leaves, Successors } from './expansion.ts'
import type { Learned } from './learned.ts'
import {
  LEVELS,
  LevelSteps,
  type LevelToCome,
  MOST_STEPS,
  NOWHERE,
  type SharedSteps,
  WAITING,
} from './level_steps.ts'
import { allocate, grown } from './segments.ts'
import type { Stepper } from './stepper.ts'
import type { Visited } from './visited.ts'

/** Keeping steps is worth while if so many of them lead to states that are known by it. */
const WORTH_KEEPING = 1 / 8
/** Steps of a level from which on that can be told. */
const TELLING = 1_000
/** Levels for which they are not kept if it is not, at least. */
const PAUSE = 16

export class Diamonds implements Leaves, Successors {
  readonly batch: Batch
  private readonly trees: DecisionTrees
  private readonly threads: number
  /** Those of three levels in turn: the one before, the one that is expanded, and the next. */
  private readonly levels: readonly LevelSteps[]
  private before: LevelSteps
  private level: LevelSteps
  private next: LevelSteps
  /** Where this thread keeps steps, how far it has come, and where it must end. */
  private firstStep = 0
  private step = 0
  private lastStep = MOST_STEPS
  /** States of the level from here up to the one that is expanded have been expanded by this thread. */
  private from = 0
  /** The end of the portion that this thread has taken last. */
  private portionEnd = 0

  /** Of this level: steps, and those that led to a state that was known without a lookup. */
  private steps = 0
  private known = 0
  /** Whether its steps are kept, and those of the level before. */
  private keeps = true
  private keptBefore = false
  /** For how many levels more they are not kept. */
  private pause = 0

  // Of the state that is expanded: itself, where its steps are kept, where those of the state
  // before it are, and the thread and the leaf of the step in between.
  private state = 0
  private place = -1
  private placeBefore = -1
  private byThread = -1
  private byLeaf = 0
  /** Threads whose steps are kept. */
  private threadsKept = 0

  // Of the thread whose leaves were reached last: its first step, and whether and from which on
  // the leaves are those of the state before.
  private first = -1
  private taken = false
  private takenFrom = 0
  /** The step whose successor was asked for last; -1 if it is not kept. */
  private asked = -1

  /** Pairs of steps: one, and another that leads to the same state, which waits to be looked up. */
  private same = allocate(256)
  private sameCount = 0

  /** @param shared where the steps are kept, if several threads explore together */
  constructor(
    { trees, controls }: Learned,
    private readonly stepper: Stepper,
    private readonly visited: Visited,
    shared?: readonly SharedSteps[],
  ) {
    this.trees = trees
    this.threads = controls.length
    this.batch = new Batch(visited, this)
    this.levels = Array.from({ length: LEVELS }, (_, i) => new LevelSteps(this.threads, shared?.[i]))
    this.before = this.levels[2]!
    this.level = this.levels[0]!
    this.next = this.levels[1]!
    this.next.begin = 1
  }

  /** Goes on with a level; the one before has been expanded, and nothing waits. */
  beginLevel({ depth, before, begin, end, keptBefore, keeps }: LevelToCome): void {
    if (this.keeps) this.level.touch(begin - before, this.step - this.firstStep)
    this.keptBefore = keptBefore
    this.keeps = keeps
    this.steps = 0
    this.known = 0
    this.before = this.levels[(depth + 2) % LEVELS]!
    this.level = this.levels[depth % LEVELS]!
    this.next = this.levels[(depth + 1) % LEVELS]!
    this.before.begin = before
    this.level.begin = begin
    this.next.begin = end
    this.step = this.firstStep
    this.from = begin
    this.portionEnd = begin
  }

  /** Where this thread keeps steps, if several explore together. */
  keepStepsFrom(first: number, last: number): void {
    this.firstStep = first
    this.step = first
    this.lastStep = last
  }

  /** This thread goes on with these states, one after the other: up to `end`, without it. */
  takePortion(first: number, end: number): void {
    if (first !== this.portionEnd) this.from = first
    this.portionEnd = end
  }

  /** Whether steps of the level have been kept, and whether those of the next should be. */
  judge(): { readonly keptBefore: boolean; readonly keeps: boolean } {
    const isTelling = this.keptBefore && this.steps >= TELLING
    if (isTelling && this.known < this.steps * WORTH_KEEPING) this.pause = PAUSE
    else if (this.pause > 0) this.pause--
    return { keptBefore: this.keeps, keeps: this.pause === 0 }
  }

  begin(state: number): void {
    this.state = state
    this.byThread = -1
    this.place = -1
    if (this.keptBefore) this.lookBack(state)
    if (this.keeps) {
      this.place = this.level.roomFor(state)
      this.threadsKept = 0
    }
  }

  reach(thread: number, control: number, memory: number): number {
    this.taken = this.byThread >= 0 && thread !== this.byThread && this.takeOver(thread)
    const reached = this.taken
      ? this.before.firsts[this.placeBefore + thread + 1]! - this.takenFrom
      : this.stepper.walk(thread, control, memory)
    if (this.place >= 0) this.keep(thread, reached)
    return reached
  }

  leaf(i: number): number {
    return this.taken ? this.before.leaves[this.takenFrom + i]! : this.stepper.leaves[i]!
  }

  isKnown(i: number): boolean {
    const { before, level } = this
    this.steps++
    this.asked = this.place >= 0 ? this.first + i : -1
    if (!this.taken) return false
    const x = before.targets[this.takenFrom + i]!
    if (x < level.begin) {
      const place = before.placeOf(x)
      return place >= 0 && this.leadsWhere(before.targets[this.stepAt(before, place)]!, -1)
    }
    if (!this.keeps || x < this.from || x >= this.state) return false
    const place = level.placeOf(x)
    if (place < 0) return false
    const step = this.stepAt(level, place)
    return this.leadsWhere(level.targets[step]!, step)
  }

  add(from: Int32Array, parent: number, thread: number, memory: number, control: number): void {
    const { asked } = this
    if (asked >= 0) this.level.targets[asked] = WAITING
    this.batch.add(from, parent, thread, memory, control, asked)
  }

  end(): void {
    if (this.place >= 0) this.beginSteps(this.threads)
  }

  /** A state that waited has been looked up. */
  numbered(step: number, state: number, isNew: boolean): void {
    if (step < 0) return
    this.level.targets[step] = state
    if (isNew) this.next.arrive(state, step)
  }

  /** All that waited have been looked up. */
  flushed(): void {
    const { same } = this
    const { targets } = this.level
    for (let i = 0; i < this.sameCount; i += 2) targets[same[i]!] = targets[same[i + 1]!]!
    this.sameCount = 0
  }

  /** Bytes of steps, without those of the level that is expanded if it is the largest, with those of so many threads. */
  bytesOf(hands: number): number {
    return this.levels.reduce((sum, level) => sum + level.bytesOf(hands), 0)
  }

  /** Looks by which step of which leaf a state was found. */
  private lookBack(state: number): void {
    const { before } = this
    const place = before.placeOf(this.visited.parentOf(state))
    const arrival = place < 0 ? -1 : this.level.arrivalOf(state)
    if (arrival < 0) return
    let thread = this.threads - 1
    while (before.firsts[place + thread]! > arrival) thread--
    this.byThread = thread
    this.byLeaf = before.leaves[arrival]!
    this.placeBefore = place
  }

  /** Whether a thread's leaves in the state before commute with the step from there, so that they are its leaves here. */
  private takeOver(thread: number): boolean {
    const { before, trees, byLeaf } = this
    const first = before.firsts[this.placeBefore + thread]!
    const end = before.firsts[this.placeBefore + thread + 1]!
    for (let step = first; step < end; step++) if (!trees.commute(before.leaves[step]!, byLeaf)) return false
    this.takenFrom = first
    return true
  }

  /** The step of a state by the thread and the leaf that lead to the one that is expanded. */
  private stepAt({ firsts, leaves }: LevelSteps, place: number): number {
    const end = firsts[place + this.byThread + 1]!
    for (let step = firsts[place + this.byThread]!; step < end; step++) {
      if (leaves[step] === this.byLeaf) return step
    }
    throw new Error('a step that commutes with another one has gone')
  }

  /** The step that was asked for leads where another one does; whether that is to a state. */
  private leadsWhere(target: number, other: number): boolean {
    if (target === NOWHERE) return false
    this.known++
    if (this.asked < 0) return true
    this.level.targets[this.asked] = target
    if (target === WAITING) {
      if (this.sameCount + 2 > this.same.length) this.same = grown(this.same, this.sameCount + 1)
      this.same[this.sameCount++] = this.asked
      this.same[this.sameCount++] = other
    }
    return true
  }

  private keep(thread: number, reached: number): void {
    const { level } = this
    if (this.step + reached > this.lastStep || !level.hasRoom(this.step + reached - 1)) {
      this.keepNothing()
      return
    }
    this.beginSteps(thread)
    this.first = this.step
    for (let i = 0; i < reached; i++) {
      level.leaves[this.step] = this.leaf(i)
      level.targets[this.step++] = NOWHERE
    }
  }

  /** The steps of a thread, and of those before it that have none, begin here. */
  private beginSteps(thread: number): void {
    const { firsts } = this.level
    while (this.threadsKept <= thread) firsts[this.place + this.threadsKept++] = this.step
  }

  /** Steps that have been kept of the state that is expanded stay where they are: they may be waited for. */
  private keepNothing(): void {
    this.level.firsts[this.place] = -1
    this.place = -1
  }
}
