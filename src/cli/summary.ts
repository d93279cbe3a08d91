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
  /** Tests in which copies were counted. */
  readonly counted: number
  readonly rows: readonly SummaryRow[]
  readonly surprises: number
}

/** Counting copies takes an exploration of its own; tests that need a larger one are left out. */
const COUNTING_STATES = 5_000

export function builtIn(name: string): DesignSource {
  return { kind: 'built-in', name }
}

/** Checks the whole suite under every design but the yardstick. */
export async function summarize(pool: Pool): Promise<Summary> {
  const designs = DESIGNS.filter(({ name }) => name !== 'eager').map(({ name }) => name)
  const table = await Promise.all(
    readTests([SUITE]).tests.map(({ file, text }) => checkTest(pool, { file, text }, designs)),
  )
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
  return { tests: table.length, counted: counted.length, rows, surprises }
}

async function checkTest(pool: Pool, test: TestText, designs: readonly string[]): Promise<CellReport[]> {
  const limits = limitsOf({})
  const yardstick = await pool.run('yardstick', { test, limits }, 1)
  const check = (name: string, counting: boolean): Promise<CellReport> =>
    pool.run('cell', {
      ...{ test, design: builtIn(name), yardstick, limits },
      ...(counting && { copies: { ...limits, states: COUNTING_STATES } }),
    })
  const [name, ...others] = designs
  const first = await check(name!, true)
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
