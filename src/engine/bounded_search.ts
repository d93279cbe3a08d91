/**
 * What the searches that one thread makes have in common: they go on in slices, keep to limits,
 * note what goes wrong, and say how far they came.
 */
import { AUTOMATON_LIMITS } from './automaton.ts'
import {
  type Bound,
  type Coverage,
  checkLimits,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
  type Level,
} from './exploration.ts'
import { Findings } from './findings.ts'
import { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import type { Search } from './search.ts'
import { OutOfMemory } from './segments.ts'
import { Stepper } from './stepper.ts'
import type { System } from './system.ts'

export abstract class BoundedSearch implements Search {
  readonly learned: Learned
  readonly memories: Memories
  protected readonly limits: Required<ExploreLimits>
  protected readonly stepper: Stepper
  protected findings: Findings
  protected transitions = 0
  protected depth = 0
  private elapsed = 0
  private over = false
  private bounded: Bound | undefined

  /**
   * @param onReplay called before a generator runs to be learned from, with its name: a watchdog's heartbeat
   * @throws RangeError if a limit is out of range
   */
  constructor(
    readonly system: System,
    limits: ExploreLimits,
    onReplay: ((procedure: string) => void) | undefined,
  ) {
    this.limits = { ...DEFAULT_LIMITS, automaton: AUTOMATON_LIMITS, ...limits }
    checkLimits(this.limits)
    this.learned = new Learned(system, this.limits.automaton, onReplay)
    this.memories = new Memories(system.layout.locations)
    this.stepper = new Stepper(this.learned, this.memories)
    this.findings = new Findings(system, this.memories)
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
      // What was found stays; what was just being added is lost, as all behind a bound is.
      this.bounded = 'memory'
      this.over = true
    }
    this.elapsed += Date.now() - began
    if (!this.over && this.elapsed >= this.limits.milliseconds) this.over = this.stopAt('time')
    return this.over
  }

  result(): Exploration {
    return {
      search: this.coverage,
      states: this.states,
      transitions: this.transitions,
      memories: this.memories.count,
      depth: this.depth,
      ...(this.level !== undefined && { level: this.level }),
      frontier: this.frontier,
      milliseconds: this.elapsed,
      bytes: this.byteLength,
      bounded: this.bounded ?? (this.over ? undefined : 'interrupted'),
      finals: this.findings.finals,
      failures: this.findings.failures,
    }
  }

  abstract get count(): number
  abstract memoryOf(state: number): number
  abstract controlOf(state: number, thread: number): number
  abstract parentOf(state: number): number

  /** Different states that were found. */
  protected abstract get states(): number

  protected abstract get coverage(): Coverage

  /** States found but not looked at yet. */
  protected abstract get frontier(): number

  /** Bytes that grow with the number of states. */
  protected abstract get byteLength(): number

  /** The last level that was found whole, where there are levels. */
  protected get level(): Level | undefined {
    return undefined
  }

  /**
   * Goes on for about a millisecond; true when there is nothing left, or a bound is hit and
   * `stopAt` was called.
   * @throws OutOfMemory
   */
  protected abstract advanceSome(): boolean

  /** There is nothing to be looked at from the beginning. */
  protected end(): void {
    this.over = true
  }

  protected stopAt(bound: Bound): true {
    this.bounded = bound
    return true
  }
}
