/** How many copies a test costs under a design: a run of its own, in which new pages wait in LRU batches. */
import type { Design } from '../designs/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { type RunOptions, runTest } from './run.ts'

export interface Copies {
  /** Fewest and most copies installed in any run. MAX_COPIES means that many or more. */
  readonly least: number
  readonly most: number
  readonly states: number
  /** False if the exploration was bounded or some run failed: then there may be others. */
  readonly exhaustive: boolean
}

/** Counts copies of pages: those that write and unsharing faults install, and those that fork makes. */
export function countCopies(test: Litmus, design: Design, options: RunOptions = {}): Copies {
  const { program, exploration, ends } = runTest(test, design.rules, options, { countCopies: true })
  const counts = ends.flatMap(({ memories }) =>
    memories.map((memory) => memory.get(program.kernel.copies.location)),
  )
  return {
    least: counts.length === 0 ? 0 : Math.min(...counts),
    most: counts.length === 0 ? 0 : Math.max(...counts),
    states: exploration.states,
    exhaustive: exploration.bounded === undefined && exploration.failures.length === 0,
  }
}
