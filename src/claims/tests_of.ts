import type { Claim } from './claim.ts'

/** The tests that a claim's experiments need. */
export function testsOf({ cases }: Claim): string[] {
  return cases.flatMap(({ test, asks }) => ('looks like' in asks ? [test, asks['looks like']] : [test]))
}
