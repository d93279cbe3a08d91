/** How many states a system has, guessed before it is explored. */
import { type Estimate, type ExploreLimits, type System, searchOf } from '../engine/index.ts'
import { searchWatched, type Watching } from './watched.ts'

export interface Expected {
  readonly states: Estimate
  /** Whether that is no guess: all of them were found. */
  readonly exact: boolean
}

/**
 * Searches runs with few preemptions, within limits, and guesses from them.
 * @returns undefined if whoever watches does not want to wait
 * @throws ModelError if the system cannot be explored
 */
export function expectStates(
  system: System,
  { limits, ...watching }: Watching & { readonly limits: ExploreLimits },
): Expected | undefined {
  const few = { mode: 'preemptions', most: Number.MAX_SAFE_INTEGER } as const
  const search = searchOf(system, few, limits, watching.onReplay)
  searchWatched(search, watching)
  const { states, bounded } = search.result()
  if (bounded === 'interrupted') return undefined
  if (bounded === undefined) return { states: { low: states, high: states }, exact: true }
  const atLeast = { low: states, high: Number.POSITIVE_INFINITY }
  return { states: search.guessStates?.() ?? atLeast, exact: false }
}
