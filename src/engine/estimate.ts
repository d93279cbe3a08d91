/**
 * How many states a breadth-first search may come to, guessed while it runs.
 *
 * Levels grow, then shrink; the smaller a part of all states found so far the last level is, the
 * nearer is the end. How near, the suite of litmus tests has told: for each such part, the table has by how
 * much the number of states still grew in all but the lowest and the highest tenth of the cases
 * (`npm run bench:estimates` measures it anew, and how often it is right for tests that were left out of it).
 * Early it tells a lower bound at most. What levels tell of the whole is studied by Pelánek and
 * Šimeček, Estimating state space parameters, PDMC 2008.
 */
import type { Level } from './exploration.ts'

export interface Estimate {
  readonly low: number
  /** Infinite where nobody knows. */
  readonly high: number
}

/** Up to that part: the states found so far times the first number to times the second. */
export const GROWTH: readonly (readonly [part: number, low: number, high: number])[] = [
  [0.005, 1.0, 1.05],
  [0.01, 1.03, 1.23],
  [0.015, 1.07, 1.47],
  [0.02, 1.16, 3.12],
  [0.03, 1.26, 4.22],
  [0.04, 1.57, 7.86],
  [0.05, 1.91, 16.4],
  [0.06, 2.26, 32.2],
  [0.08, 2.86, 45.7],
  [0.1, 3.82, 80.5],
  [1, 4.86, 152],
]

/** Earlier than that there is nothing to learn from. */
export const LEAST_DEPTH = 8
export const LEAST_STATES = 500
/** A range wider than that is none: only its lower end is worth saying. */
const WIDEST = 10

/** About how many states there will be in the end; undefined if it is too early to say. */
export function estimateStates({ depth, last, upTo }: Level): Estimate | undefined {
  if (depth < LEAST_DEPTH || upTo < LEAST_STATES) return undefined
  const part = last / upTo
  const [, low, high] = GROWTH.find(([most]) => part <= most)!
  return { low: upTo * low, high: high / low > WIDEST ? Number.POSITIVE_INFINITY : upTo * high }
}
