/**
 * Random runs, for questions too large to be answered: in each state some thread that can go on
 * does so, in some way that it can go, each with the same chance. What is found is real; what is
 * not found may still be there.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { type Coverage, type ExploreLimits, MAX_SEED } from './exploration.ts'
import { setControl } from './packed.ts'
import { StatefulSearch } from './stateful_search.ts'
import type { System } from './system.ts'

export interface RandomRuns {
  readonly seed: number
  readonly runs: number
  readonly steps: number
}

export class RandomWalk extends StatefulSearch {
  private readonly chance
  private readonly order: Int32Array
  /** The state in which the present run is, and how many steps it has made. */
  private state = 0
  private steps = 0
  private runs = 0
  private cut = 0

  /** @throws RangeError if the seed or a number is out of range */
  constructor(
    system: System,
    private readonly wanted: RandomRuns,
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
  ) {
    super(system, limits, onReplay)
    const { seed, runs, steps } = wanted
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED)) {
      throw new RangeError(`a seed of ${seed} is not within 0..${MAX_SEED}`)
    }
    for (const n of [runs, steps]) {
      if (!(Number.isInteger(n) && n >= 1)) throw new RangeError(`${n} runs or steps are not at least 1`)
    }
    this.chance = xoroshiro128plus(seed | 0)
    this.order = Int32Array.from({ length: this.threads }, (_, thread) => thread)
  }

  protected get coverage(): Coverage {
    const { seed, steps } = this.wanted
    return { mode: 'random', seed, steps, runs: this.runs, cut: this.cut }
  }

  /** What other runs find is not known, nor how much that is. */
  protected get frontier(): number {
    return 0
  }

  protected advance(): boolean {
    if (this.runs === 0 && this.steps === 0) this.look(0)
    if (this.steps < this.wanted.steps && this.step()) return false
    if (this.steps === this.wanted.steps && !this.hasEnded()) this.cut++
    this.depth = Math.max(this.depth, this.steps)
    if (++this.runs === this.wanted.runs) return this.stopAt('runs')
    this.begin()
    return false
  }

  private begin(): void {
    this.visited.load(0, this.here)
    this.state = 0
    this.steps = 0
  }

  /** One step of the run; false if there is none, or it fails. */
  private step(): boolean {
    const { chance, order, here, threads } = this
    // Whoever is drawn and cannot go on is not drawn again: each that can has the same chance.
    for (let left = threads; left > 0; left--) {
      const drawn = uniformInt(chance, 0, left - 1)
      const thread = order[drawn]!
      order[drawn] = order[left - 1]!
      order[left - 1] = thread
      const ways = this.waysOf(thread, this.state)
      const all = ways + this.failing
      if (all === 0) continue
      const way = all === 1 ? 0 : uniformInt(chance, 0, all - 1)
      this.steps++
      if (way >= ways) return false
      here[0] = this.memoriesAfter[way]!
      setControl(here, 0, thread, this.controlsAfter[way]!)
      const before = this.visited.count
      this.state = this.add(here, 0, this.state)
      if (this.state === before) this.look(before)
      return true
    }
    this.getStuck(this.state)
    return false
  }
}
