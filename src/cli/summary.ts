/** The suite in numbers, for the first screen: how often what goes wrong under each design. */
import { DESIGNS } from '../designs/index.ts'
import type { CellReport } from '../report/json.ts'
import { limitsOf } from './choices.ts'
import type { Pool } from './pool.ts'
import type { DesignSource, TestText } from './protocol.ts'
import { readTests, SUITE } from './tests.ts'

export interface SummaryRow {
  readonly design: string
  readonly missed: number
  readonly wrong: number
  readonly lost: number
  readonly extra: number
}

export interface Summary {
  readonly tests: number
  /** Tests that would take too long for a first screen. */
  readonly skipped: number
  /** Tests in which copies were counted. */
  readonly counted: number
  readonly rows: readonly SummaryRow[]
  readonly surprises: number
}

/** Tests with more states than that are left to `check`. */
const QUICK_STATES = 6_000
/** Counting copies takes an exploration of its own; tests that need a larger one are left out of it. */
const COUNTING_STATES = 5_000

export function builtIn(name: string): DesignSource {
  return { kind: 'built-in', name }
}

/** Checks the suite's quick tests under every design but the yardstick. */
export async function summarize(pool: Pool): Promise<Summary> {
  const designs = DESIGNS.filter(({ name }) => name !== 'eager').map(({ name }) => name)
  const all = await Promise.all(
    readTests([SUITE]).tests.map(({ file, text }) => checkTest(pool, { file, text }, designs)),
  )
  const table = all.filter((cells) => cells.every(({ exhaustive }) => exhaustive))
  const counted = table.filter((cells) => cells.every(({ copies }) => copies?.exhaustive))
  const extra = counted.map(extraCopies)
  const rows = designs.map((design, d) => {
    const of = (verdict: string): number => table.filter((cells) => cells[d]!.verdict === verdict).length
    return {
      design,
      missed: of('missed-cow'),
      wrong: of('wrong-cow'),
      lost: of('lost-write'),
      extra: extra.reduce((sum, counts) => sum + counts[d]!, 0),
    }
  })
  const surprises = table.flat().filter(({ surprise }) => surprise).length
  return { tests: table.length, skipped: all.length - table.length, counted: counted.length, rows, surprises }
}

async function checkTest(pool: Pool, test: TestText, designs: readonly string[]): Promise<CellReport[]> {
  const limits = { ...limitsOf({}), states: QUICK_STATES }
  const yardstick = await pool.run('yardstick', { test, limits }, 1)
  const check = (name: string, counting: boolean): Promise<CellReport> =>
    pool.run('cell', {
      ...{ test, design: builtIn(name), yardstick, limits },
      ...(counting && { copies: { ...limits, states: COUNTING_STATES } }),
    })
  const [name, ...others] = designs
  const first = await check(name!, yardstick.exhaustive)
  if (!first.exhaustive) return [first]
  const rest = others.map((other) => check(other, first.copies?.exhaustive === true))
  return [first, ...(await Promise.all(rest))]
}

/** For each design, how many more copies a test may cost than under the thriftiest design that is right. */
function extraCopies(cells: readonly CellReport[]): number[] {
  const most = cells.map(({ copies }) => copies?.most ?? 0)
  const right = most.filter((_, d) => cells[d]!.verdict === 'right')
  const fewest = Math.min(...(right.length > 0 ? right : most))
  return most.map((n) => Math.max(0, n - fewest))
}
