import { expect } from 'vitest'
import { type ExploreLimits, Explorer, type System } from '../../src/engine/index.ts'
import { memoryKey, type NaiveResult, naiveExplore } from '../naive.ts'

/** Explores completely, and fails the test if a limit stops it. */
export function exploreAll(system: System, limits: ExploreLimits = {}): Explorer {
  const explorer = new Explorer(system, limits)
  explorer.run()
  expect(explorer.result().bounded).toBeUndefined()
  return explorer
}

/** The messages of what goes wrong, as `kind message`. */
export function failuresOf(explorer: Explorer): string[] {
  return explorer.result().failures.map(({ kind, message }) => `${kind} ${message}`)
}

/** The memories in which a run can end, each as its bytes joined by commas. */
export function finalsOf(explorer: Explorer): string[] {
  return explorer.result().finals.map(({ bytes }) => memoryKey(bytes))
}

/** Checks that the engine and the naive explorer say the same of a system. */
export function expectSameAsNaive(
  system: System,
  maxStates?: number,
): { explorer: Explorer; naive: NaiveResult } {
  const naive = naiveExplore(system, maxStates)
  const explorer = exploreAll(system)
  const { states, transitions, depth } = explorer.result()
  expect({
    states,
    transitions,
    depth,
    finals: finalsOf(explorer).sort(),
    failures: failuresOf(explorer).sort(),
  }).toEqual({
    states: naive.states,
    transitions: naive.transitions,
    depth: naive.depth,
    finals: [...naive.finals].sort(),
    failures: [...naive.failures].sort(),
  })
  return { explorer, naive }
}
