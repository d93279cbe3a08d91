/** What a worker does for `cowherd claims`: one claim decided. */
import type { RunOptions } from '../check/index.ts'
import { decide } from '../claims/index.ts'
import type { Litmus } from '../litmus/index.ts'
import { type ClaimReport, claimReport } from '../report/claims.ts'
import type { ClaimInput, TestText } from './protocol.ts'

export function decideClaim(
  { claim, tests, width, only }: ClaimInput,
  testFrom: (text: TestText) => Litmus,
  options: RunOptions,
): ClaimReport {
  const cases = only === undefined ? claim.cases : [claim.cases[only.case - 1]!]
  return claimReport(
    decide({ ...claim, cases }, (name) => testFrom(tests[name]!), options),
    width,
    only,
  )
}
