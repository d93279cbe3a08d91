/** What a worker does for `cowherd history`: the dead history of all tests under one design. */
import { type RunOptions, runTest } from '../check/index.ts'
import type { Design } from '../designs/index.ts'
import { type Cause, deadHistory } from '../engine/index.ts'
import type { Litmus } from '../litmus/index.ts'

export interface DesignHistory {
  readonly states: number
  readonly folded: number
  /** Tests that were ended early or not begun, of which nothing is said. */
  readonly bounded: number
  readonly interrupted: boolean
  readonly causes: readonly (Cause & { readonly test: string })[]
}

export function historyOf(
  tests: readonly Litmus[],
  { rules }: Design,
  options: RunOptions,
  isStopped: () => boolean,
): DesignHistory {
  let states = 0
  let folded = 0
  let bounded = 0
  const causes: (Cause & { test: string })[] = []
  for (const [i, test] of tests.entries()) {
    const { explorer, exploration } = runTest(test, rules, options)
    if (exploration.bounded !== undefined) bounded++
    else {
      const history = deadHistory(explorer)
      states += history.states
      folded += history.folded
      causes.push(...history.causes.map((cause) => ({ ...cause, test: test.name })))
    }
    if (exploration.bounded === 'interrupted' || isStopped()) {
      bounded += tests.length - 1 - i
      return { states, folded, bounded, interrupted: true, causes }
    }
  }
  return { states, folded, bounded, interrupted: false, causes }
}
