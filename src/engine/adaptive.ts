/**
 * Exploration without reductions as long as it is small, and with all of them if it is not: a
 * small one is over before reductions have paid for themselves, and its numbers are those that
 * anybody else would count. It is not small either if it does not fit into memory. Several threads
 * may share in it as long as it is small. Where a model tells interchangeable things apart by their numbers, it does without symmetry.
 */
import { Earlier } from './earlier.ts'
import { ModelError } from './error.ts'
import {
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
  REDUCTIONS,
  type Reduction,
} from './exploration.ts'
import { Explorer } from './explore.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { ParallelExplorer, type Team } from './parallel.ts'
import { ReducedSearch } from './reduced.ts'
import type { Search, States } from './search.ts'
import { OutOfMemory } from './segments.ts'
import type { System } from './system.ts'

/** What is left where things are told apart by their numbers. */
const WITHOUT_SYMMETRY = ['merging'] as const

/** States without reductions before they are tried: some hundred megabytes, and less time than reductions would take. */
const SMALL = 10_000_000

export class Adaptive implements Search {
  private search: Search
  /** What the search leaves out; the first one nothing. */
  private reductions: readonly Reduction[] = []
  private elapsed = 0
  private full = false
  /** What was found without reductions, for each of the searches that may follow. */
  private earlier: Earlier[] = []

  constructor(
    readonly system: System,
    private readonly limits: ExploreLimits,
    private readonly onReplay: ((procedure: string) => void) | undefined,
    /** How many states without reductions are few. */
    private readonly small = SMALL,
    team?: Team,
  ) {
    const states = Math.min(limits.states ?? DEFAULT_LIMITS.states, small)
    const all = { ...limits, states }
    this.search =
      team === undefined
        ? new Explorer(system, all, onReplay)
        : new ParallelExplorer(system, team, all, onReplay)
  }

  run(budget = Number.POSITIVE_INFINITY): boolean {
    const began = Date.now()
    const left = (): number => Math.max(0, budget - (Date.now() - began))
    try {
      const over = this.search.run(budget)
      if (this.reductions.length > 0 || !over || !this.isTooLarge()) return over
      const since = Date.now()
      this.keepFinds()
      this.beginAnew(REDUCTIONS, since)
      return this.run(left())
    } catch (error) {
      if (error instanceof OutOfMemory) {
        // There is no room to begin anew: that was it.
        this.full = true
        return true
      }
      if (!this.isOrdered(error)) throw error
      this.search.learned.automata.onReplayed?.()
      this.beginAnew(WITHOUT_SYMMETRY, began)
      return this.run(left())
    }
  }

  stop(): void {
    this.search.stop?.()
  }

  /** Whether there are too many states without reductions, and more are wanted, or can be had with them. */
  private isTooLarge(): boolean {
    const { bounded } = this.search.result()
    if (bounded === 'states') return (this.limits.states ?? DEFAULT_LIMITS.states) > this.small
    return bounded === 'memory'
  }

  /** Whether the model orders things by their numbers. Nobody asked for symmetry: the search can do without. */
  private isOrdered(error: unknown): boolean {
    return error instanceof ModelError && error.fault === 'asymmetric' && this.reductions === REDUCTIONS
  }

  /** Keeps what was found without reductions; nobody else will look again at the code that it came from. */
  private keepFinds(): void {
    const { search } = this
    search.learned.recheck()
    const finds = search.result()
    this.earlier = [new Earlier(), new Earlier()]
    for (const earlier of this.earlier) earlier.noteAsRan(search, finds)
  }

  /**
   * Begins anew with reductions.
   * @param since when the time began that the search before has not counted
   */
  private beginAnew(reductions: readonly Reduction[], since: number): void {
    const { search } = this
    const elapsed = this.elapsed + search.result().milliseconds + Date.now() - since
    const limits = leftOf(this.limits, elapsed)
    // What is found by a symmetry that is none need not be there: the next search has an `Earlier` of its own.
    this.search = new ReducedSearch(this.system, reductions, limits, this.onReplay, this.earlier.pop())
    this.search.learned.automata.onReplayed = search.learned.automata.onReplayed
    this.reductions = reductions
    this.elapsed = elapsed
  }

  result(): Exploration {
    const result = this.search.result()
    const milliseconds = this.elapsed + result.milliseconds
    return { ...result, milliseconds, ...(this.full && { bounded: 'memory' }) }
  }

  get learned(): Learned {
    return this.search.learned
  }

  get memories(): Memories {
    return this.search.memories
  }

  get count(): number {
    return this.search.count
  }

  memoryOf(state: number): number {
    return this.search.memoryOf(state)
  }

  controlOf(state: number, thread: number): number {
    return this.search.controlOf(state, thread)
  }

  parentOf(state: number): number {
    return this.search.parentOf(state)
  }

  concrete(state: number): States | undefined {
    return this.search.concrete?.(state)
  }
}

/** Limits after so much time has gone by. */
function leftOf(limits: ExploreLimits, elapsed: number): ExploreLimits {
  if (limits.milliseconds === undefined) return limits
  return { ...limits, milliseconds: Math.max(0, limits.milliseconds - elapsed) }
}
