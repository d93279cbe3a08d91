/**
 * One of the threads that explore a system together: it takes portions of a level, looks into
 * their states and adds what comes after them to the shared tables.
 *
 * A memory's row has a mark for each thing that is to be found out once: whether its invariant
 * holds, whether it has been looked at at rest, whether it is known as an end. Two threads may
 * both check an invariant, since neither waits for the other: they find the same.
 */
import { Diamonds } from './diamonds.ts'
import { Expansion, type Notes } from './expansion.ts'
import type { FailedRun, FailureKind } from './exploration.ts'
import { Learned } from './learned.ts'
import { LearningLog } from './learning_log.ts'
import { Memories } from './memories.ts'
import { pack } from './packed.ts'
import { OutOfMemory } from './segments.ts'
import {
  COUNTERS,
  ENDS,
  FAILURES,
  HALT,
  HALT_MEMORY,
  HALT_STATES,
  JOINED,
  KEEPS_STEPS,
  KEPT_BEFORE,
  LEVEL,
  LEVEL_BEFORE,
  LEVEL_BEGIN,
  LEVEL_END,
  NEXT,
  PORTION,
  type Share,
  watchOver,
} from './share.ts'
import { SharedTuples } from './shared_tuples.ts'
import { Stepper } from './stepper.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

// Marks of a memory.
const HOLDS = 1
const BROKEN = 2
const AT_REST = 4
const END = 8

/** What a thread tells of something that went wrong: JSON in the list of failures. */
export type Note =
  | {
      readonly failed: FailedRun
      /** The level of its state. */
      readonly level: number
    }
  | { readonly error: ErrorNote }

/** An error, as far as it can be told to another thread. */
export interface ErrorNote {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Of a ModelError. */
  readonly fault?: string
  readonly procedure?: string
  readonly cause?: ErrorNote
}

export class Hand implements Notes {
  readonly learned: Learned
  readonly memories: Memories
  readonly visited: Visited
  readonly log: LearningLog

  private readonly vectors: SharedTuples
  private readonly control: Int32Array
  private readonly counters: Float64Array
  private readonly ends: Int32Array
  private readonly failures: Uint16Array
  /** What has been noted already, and whether with a step: a run without is shorter by one. */
  private readonly noted = new Map<string, boolean>()
  private index = 0
  private level = 0

  readonly diamonds: Diamonds
  private readonly expansion: Expansion
  /** The words of the state that is being expanded. */
  private readonly here: Int32Array

  constructor(
    readonly system: System,
    private readonly share: Share,
    onReplay?: (procedure: string) => void,
  ) {
    this.control = new Int32Array(share.control)
    this.counters = new Float64Array(share.counters)
    this.ends = new Int32Array(share.ends)
    this.failures = new Uint16Array(share.failures)
    const pause = (): void => watchOver(this.control)
    this.vectors = new SharedTuples(share.vectors, pause)
    const { locations } = system.layout
    this.memories = new Memories(locations, {
      vectors: this.vectors,
      chunks: new SharedTuples(share.chunks, pause),
    })
    this.visited = new Visited(share.states.width, new SharedTuples(share.states, pause))
    this.learned = new Learned(system, share.limits.automaton, onReplay)
    this.log = new LearningLog(share, this.learned, this.memories)
    const stepper = new Stepper(this.learned, this.memories, (thread, control, memory) =>
      this.log.learn(thread, control, memory),
    )
    this.here = new Int32Array(this.visited.words)
    this.diamonds = new Diamonds(this.learned, stepper, this.visited, share.steps)
    this.expansion = new Expansion(this.learned, this.memories, this.diamonds, this, this.diamonds)
    this.join(0)
  }

  /** @param index this thread among those that explore; the one that began has 0 */
  join(index: number): void {
    this.index = index
    const { steps, hands } = this.share
    if (steps === undefined) return
    const each = Math.floor(steps[0]!.leaves.byteLength / 4 / hands)
    this.diamonds.keepStepsFrom(index * each, (index + 1) * each)
  }

  /** Adds the initial state. Whether its invariant holds; if not, there is nothing else to be done. */
  begin(): boolean {
    const { visited, here } = this
    const controls = this.learned.controls.map(({ initial }) => initial)
    pack(here, this.memories.internInitial(), controls)
    visited.intern(here, 0, visited.hash(here, 0), 0)
    const broken = this.isNewAndBreaks(0, 0, undefined)
    if (broken) this.counters[0] = 1
    return !broken
  }

  /**
   * Works at the current level until there is nothing left to take, everybody is to stop, or
   * it is late.
   * @param stop when it is late, as Date.now() tells it
   * @returns whether this thread's part of the level is done
   * @throws ModelError
   */
  work(stop: number, onPortion?: () => void): boolean {
    const { control, counters, visited, here, expansion, diamonds } = this
    const end = control[LEVEL_END]!
    const portion = control[PORTION]!
    try {
      this.beginLevel()
      for (;;) {
        if (Atomics.load(control, HALT) !== 0) break
        const first = Atomics.add(control, NEXT, portion)
        if (first >= end) break
        const last = Math.min(first + portion, end)
        diamonds.takePortion(first, last)
        for (let state = first; state < last; state++) {
          visited.load(state, here)
          counters[this.index * COUNTERS + 1]! += expansion.expand(state, here)
          counters[this.index * COUNTERS]!++
        }
        onPortion?.()
        if (this.isTooMuch()) break
        if (Date.now() >= stop) return false
      }
      this.diamonds.batch.flush()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.diamonds.batch.drop()
      this.halt(this.visited.count > this.share.limits.states ? HALT_STATES : HALT_MEMORY)
    }
    return true
  }

  /** Comes to the level that all work at, unless it is there. */
  private beginLevel(): void {
    const { control } = this
    if (this.level === control[LEVEL]) return
    this.level = control[LEVEL]!
    // The leaves of the level before may be others' to learn.
    this.log.catchUp()
    this.diamonds.beginLevel({
      depth: this.level,
      before: control[LEVEL_BEFORE]!,
      begin: control[LEVEL_BEGIN]!,
      end: control[LEVEL_END]!,
      keptBefore: control[KEPT_BEFORE] === 1,
      keeps: control[KEEPS_STEPS] === 1,
    })
  }

  /** Has everybody stop, for the first reason that somebody has. */
  halt(reason: number): void {
    Atomics.compareExchange(this.control, HALT, 0, reason)
  }

  get byteLength(): number {
    const { visited, memories, diamonds, control } = this
    return visited.byteLength + memories.byteLength + diamonds.bytesOf(1 + Atomics.load(control, JOINED))
  }

  note(note: Note): void {
    const text = `${JSON.stringify(note)}\n`
    const at = Atomics.add(this.control, FAILURES, text.length)
    if (at + text.length > this.failures.length) {
      Atomics.sub(this.control, FAILURES, text.length)
      throw new OutOfMemory('no room for what goes wrong')
    }
    for (let i = 0; i < text.length; i++) this.failures[at + i] = text.charCodeAt(i)
  }

  private isTooMuch(): boolean {
    const { states, bytes } = this.share.limits
    if (this.visited.count + this.diamonds.batch.count > states) {
      this.diamonds.batch.flush()
      if (this.visited.count > states) this.halt(HALT_STATES)
    }
    if (this.byteLength > bytes) this.halt(HALT_MEMORY)
    return Atomics.load(this.control, HALT) !== 0
  }

  breaks(memory: number, state: number, thread: number, alternative: number): boolean {
    const known = this.vectors.word(memory, this.vectors.width) & (HOLDS | BROKEN)
    if (known !== 0) return known === BROKEN
    return this.isNewAndBreaks(memory, state, { thread, alternative })
  }

  checkRest(memory: number, state: number): void {
    if ((this.vectors.mark(memory, AT_REST) & AT_REST) !== 0) return
    const message = this.system.restInvariant?.(this.memories.reader(memory))
    if (message !== undefined) this.failAt('invariant', message, state, undefined)
  }

  /** Looks whether the invariant does not hold in a memory of which nobody has said so yet. */
  private isNewAndBreaks(memory: number, state: number, step: FailedRun['step']): boolean {
    const message = this.system.invariant?.(this.memories.reader(memory))
    if (message !== undefined) this.failAt('invariant', message, state, step)
    this.vectors.mark(memory, message === undefined ? HOLDS : BROKEN)
    return message !== undefined
  }

  reachEnd(memory: number, state: number): void {
    if ((this.vectors.mark(memory, END) & END) !== 0) return
    const at = Atomics.add(this.control, ENDS, 2)
    if (at + 2 > this.ends.length) {
      Atomics.sub(this.control, ENDS, 2)
      throw new OutOfMemory('no room for more ends')
    }
    this.ends[at] = memory
    this.ends[at + 1] = state
    const message = this.system.finalInvariant?.(this.memories.reader(memory))
    if (message !== undefined) this.failAt('invariant', message, state, undefined)
  }

  failAt(kind: FailureKind, message: string, state: number, step: FailedRun['step']): void {
    const key = `${kind} ${message}`
    const withStep = this.noted.get(key)
    if (withStep === false || (withStep === true && step !== undefined)) return
    this.noted.set(key, step !== undefined)
    this.note({ failed: { kind, message, state, step }, level: this.control[LEVEL]! })
  }
}
