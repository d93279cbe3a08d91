/** Searches in slices, so that somebody can watch them and stop them. */
import type { Estimate, Exploration, Search } from '../engine/index.ts'

/** Called about ten times a second, and in the end, with the numbers so far; false stops the search. */
export type Watch = (progress: Progress) => boolean

export interface Progress {
  readonly states: number
  readonly depth: number
  readonly frontier: number
  readonly milliseconds: number
  /** About how many states there will be, where there is a guess. */
  readonly expected: Estimate | undefined
}

export interface Watching {
  readonly watch?: Watch | undefined
  /** Called before a generator or an operation is run to learn from it, with its name. */
  readonly onReplay?: ((procedure: string) => void) | undefined
  /** Called when that generator has come back. */
  readonly onReplayed?: (() => void) | undefined
  /** Runs all generators and operations once more in the end, to see whether they still do the same: for rules of one's own. */
  readonly recheck?: boolean | undefined
}

const SLICE_MS = 100

/** What whoever watches is told of a search that has come so far. */
export function progressOf(soFar: Exploration, expected: Estimate | undefined): Progress {
  const { states, depth, frontier, milliseconds } = soFar
  return { states, depth, frontier, milliseconds, expected }
}

/**
 * Searches to the end, unless whoever watches does not want that.
 * @param expected what is guessed of the number of states
 * @throws ModelError if the system cannot be explored
 */
export function searchWatched(
  search: Search,
  { watch, onReplayed, recheck }: Watching,
  expected: (soFar: Exploration) => Estimate | undefined = () => undefined,
): void {
  search.learned.automata.onReplayed = onReplayed
  const goesOn = (): boolean | undefined => {
    const soFar = search.result()
    return watch?.(progressOf(soFar, expected(soFar)))
  }
  while (!search.run(SLICE_MS)) {
    if (goesOn() === false) {
      search.stop?.()
      break
    }
  }
  if (recheck) search.learned.recheck()
  // Whoever watches learns that no generator runs any more.
  watch?.(progressOf(search.result(), undefined))
}
