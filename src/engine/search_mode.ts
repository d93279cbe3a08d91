/** From the name of a mode to a search. */
import { Adaptive } from './adaptive.ts'
import { CompactedSearch } from './compacted.ts'
import { DepthFirst } from './depth_first.ts'
import type { ExploreLimits, SearchMode } from './exploration.ts'
import { Explorer } from './explore.ts'
import { ParallelExplorer, type Team } from './parallel.ts'
import { FewPreemptions } from './preemptions.ts'
import { RandomWalk } from './random_walk.ts'
import { ReducedSearch } from './reduced.ts'
import type { Search } from './search.ts'
import type { System } from './system.ts'

export const BREADTH_FIRST: SearchMode = { mode: 'breadth-first' }

/**
 * Begins a search of a system.
 * @param onReplay called before a generator runs to be learned from, with its name: a watchdog's heartbeat
 * @param team threads to be called for help; only a breadth-first search without reductions does that, and so does `auto` until it makes some
 * @throws RangeError if a limit or a number of the mode is out of range
 * @throws ModelError if the system cannot be explored
 */
export function searchOf(
  system: System,
  mode: SearchMode = BREADTH_FIRST,
  limits: ExploreLimits = {},
  onReplay?: (procedure: string) => void,
  team?: Team,
): Search {
  switch (mode.mode) {
    case 'breadth-first': {
      const { reductions = [] } = mode
      if (reductions !== 'auto' && reductions.length > 0) {
        return new ReducedSearch(system, reductions, limits, onReplay)
      }
      if (reductions === 'auto') return new Adaptive(system, limits, onReplay, undefined, team)
      if (team !== undefined) return new ParallelExplorer(system, team, limits, onReplay)
      return new Explorer(system, limits, onReplay)
    }
    case 'hash-compaction':
      return new CompactedSearch(system, limits, onReplay)
    case 'depth-first':
      return new DepthFirst(system, limits, onReplay)
    case 'random':
      return new RandomWalk(system, mode, limits, onReplay)
    case 'preemptions':
      return new FewPreemptions(system, mode.most, limits, onReplay)
  }
}
