/** What a test shows of a set of rules, in one string: two sets that no one can tell apart give the same. */
import { type Run, runTest } from '../../src/check/index.ts'
import type { ExploreLimits } from '../../src/engine/index.ts'
import type { Litmus } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'

/** Outcomes and failures, one a line. */
export function behaviourOf({ exploration, ends }: Run): string {
  const outcomes = ends.map(({ outcome }) => outcome.key)
  return [...outcomes, ...exploration.failures.map(({ message }) => message)].sort().join('\n')
}

/** The same, with the numbers of copies that each outcome can cost; undefined if a limit was hit. */
export function copiesOf(
  litmus: Litmus,
  rules: Rules,
  limits: ExploreLimits = {},
): { states: number; behaviour: string } | undefined {
  const { program, exploration, ends } = runTest(litmus, rules, { limits }, { countCopies: true })
  if (exploration.bounded !== undefined) return undefined
  const outcomes = ends.map(
    ({ outcome, memories }) =>
      `${outcome.key} ${[...new Set(memories.map((m) => m.get(program.kernel.copies.location)))].sort()}`,
  )
  const failures = exploration.failures.map(({ message }) => message)
  return { states: exploration.states, behaviour: [...outcomes, ...failures].sort().join('\n') }
}
