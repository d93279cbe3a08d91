/** What `cowherd check --json` prints. */
import { forMachines, JSON_VERSION } from '../report/json.ts'
import { type Result, summaryOf } from './check_result.ts'
import { version } from './version.ts'

/** The whole result. */
export function document(result: Result) {
  return {
    version: JSON_VERSION,
    cowherd: version(),
    designs: result.columns.map(({ name, title }) => ({ name, title })),
    tests: result.tests.map(({ test, file, group }, i) => ({
      name: test.name,
      file,
      group,
      description: test.description,
      cells: result.rows[i]!.entries.map((entry, c) => ({
        design: result.columns[c]!.name,
        status: entry.status,
        ...(entry.status === 'done' && forMachines(entry.report)),
        ...(entry.status === 'error' && { message: entry.message }),
      })),
    })),
    unreadable: result.unreadable,
    summary: summaryOf(result),
  }
}
