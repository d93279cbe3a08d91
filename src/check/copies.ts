/** How many copies a test costs under a design: a run of its own, in which new pages wait in LRU batches. */
import type { Design } from '../designs/index.ts'
import type { Bound } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { type RunOptions, runTest } from './run.ts'

export interface Copies {
  /** Fewest and most copies installed in any run. MAX_COPIES means that many or more. */
  readonly least: number
  readonly most: number
  readonly states: number
  /** By what the exploration was cut short; null if it was not. */
  readonly bounded: Bound | null
  /** False if it was, or if some run failed: then there may be others. */
  readonly exhaustive: boolean
}

/** Counts copies of pages: those that write and unsharing faults install, and those that fork makes. */
export function countCopies(test: Litmus, design: Design, options: RunOptions = {}): Copies {
  const { exploration, counts, exhaustive } = countedRuns(test, design, options)
  const all = [...counts.values()].flatMap((numbers) => [...numbers])
  return {
    least: all.length === 0 ? 0 : Math.min(...all),
    most: all.length === 0 ? 0 : Math.max(...all),
    states: exploration.states,
    bounded: exploration.bounded ?? null,
    exhaustive,
  }
}

/** By outcome, the numbers of copies in runs to it; undefined if these may not be all. */
export function copiesByOutcome(
  test: Litmus,
  design: Design,
  options: RunOptions = {},
): Record<string, number[]> | undefined {
  const { counts, exhaustive } = countedRuns(test, design, options)
  if (!exhaustive) return undefined
  return Object.fromEntries([...counts].map(([key, numbers]) => [key, [...numbers].sort((a, b) => a - b)]))
}

function countedRuns(test: Litmus, design: Design, options: RunOptions) {
  const { program, exploration, ends } = runTest(test, design.rules, options, { countCopies: true })
  const { location } = program.kernel.copies
  const counts = new Map(
    ends.map(({ outcome, memories }) => [
      outcome.key,
      new Set(memories.map((memory) => memory.get(location))),
    ]),
  )
  const exhaustive = exploration.bounded === undefined && exploration.failures.length === 0
  return { exploration, counts, exhaustive }
}
