/**
 * What the searches other than breadth-first have in common: they look at one state at a
 * time, keep to limits, and note what goes wrong.
 */
import { AUTOMATON_LIMITS } from './automaton.ts'
import { DONE } from './control.ts'
import {
  type Bound,
  type Coverage,
  checkLimits,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
} from './exploration.ts'
import { Findings } from './findings.ts'
import { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import type { Search } from './search.ts'
import { OutOfMemory } from './segments.ts'
import { Stepper } from './stepper.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

/** Advances between two looks at the clock. */
const CLOCK_EVERY = 1024

export abstract class StatefulSearch implements Search {
  readonly learned: Learned
  readonly memories: Memories
  /** Every state that was found, once. */
  protected readonly visited: Visited
  protected readonly findings: Findings
  protected readonly limits: Required<ExploreLimits>
  protected readonly threads: number
  /** The words of the state that is being looked at. */
  protected readonly here: Int32Array
  /** What `waysOf` found last: the memories and control states afterwards, and which alternatives they are. */
  protected memoriesAfter = new Int32Array(16)
  protected controlsAfter = new Int32Array(16)
  /** How many alternatives of the last `waysOf` failed. */
  protected failing = 0
  protected transitions = 0
  protected depth = 0

  private readonly stepper: Stepper
  private readonly required: boolean[]
  private elapsed = 0
  private over = false
  private bounded: Bound | undefined

  constructor(
    readonly system: System,
    limits: ExploreLimits,
    onReplay: ((procedure: string) => void) | undefined,
  ) {
    this.limits = { ...DEFAULT_LIMITS, automaton: AUTOMATON_LIMITS, ...limits }
    checkLimits(this.limits)
    this.threads = system.threads.length
    this.learned = new Learned(system, this.limits.automaton, onReplay)
    this.memories = new Memories(system.layout.locations)
    this.findings = new Findings(system, this.memories)
    this.stepper = new Stepper(this.learned, this.memories)
    this.visited = new Visited(1 + Math.ceil(this.threads / 2))
    this.required = system.threads.map((thread) => thread.daemon !== true)
    this.here = new Int32Array(this.visited.words)
    this.here[0] = this.memories.internInitial()
    this.learned.controls.forEach(({ initial }, thread) => {
      setControl(this.here, 0, thread, initial)
    })
    this.add(this.here, 0, 0)
    this.findings.checkInvariant(0, 0, undefined)
    if (this.findings.isBroken(0)) this.over = true
  }

  run(budget = Number.POSITIVE_INFINITY): boolean {
    if (this.over) return true
    const began = Date.now()
    const stop = began + Math.min(budget, this.limits.milliseconds - this.elapsed)
    try {
      do this.over = this.advanceSome()
      while (!this.over && Date.now() < stop)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.over = this.stopAt('memory')
    }
    this.elapsed += Date.now() - began
    if (!this.over && this.elapsed >= this.limits.milliseconds) this.over = this.stopAt('time')
    return this.over
  }

  result(): Exploration {
    return {
      search: this.coverage,
      states: this.visited.count,
      transitions: this.transitions,
      memories: this.memories.count,
      depth: this.depth,
      frontier: this.frontier,
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

  protected get byteLength(): number {
    return this.visited.byteLength + this.memories.byteLength
  }

  protected abstract get coverage(): Coverage

  /** States found but not looked at yet. */
  protected abstract get frontier(): number

  /** Goes on a little; true when there is nothing left, or a bound is hit and `stopAt` was called. */
  protected abstract advance(): boolean

  protected stopAt(bound: Bound): true {
    this.bounded = bound
    return true
  }

  /** The number of the state whose words are at `at`, which is added unless it is known. */
  protected add(words: Int32Array, at: number, parent: number): number {
    return this.visited.intern(words, at, this.visited.hash(words, at), parent)
  }

  /**
   * Every way in which a thread can go on from the state that is being looked at: how many are
   * left in `memoriesAfter` and `controlsAfter`. Those that fail are noted and counted in `failing`.
   * @param state what traces call the state that is being looked at
   */
  protected waysOf(thread: number, state: number): number {
    this.failing = 0
    const control = controlAt(this.here, 0, thread)
    if (control === DONE) return 0
    const { stepper, findings } = this
    const known = this.memories.count
    const found = stepper.step(thread, control, this.here[0]!)
    if (found > this.memoriesAfter.length) this.grow(found)
    let ways = 0
    for (let alternative = 0; alternative < found; alternative++) {
      const after = stepper.controls[alternative]!
      if (after < 0) {
        this.failing++
        const message = this.learned.trees.messages[-1 - after]!
        findings.failAt('failure', message, state, { thread, alternative })
        continue
      }
      const next = stepper.memories[alternative]!
      if (next >= known) findings.checkInvariant(next, state, { thread, alternative })
      this.transitions++
      if (findings.isBroken(next)) {
        this.failing++
        continue
      }
      this.memoriesAfter[ways] = next
      this.controlsAfter[ways++] = after
    }
    return ways
  }

  /** Notes what there is to say of the state itself that is being looked at, except of a deadlock. */
  protected look(state: number): void {
    const memory = this.here[0]!
    if (this.hasEnded()) this.findings.reachEnd(memory, state)
    if (this.system.restInvariant === undefined) return
    for (let thread = 0; thread < this.threads; thread++) {
      if (!this.learned.controls[thread]!.atRest(controlAt(this.here, 0, thread))) return
    }
    this.findings.checkRest(memory, state)
  }

  /** Whether every thread that must end has ended in the state that is being looked at. */
  protected hasEnded(): boolean {
    for (let thread = 0; thread < this.threads; thread++) {
      if (this.required[thread] && controlAt(this.here, 0, thread) !== DONE) return false
    }
    return true
  }

  /** Nobody can go on from the state that is being looked at; if somebody must, that is a deadlock. */
  protected getStuck(state: number): void {
    if (!this.hasEnded()) this.findings.failAt('deadlock', 'no thread can go on', state, undefined)
  }

  private advanceSome(): boolean {
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.visited.count > this.limits.states) return this.stopAt('states')
      if (this.advance()) return true
    }
    if (this.byteLength > this.limits.bytes) return this.stopAt('memory')
    return false
  }

  private grow(length: number): void {
    this.memoriesAfter = new Int32Array(length * 2)
    this.controlsAfter = new Int32Array(length * 2)
  }
}

/** The control state of a thread in the state whose words are at `at`. */
export function controlAt(words: Int32Array, at: number, thread: number): number {
  const word = words[at + 1 + (thread >> 1)]!
  return thread & 1 ? word >>> 16 : word & 0xffff
}

/** Puts a thread of the state whose words are at `at` into a control state. */
export function setControl(words: Int32Array, at: number, thread: number, control: number): void {
  const half = at + 1 + (thread >> 1)
  const word = words[half]!
  words[half] = thread & 1 ? (word & 0xffff) | (control << 16) : (word & ~0xffff) | control
}
