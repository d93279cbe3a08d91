/** What came out of `cowherd check`, for those who print it and for the exit code. */
import type { Row } from '../report/table.ts'
import type { Column } from './check_run.ts'
import type { TestFile } from './tests.ts'

export interface Result {
  readonly columns: readonly Column[]
  readonly tests: readonly TestFile[]
  readonly rows: readonly Row[]
  readonly unreadable: readonly string[]
  readonly milliseconds: number
  readonly interrupted: boolean
}

/** The result in numbers. */
export function summaryOf(result: Result) {
  const entries = result.rows.flatMap((row) => row.entries)
  const reports = entries.flatMap((entry) => (entry.status === 'done' ? [entry.report] : []))
  return {
    tests: result.rows.length,
    designs: result.columns.length,
    cells: reports.length,
    states: reports.reduce((sum, { states }) => sum + states, 0),
    milliseconds: result.milliseconds,
    surprises: reports.filter(({ surprise }) => surprise).length,
    bounded: reports.filter(({ exhaustive }) => !exhaustive).length,
    unfinished: entries.filter(({ status }) => status === 'unfinished').length,
    errors: entries.filter(({ status }) => status === 'error').length + result.unreadable.length,
    interrupted: result.interrupted,
  }
}
