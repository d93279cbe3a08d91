/** From the name of a mode to a search. */
import { DepthFirst } from './depth_first.ts'
import type { ExploreLimits, SearchMode } from './exploration.ts'
import { Explorer } from './explore.ts'
import { ParallelExplorer, type Team } from './parallel.ts'
import { FewPreemptions } from './preemptions.ts'
import { RandomWalk } from './random_walk.ts'
import type { Search } from './search.ts'
import type { System } from './system.ts'

export const BREADTH_FIRST: SearchMode = { mode: 'breadth-first' }

/**
 * Begins a search of a system.
 * @param onReplay called before a generator runs to be learned from, with its name: a watchdog's heartbeat
 * @param team threads to be called for help; only a breadth-first search does that
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
    case 'breadth-first':
      return team === undefined
        ? new Explorer(system, limits, onReplay)
        : new ParallelExplorer(system, team, limits, onReplay)
    case 'depth-first':
      return new DepthFirst(system, limits, onReplay)
    case 'random':
      return new RandomWalk(system, mode, limits, onReplay)
    case 'preemptions':
      return new FewPreemptions(system, mode.most, limits, onReplay)
  }
}
