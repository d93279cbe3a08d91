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
 * What a round has found is real, also if it left out something: it is kept (`earlier.ts`) for the
 * case that no later round comes to its end.
 */
import { DONE } from './control.ts'
import { Earlier } from './earlier.ts'
import type { Coverage, Exploration, ExploreLimits, Reduction } from './exploration.ts'
import { Findings } from './findings.ts'
import { Merging } from './merging.ts'
import { pack } from './packed.ts'
import { learnFromRandomRuns } from './rehearsal.ts'
import { alongRuns, Runs } from './runs.ts'
import type { States } from './search.ts'
import { grown } from './segments.ts'
import { StoredSearch } from './stored_search.ts'
import { Symmetry } from './symmetry.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

/** States between two looks at the clock. */
const CLOCK_EVERY = 256
/** A round that began knowing little is ended early: after so many states, then so many times more. */
const FIRST_REVIEW = 1_000
const REVIEW_GROWTH = 4
/** If so much more is known at a review as a factor, another round is begun for what else can be merged. */
const MUCH = 1.3

const UNKNOWN = 0
const HOLDS = 1
const BROKEN = 2

/** Where a run has come to, in the numbers that things have as it runs. */
interface Reached {
  readonly place: number
  readonly memory: number
  readonly controls: readonly number[]
}

export class ReducedSearch extends StoredSearch {
  private readonly symmetry: Symmetry | undefined
  private merging: Merging | undefined
  /** For each memory whether the invariant holds in it. */
  private verdicts = new Int32Array(1 << 10)
  private seenBroken = false

  /** For each state, the steps of the shortest run to it that is known. */
  private distances = new Int32Array(1 << 8)
  /** States by distance; one that has been brought nearer is in several, and belongs to the nearest. */
  private buckets: number[][] = []
  private next = 0
  private reviewAt = FIRST_REVIEW
  private expanded = 0

  /** The control states of the state that is being expanded, and of one of its successors. */
  private readonly from: Int32Array
  private readonly to: Int32Array

  /**
   * @throws RangeError if a limit is out of range
   * @throws ModelError if the system cannot be explored
   */
  constructor(
    system: System,
    private readonly reductions: readonly Reduction[],
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
    /** What was found before it began. */
    private readonly earlier = new Earlier(),
  ) {
    super(system, limits, onReplay)
    if (reductions.includes('symmetry') && system.layout.sorts.length > 0) {
      this.symmetry = new Symmetry(this.learned, this.memories)
    }
    this.from = new Int32Array(system.threads.length)
    this.to = new Int32Array(system.threads.length)
  }

  /** What takes long does not belong into the constructor: nobody watches there, or keeps to limits. */
  private begin(): void {
    if (this.reductions.includes('merging')) {
      const { learned, memories, symmetry } = this
      learnFromRandomRuns(learned)
      this.merging = new Merging(learned, memories, (memory) => this.isBroken(memory), symmetry)
    }
    this.beginRound()
  }

  protected get coverage(): Coverage {
    return { mode: 'breadth-first', reductions: this.reductions }
  }

  protected get frontier(): number {
    return this.visited.count - this.expanded
  }

  protected override get byteLength(): number {
    return super.byteLength + this.distances.byteLength + this.earlier.byteLength
  }

  override result(): Exploration {
    const result = super.result()
    return result.bounded === undefined ? result : { ...result, ...this.earlier.behind(result) }
  }

  private beginRound(): void {
    this.visited = new Visited(this.visited.words)
    this.findings = new Findings(this.system, this.memories)
    this.buckets = [[]]
    this.depth = 0
    this.next = 0
    this.expanded = 0
    this.transitions = 0

    const initial = this.memories.internInitial()
    this.learned.controls.forEach((controls, thread) => {
      this.to[thread] = controls.initial
    })
    this.keep(initial, 0, 0)
    if (this.isBroken(initial)) {
      this.failOf(initial, 0, undefined)
      this.next = 1
    }
  }

  protected advanceSome(): boolean {
    if (this.buckets.length === 0) this.begin()
    for (let n = 0; n < CLOCK_EVERY; n++) {
      const states = this.buckets[this.depth]
      if (states === undefined || this.next >= states.length) {
        // A bucket that is done with is not needed any more.
        this.buckets[this.depth] = []
        if (this.depth + 1 >= this.buckets.length) return this.endRound()
        if (this.depth >= this.limits.depth) return this.stopAt('depth')
        this.depth++
        this.next = 0
        continue
      }
      const state = states[this.next++]!
      if (this.distances[state] !== this.depth) continue
      if (this.visited.count > this.limits.states) return this.stopAt('states')
      this.expand(state)
      this.expanded++
      if (this.visited.count > this.reviewAt && this.mustBeginAgain()) return false
    }
    return this.byteLength > this.limits.bytes && this.stopAt('memory')
  }

  /** Begins another round if so much was learned that it is better, or necessary. */
  private mustBeginAgain(): boolean {
    this.reviewAt *= REVIEW_GROWTH
    return this.beginsAgain((this.merging?.growth ?? 1) > MUCH)
  }

  private endRound(): boolean {
    return !this.beginsAgain(false)
  }

  /**
   * Begins another round if a step was merged that should not have been.
   * @param anyway whether also if none was, as long as there is anything new
   */
  private beginsAgain(anyway: boolean): boolean {
    const { merging, seenBroken } = this
    if (merging === undefined || merging.isUpToDate(seenBroken)) return false
    const later = merging.later(seenBroken)
    if (!anyway && merging.isRightAfter(later)) return false
    this.earlier.note(this.findings, this.placesAmong(this.earlier.runs))
    this.merging = later
    this.beginRound()
    return true
  }

  private expand(state: number): void {
    const { from, to, stepper, merging, symmetry, learned } = this
    const memory = this.memoryOf(state)
    this.unpack(state, from)
    const distance = this.depth
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.system.restInvariant !== undefined

    for (let thread = 0; thread < from.length; thread++) {
      const control = from[thread]!
      if (control === DONE) continue
      if (learned.required[thread]) running = true
      if (resting && !learned.controls[thread]!.atRest(control)) resting = false
      const found = stepper.step(thread, control, memory)
      symmetry?.check(thread, control, memory)
      for (let alternative = 0; alternative < found; alternative++) {
        const after = stepper.controls[alternative]!
        if (after < 0) {
          failures++
          this.findings.failAt('failure', learned.trees.messages[-1 - after]!, state, { thread, alternative })
          continue
        }
        steps++
        const next = stepper.memories[alternative]!
        if (this.isBroken(next)) {
          failures++
          this.failOf(next, state, { thread, alternative })
          continue
        }
        for (let other = 0; other < to.length; other++) to[other] = from[other]!
        to[thread] = after
        const merged = merging?.advance(next, to, thread, this.checkMerged) ?? 0
        this.keep(merging?.memory ?? next, state, distance + 1 + merged)
      }
    }

    this.transitions += steps
    if (!running) this.findings.reachEnd(memory, state)
    else if (steps === 0 && failures === 0)
      this.findings.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) this.findings.checkRest(memory, state)
  }

  /** A step that is merged goes the same way for all things, too. */
  private readonly checkMerged = (thread: number, control: number, memory: number): void => {
    this.symmetry?.check(thread, control, memory)
  }

  /** Keeps the state whose control states are in `to`, unless it is known to be as near. */
  private keep(memory: number, parent: number, distance: number): void {
    const { visited } = this
    this.packCanonical(memory)
    const known = visited.count
    const state = this.add(this.here, 0, parent)
    if (state < known) {
      if (this.distances[state]! <= distance) return
      visited.setParent(state, parent)
    }
    if (state >= this.distances.length) this.distances = grown(this.distances, state)
    this.distances[state] = distance
    while (this.buckets.length <= distance) this.buckets.push([])
    this.buckets[distance]!.push(state)
  }

  /** Puts the state whose control states are in `to`, numbered anew, into `here`. */
  private packCanonical(memory: number): void {
    const canonical = this.symmetry?.canonical(memory, this.to) ?? memory
    pack(this.here, canonical, this.to)
  }

  private unpack(state: number, controls: Int32Array): void {
    for (let thread = 0; thread < controls.length; thread++) controls[thread] = this.controlOf(state, thread)
  }

  private isBroken(memory: number): boolean {
    const { invariant } = this.system
    if (invariant === undefined) return false
    if (memory >= this.verdicts.length) this.verdicts = grown(this.verdicts, memory)
    if (this.verdicts[memory] === UNKNOWN) {
      const reader = this.merging?.reader(memory) ?? this.memories.reader(memory)
      this.verdicts[memory] = invariant(reader) === undefined ? HOLDS : BROKEN
      if (this.verdicts[memory] === BROKEN) this.seenBroken = true
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
    const { learned, memories, earlier } = this
    if (state < 0) return earlier.runs.runTo(-state, learned, memories)
    const runs = new Runs()
    const place = this.placesAmong(runs)(state)
    if (place === undefined) throw new Error(`the run to state ${state} cannot be told from others`)
    return runs.runTo(place, learned, memories)
  }

  /** Finds the shortest runs to states, and where they end among the runs that they are added to. */
  private placesAmong(runs: Runs): (state: number) => number | undefined {
    const controls = this.learned.controls.map(({ initial }) => initial)
    const beginning: Reached = { place: 0, memory: this.memories.internInitial(), controls }
    const reached = alongRuns<Reached | undefined>(
      (state) => this.parentOf(state),
      beginning,
      (at, from, to) => at && this.follow(runs, at, from, to),
    )
    return (state) => reached(state)?.place
  }

  /** The threads that move, in their order, from a kept state to the next: every way that is shortest. */
  private movesBetween(from: number, to: number): number[][] {
    const { to: controls, stepper, merging } = this
    const length = this.distances[to]! - this.distances[from]!
    const ways: number[][] = []
    for (let thread = 0; thread < controls.length; thread++) {
      const control = this.controlOf(from, thread)
      if (control === DONE) continue
      const found = stepper.step(thread, control, this.memoryOf(from))
      for (let alternative = 0; alternative < found; alternative++) {
        if (stepper.controls[alternative]! < 0) continue
        this.unpack(from, controls)
        controls[thread] = stepper.controls[alternative]!
        merging?.advance(stepper.memories[alternative]!, controls, thread)
        const threads = [thread, ...(merging?.movers ?? [])]
        this.packCanonical(merging?.memory ?? stepper.memories[alternative]!)
        if (threads.length === length && this.isPacked(to)) ways.push(threads)
      }
    }
    return ways
  }

  /** Follows a run from one kept state to the next; undefined if it cannot be told which way it takes. */
  private follow(runs: Runs, at: Reached, from: number, to: number): Reached | undefined {
    const ends = this.movesBetween(from, to).flatMap((threads) => this.endsOf(runs, at, threads))
    const names = ends.map(({ memory, controls }) => {
      this.to.set(controls)
      this.packCanonical(memory)
      return this.here.join()
    })
    this.visited.load(to, this.here)
    const end = names.indexOf(this.here.join())
    if (end >= 0) return ends[end]!
    // The same state can be renumbered in several ways. Where there is no choice, it is that one.
    return new Set(names).size === 1 ? ends[0] : undefined
  }

  /** Where a run can come to if threads move in this order. */
  private endsOf(runs: Runs, at: Reached, threads: readonly number[]): readonly Reached[] {
    const { stepper } = this
    return threads.reduce<readonly Reached[]>(
      (ends, thread) =>
        ends.flatMap(({ place, memory, controls }) => {
          // A way that another choice earlier on has made impossible.
          if (controls[thread] === DONE) return []
          const found = stepper.step(thread, controls[thread]!, memory)
          return Array.from({ length: found }, (_, way) => ({
            place: runs.add(place, thread, way),
            memory: stepper.memories[way]!,
            controls: controls.with(thread, stepper.controls[way]!),
          })).filter((end) => end.controls[thread]! >= 0)
        }),
      [at],
    )
  }

  private isPacked(state: number): boolean {
    return this.here.every((word, i) => word === this.visited.word(state, i))
  }
}
