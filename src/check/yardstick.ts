/**
 * The yardstick: what a program is entitled to see, and what more it might see if references of
 * certain kinds were promised nothing. One exploration of `eager_all` gives both.
 */
import { eager_all, type Relaxation, relaxationsUsed, sameReference } from '../designs/index.ts'
import type { SearchMode } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { type RunOptions, runTest } from './run.ts'

export interface Yardstick {
  /** By outcome: the sets of relaxations that explain it, the weakest first. An empty set: it is right. */
  readonly explanations: ReadonlyMap<string, readonly (readonly Relaxation[])[]>
  /** True if the exploration was complete; otherwise outcomes may be missing. */
  readonly exhaustive: boolean
  readonly states: number
}

/** Reductions leave out no final memory, but for the numbers of frames. */
const COMPLETELY: SearchMode = { mode: 'breadth-first', reductions: 'auto' }

/**
 * Explores `eager_all`, always breadth-first: what a bounded search of it missed would be called a
 * violation elsewhere.
 */
export function yardstickOf(test: Litmus, options: Omit<RunOptions, 'search'> = {}): Yardstick {
  const { program, exploration, ends } = runTest(test, eager_all.rules, { ...options, search: COMPLETELY })
  const explanations = new Map<string, Relaxation[][]>()
  for (const { outcome, memories } of ends) {
    const sets = new Map<string, Relaxation[]>()
    for (const memory of memories) {
      const set = simplify(relaxationsUsed(program.kernel, memory))
      sets.set(JSON.stringify(set), set)
    }
    explanations.set(outcome.key, minimal([...sets.values()]))
  }
  return { explanations, exhaustive: exploration.bounded === undefined, states: exploration.states }
}

/** Whoever is promised nothing in any circumstance is promised nothing in a particular one. */
function simplify(set: Relaxation[]): Relaxation[] {
  return set.filter(
    (one) =>
      one.circumstance === 'any' ||
      !set.some((other) => other.circumstance === 'any' && sameReference(one.reference, other.reference)),
  )
}

/** Drops sets that contain another one; the weakest first. */
export function minimal(sets: Relaxation[][]): Relaxation[][] {
  const includes = (larger: Relaxation[], smaller: Relaxation[]): boolean =>
    smaller.every((one) => larger.some((other) => covers(other, one)))
  const kept = sets.filter(
    (set) => !sets.some((other) => other !== set && includes(set, other) && !includes(other, set)),
  )
  return kept.sort((a, b) => weight(a) - weight(b))
}

function covers(stronger: Relaxation, weaker: Relaxation): boolean {
  return (
    sameReference(stronger.reference, weaker.reference) &&
    (stronger.circumstance === weaker.circumstance || stronger.circumstance === 'any')
  )
}

function weight(set: readonly Relaxation[]): number {
  return set.reduce((sum, { circumstance }) => sum + (circumstance === 'any' ? 10 : 1), 0)
}
