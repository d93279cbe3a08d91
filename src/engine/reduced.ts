/**
 * Exploration with reductions: of many states that lead to the same ends, one is kept.
 *
 * A kept state is expanded in full; each of its successors goes on through the steps that can be
 * merged (`merging.ts`) and is then numbered anew (`symmetry.ts`). Steps are counted, not kept
 * states: states come in the order of the steps that they are away from the start, so that the
 * run to an end is as short as without reductions.
 *
 * What can be merged depends on what the threads can do, which is learned on the way. So there
 * are rounds: each decides by what is known when it begins; if what was learned meanwhile would
 * have changed a decision, another round begins. Random runs teach the most before the first.
 */
import { AUTOMATON_LIMITS } from './automaton.ts'
import { DONE } from './control.ts'
import {
  type Bound,
  checkLimits,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
  type Reduction,
} from './exploration.ts'
import { Findings } from './findings.ts'
import { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import { Merging } from './merging.ts'
import { learnFromRandomRuns } from './rehearsal.ts'
import type { Search, States } from './search.ts'
import { Stepper } from './stepper.ts'
import { Symmetry } from './symmetry.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

/** States between two looks at the clock. */
const CLOCK_EVERY = 256
/** A round that began knowing little is ended early: after so many states, then so many times more. */
const FIRST_REVIEW = 1_000
const REVIEW_GROWTH = 4

const UNKNOWN = 0
const HOLDS = 1
const BROKEN = 2

export class ReducedSearch implements Search {
  readonly learned: Learned
  readonly memories: Memories
  private readonly limits: Required<ExploreLimits>
  private readonly stepper: Stepper
  private readonly symmetry: Symmetry | undefined
  private readonly required: readonly boolean[]
  private visited: Visited
  private findings: Findings
  private merging: Merging | undefined
  /** For each memory whether the invariant holds in it. */
  private verdicts = new Uint8Array(1 << 10)

  /** For each state, the steps of the shortest run to it that is known. */
  private distances: Int32Array
  /** States by distance; one that has been brought nearer is in several, and belongs to the nearest. */
  private buckets: number[][] = []
  private bucket = 0
  private next = 0
  private reviewAt = FIRST_REVIEW
  private reviewed = 0
  private expanded = 0
  private transitions = 0
  private elapsed = 0
  private over = false
  private bounded: Bound | undefined

  /** The state that is being expanded, and one of its successors. */
  private readonly words: Int32Array
  private readonly here: Int32Array
  private readonly there: Int32Array

  /**
   * @throws RangeError if a limit is out of range
   * @throws ModelError if the system cannot be explored
   */
  constructor(
    readonly system: System,
    private readonly reductions: readonly Reduction[],
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
  ) {
    this.limits = { ...DEFAULT_LIMITS, automaton: AUTOMATON_LIMITS, ...limits }
    checkLimits(this.limits)
    this.learned = new Learned(system, this.limits.automaton, onReplay)
    this.memories = new Memories(system.layout.locations)
    this.stepper = new Stepper(this.learned, this.memories)
    if (reductions.includes('symmetry') && system.layout.sorts.length > 0) {
      this.symmetry = new Symmetry(this.learned, this.memories)
    }
    this.required = system.threads.map((thread) => thread.daemon !== true)
    this.visited = new Visited(1 + Math.ceil(system.threads.length / 2))
    this.words = new Int32Array(this.visited.words)
    this.here = new Int32Array(system.threads.length)
    this.there = new Int32Array(system.threads.length)
    this.distances = new Int32Array(1 << 8)
    this.findings = new Findings(system, this.memories)
    if (reductions.includes('merging')) learnFromRandomRuns(this.learned, this.memories)
    this.beginRound()
  }

  run(budget = Number.POSITIVE_INFINITY): boolean {
    if (this.over) return true
    const began = Date.now()
    const stop = began + Math.min(budget, this.limits.milliseconds - this.elapsed)
    do this.over = this.expandSome()
    while (!this.over && Date.now() < stop)
    this.elapsed += Date.now() - began
    if (!this.over && this.elapsed >= this.limits.milliseconds) this.over = this.stopAt('time')
    return this.over
  }

  result(): Exploration {
    return {
      search: { mode: 'breadth-first', reductions: this.reductions },
      states: this.visited.count,
      transitions: this.transitions,
      memories: this.memories.count,
      depth: this.bucket,
      frontier: this.visited.count - this.expanded,
      milliseconds: this.elapsed,
      bytes: this.byteLength,
      bounded: this.bounded ?? (this.over ? undefined : 'interrupted'),
      finals: this.findings.finals,
      failures: this.findings.failures,
    }
  }

  get count(): number {
    return this.visited.count
  }

  memoryOf(state: number): number {
    return this.visited.word(state, 0)
  }

  controlOf(state: number, thread: number): number {
    const word = this.visited.word(state, 1 + (thread >> 1))
    return thread & 1 ? word >>> 16 : word & 0xffff
  }

  parentOf(state: number): number {
    return this.visited.parentOf(state)
  }

  private get byteLength(): number {
    return this.visited.byteLength + this.memories.byteLength + this.distances.byteLength
  }

  private beginRound(): void {
    this.visited = new Visited(this.visited.words)
    this.findings = new Findings(this.system, this.memories)
    if (this.reductions.includes('merging')) {
      this.merging = new Merging(
        this.learned,
        this.memories,
        (memory) => this.isBroken(memory),
        this.symmetry,
        this.merging,
      )
    }
    this.buckets = [[]]
    this.bucket = 0
    this.next = 0
    this.expanded = 0
    this.transitions = 0
    this.reviewed = this.learned.trees.size

    const initial = this.memories.internInitial()
    this.learned.controls.forEach((controls, thread) => {
      this.there[thread] = controls.initial
    })
    this.keep(initial, 0, 0)
    if (this.isBroken(initial)) {
      this.failOf(initial, 0, undefined)
      this.next = 1
    }
  }

  /** Expands some states; true when the search is over. */
  private expandSome(): boolean {
    for (let n = 0; n < CLOCK_EVERY; n++) {
      const states = this.buckets[this.bucket]
      if (states === undefined || this.next >= states.length) {
        // A bucket that is done with is not needed any more.
        this.buckets[this.bucket] = []
        if (this.bucket + 1 >= this.buckets.length) return this.endRound()
        if (this.bucket >= this.limits.depth) return this.stopAt('depth')
        this.bucket++
        this.next = 0
        continue
      }
      const state = states[this.next++]!
      if (this.distances[state] !== this.bucket) continue
      if (this.visited.count > this.limits.states) return this.stopAt('states')
      this.expand(state)
      this.expanded++
      if (this.visited.count > this.reviewAt && this.mustBeginAgain()) return false
    }
    return this.byteLength > this.limits.bytes && this.stopAt('memory')
  }

  /** Whether something was learned that makes it pointless to go on with this round; then another one begins. */
  private mustBeginAgain(): boolean {
    this.reviewAt *= REVIEW_GROWTH
    if (this.learned.trees.size === this.reviewed) return false
    this.reviewed = this.learned.trees.size
    if (this.merging?.holds() !== false) return false
    this.beginRound()
    return true
  }

  private endRound(): boolean {
    if (this.merging?.holds() !== false) return true
    this.beginRound()
    return false
  }

  private stopAt(bound: Bound): true {
    this.bounded = bound
    return true
  }

  private expand(state: number): void {
    const { here, there, stepper, merging, symmetry, learned } = this
    const memory = this.memoryOf(state)
    for (let thread = 0; thread < here.length; thread++) here[thread] = this.controlOf(state, thread)
    const distance = this.bucket
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.system.restInvariant !== undefined

    for (let thread = 0; thread < here.length; thread++) {
      const control = here[thread]!
      if (control === DONE) continue
      if (this.required[thread]) running = true
      if (resting && !learned.controls[thread]!.atRest(control)) resting = false
      const found = stepper.step(thread, control, memory)
      symmetry?.check(thread, control, memory, stepper.leaves, found)
      for (let alternative = 0; alternative < found; alternative++) {
        const after = stepper.controls[alternative]!
        const step = { thread, alternative }
        if (after < 0) {
          failures++
          this.findings.failAt('failure', learned.trees.messages[-1 - after]!, state, step)
          continue
        }
        steps++
        const next = stepper.memories[alternative]!
        if (this.isBroken(next)) {
          failures++
          this.failOf(next, state, step)
          continue
        }
        there.set(here)
        there[thread] = after
        const merged = merging?.advance(next, there, thread) ?? 0
        this.keep(merging?.memory ?? next, state, distance + 1 + merged)
      }
    }

    this.transitions += steps
    if (!running) this.findings.reachEnd(memory, state)
    else if (steps === 0 && failures === 0)
      this.findings.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) this.findings.checkRest(memory, state)
  }

  /** Keeps the state whose control states are in `there`, unless it is known to be as near. */
  private keep(memory: number, parent: number, distance: number): void {
    const { words, visited } = this
    this.pack(memory, this.there)
    const known = visited.count
    const state = visited.intern(words, 0, visited.hash(words, 0), parent)
    if (state < known) {
      if (this.distances[state]! <= distance) return
      visited.setParent(state, parent)
    }
    if (state >= this.distances.length) {
      const grown = new Int32Array(Math.ceil(state * 1.5))
      grown.set(this.distances)
      this.distances = grown
    }
    this.distances[state] = distance
    while (this.buckets.length <= distance) this.buckets.push([])
    this.buckets[distance]!.push(state)
  }

  /** Puts a state, numbered anew, into `words`. */
  private pack(memory: number, controls: Int32Array): void {
    const { words, symmetry } = this
    words.fill(0)
    words[0] = symmetry === undefined ? memory : symmetry.canonical(memory, controls)
    for (let thread = 0; thread < controls.length; thread++) {
      words[1 + (thread >> 1)]! |= thread & 1 ? controls[thread]! << 16 : controls[thread]!
    }
  }

  private isBroken(memory: number): boolean {
    const { invariant } = this.system
    if (invariant === undefined) return false
    if (memory >= this.verdicts.length) {
      const grown = new Uint8Array(Math.max(memory + 1, this.verdicts.length * 2))
      grown.set(this.verdicts)
      this.verdicts = grown
    }
    if (this.verdicts[memory] === UNKNOWN) {
      const reader = this.merging?.reader(memory) ?? this.memories.reader(memory)
      this.verdicts[memory] = invariant(reader) === undefined ? HOLDS : BROKEN
    }
    return this.verdicts[memory] === BROKEN
  }

  private failOf(
    memory: number,
    state: number,
    step: { thread: number; alternative: number } | undefined,
  ): void {
    const message = this.system.invariant!(this.memories.reader(memory))!
    this.findings.failAt('invariant', message, state, step)
  }

  /**
   * The shortest run to a state, step by step, in the numbers that things have as it runs: its
   * states in their order.
   */
  concrete(state: number): States {
    const kept = [state]
    for (let s = state; s !== 0; kept.push(s)) s = this.parentOf(s)
    kept.reverse()
    const run = new Run(this.learned, this.memories)
    for (let i = 1; i < kept.length; i++) {
      if (!this.movesBetween(kept[i - 1]!, kept[i]!).some((threads) => this.follow(run, threads, kept[i]!))) {
        throw new Error(`state ${kept[i]} cannot be reached from state ${kept[i - 1]}`)
      }
    }
    return run
  }

  /** The threads that move, in their order, from a kept state to the next: every way that is shortest. */
  private movesBetween(from: number, to: number): number[][] {
    const { there, stepper, merging } = this
    const length = this.distances[to]! - this.distances[from]!
    const ways: number[][] = []
    for (let thread = 0; thread < there.length; thread++) {
      const control = this.controlOf(from, thread)
      if (control === DONE) continue
      const found = stepper.step(thread, control, this.memoryOf(from))
      for (let alternative = 0; alternative < found; alternative++) {
        if (stepper.controls[alternative]! < 0) continue
        for (let other = 0; other < there.length; other++) there[other] = this.controlOf(from, other)
        there[thread] = stepper.controls[alternative]!
        const threads = [thread]
        merging?.advance(stepper.memories[alternative]!, there, thread, (mover) => threads.push(mover))
        this.pack(merging?.memory ?? stepper.memories[alternative]!, there)
        if (threads.length === length && this.isPacked(to)) ways.push(threads)
      }
    }
    return ways
  }

  /** Lets threads move at the end of a run; whether that leads to a kept state, but for its numbers. */
  private follow(run: Run, threads: readonly number[], to: number): boolean {
    const { stepper, there } = this
    const begin = run.count
    const moves = (i: number): boolean => {
      if (i === threads.length) {
        for (let thread = 0; thread < there.length; thread++)
          there[thread] = run.controlOf(run.count - 1, thread)
        this.pack(run.memoryOf(run.count - 1), there)
        return this.isPacked(to)
      }
      const thread = threads[i]!
      const control = run.controlOf(run.count - 1, thread)
      // A way that another choice earlier on has made impossible.
      if (control === DONE) return false
      const found = stepper.step(thread, control, run.memoryOf(run.count - 1))
      const ways = Array.from(
        { length: found },
        (_, a) => [stepper.memories[a]!, stepper.controls[a]!] as const,
      )
      for (const [memory, control] of ways) {
        if (control < 0) continue
        run.append(thread, memory, control)
        if (moves(i + 1)) return true
        run.drop(begin + i)
      }
      return false
    }
    return moves(0)
  }

  private isPacked(state: number): boolean {
    return this.words.every((word, i) => word === this.visited.word(state, i))
  }
}

/** The states of one run. */
class Run implements States {
  private readonly memoriesAt: number[]
  private readonly controlsAt: number[][]

  constructor(
    readonly learned: Learned,
    readonly memories: Memories,
  ) {
    this.memoriesAt = [memories.internInitial()]
    this.controlsAt = [learned.controls.map(({ initial }) => initial)]
  }

  get count(): number {
    return this.memoriesAt.length
  }

  memoryOf(state: number): number {
    return this.memoriesAt[state]!
  }

  controlOf(state: number, thread: number): number {
    return this.controlsAt[state]![thread]!
  }

  parentOf(state: number): number {
    return Math.max(0, state - 1)
  }

  append(thread: number, memory: number, control: number): void {
    this.memoriesAt.push(memory)
    this.controlsAt.push(this.controlsAt.at(-1)!.with(thread, control))
  }

  /** Leaves the first so many states. */
  drop(count: number): void {
    this.memoriesAt.length = count
    this.controlsAt.length = count
  }
}
