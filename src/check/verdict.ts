/** How bad a verdict is, and what a failed run counts as. */
import type { FailedRun } from '../engine/index.ts'
import { FAILURES, type Failure, VERDICTS, type Verdict } from '../litmus/ast.ts'

export type CellVerdict = Verdict | Failure

const SEVERITY: readonly CellVerdict[] = [...VERDICTS, ...FAILURES]

/** The worst of some verdicts; `right` if there are none. */
export function worst(verdicts: Iterable<CellVerdict>): CellVerdict {
  let result: CellVerdict = 'right'
  for (const verdict of verdicts) {
    if (SEVERITY.indexOf(verdict) > SEVERITY.indexOf(result)) result = verdict
  }
  return result
}

/** What a run that the engine ended as a failure counts as. */
export function failureOf(failed: FailedRun): Failure {
  if (failed.kind === 'deadlock') return 'deadlock'
  if (failed.message.startsWith('use after free')) return 'use-after-free'
  if (failed.message.startsWith('leak')) return 'leak'
  return 'broken-invariant'
}
