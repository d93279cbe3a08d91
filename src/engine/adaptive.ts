/**
 * Exploration without reductions as long as it is small, and with all of them if it is not: a
 * small one is over before reductions have paid for themselves, and its numbers are those that
 * anybody else would count. It is not small either if it does not fit into memory. Several threads
 * may share in it as long as it is small.
 */
import { Earlier } from './earlier.ts'
import { DEFAULT_LIMITS, type Exploration, type ExploreLimits, REDUCTIONS } from './exploration.ts'
import { Explorer } from './explore.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { ParallelExplorer, type Team } from './parallel.ts'
import { ReducedSearch } from './reduced.ts'
import type { Search, States } from './search.ts'
import { OutOfMemory } from './segments.ts'
import type { System } from './system.ts'

/** States without reductions before they are tried: some hundred megabytes, and less time than reductions would take. */
const SMALL = 10_000_000

export class Adaptive implements Search {
  private search: Search
  private reduced = false
  private elapsed = 0
  private full = false

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
    const over = this.search.run(budget)
    if (this.reduced || !over || !this.isTooLarge()) return over
    this.reduced = true
    try {
      this.switch()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      // There is no room to begin anew: that was it.
      this.full = true
      return true
    }
    return this.search.run(Math.max(0, budget - (Date.now() - began)))
  }

  stop(): void {
    this.search.stop?.()
  }

  get byChance(): boolean {
    return this.search.byChance ?? false
  }

  /** Whether there are too many states without reductions, and more are wanted, or can be had with them. */
  private isTooLarge(): boolean {
    const { bounded } = this.search.result()
    if (bounded === 'states') return (this.limits.states ?? DEFAULT_LIMITS.states) > this.small
    return bounded === 'memory'
  }

  /** Begins anew with reductions. What was found remains. */
  private switch(): void {
    const { search } = this
    const began = Date.now()
    const result = search.result()
    const earlier = new Earlier()
    earlier.noteAsRan(search, result)
    const elapsed = result.milliseconds + Date.now() - began
    const limits = leftOf(this.limits, elapsed)
    this.search = new ReducedSearch(this.system, REDUCTIONS, limits, this.onReplay, earlier)
    this.search.learned.automata.onReplayed = search.learned.automata.onReplayed
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
