/** The cells of the table of tests and designs that are small enough for SPIN. */
import { type Run, runTest } from '../../src/check/index.ts'
import type { Design } from '../../src/designs/index.ts'
import type { Exploration } from '../../src/engine/index.ts'
import { exportPromela, type Litmus } from '../../src/litmus/index.ts'

/** What the C compiler makes of larger programs takes minutes. */
export const MANAGEABLE = { states: 12_000, characters: 90_000 }

export interface SmallProgram {
  readonly promela: string
  readonly exploration: Exploration
  readonly ends: Run['ends']
}

/** A test under a design as a Promela program; undefined if that would be too large. */
export function asSmallProgram(litmus: Litmus, { rules }: Design): SmallProgram | undefined {
  const { program, explorer, exploration, ends } = runTest(litmus, rules, {
    limits: { states: MANAGEABLE.states },
  })
  if (exploration.bounded !== undefined) return undefined
  const promela = exportPromela(litmus, program.kernel, explorer)
  return promela.length > MANAGEABLE.characters ? undefined : { promela, exploration, ends }
}
