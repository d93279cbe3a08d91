/** `cowherd start`: what Cowherd is for, on one screen, found by the machine while you watch. */
import type { Command } from 'commander'
import pc from 'picocolors'
import { DESIGNS } from '../designs/index.ts'
import type { CellReport } from '../report/json.ts'
import { extent } from '../report/table.ts'
import { wrap } from '../report/wrap.ts'
import { limitsOf } from './choices.ts'
import { OK, SURPRISED } from './exit.ts'
import { Pool } from './pool.ts'
import type { DesignSource, TestText } from './protocol.ts'
import { outputColour, outputWidth, ProgressLine, print } from './terminal.ts'
import { findTest, readTests, SUITE } from './tests.ts'

const HOLE = 'vmsplice-child'
const OPEN = 'v5.7'
const CLOSED = 'torvalds'

const STORY = [
  'fork() makes no copies: parent and child share each page, read-only, until one of them writes and gets a copy (copy-on-write).',
  'A pin outlives the mapping: a pipe or a device can keep a page of a process that no longer maps it.',
  'Then someone writes. Is the page still shared, or theirs alone? Linux has changed its answer about ten times.',
]

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('show what Cowherd does, by finding a famous hole in a kernel')
    .action(async () => {
      process.exitCode = await start()
    })
}

async function start(): Promise<number> {
  const width = Math.min(outputWidth(), 100)
  const { bold, dim, yellow, red, green } = pc.createColors(outputColour())
  const paragraph = (text: string): void => print(wrap(text, width).join('\n'))
  const progress = new ProgressLine()
  const pool = new Pool(2)
  try {
    const { test, ...text } = findTest(HOLE)
    print(bold('Copy-on-write and page pinning in Linux, every interleaving'))
    print('')
    for (const sentence of STORY) paragraph(sentence)
    print('')

    print(bold(`CVE-2020-29374, as Linux ${OPEN} has it: the shortest of all runs that show it`))
    const hole = await showHole(pool, text, width)
    print(hole)
    const closed = await checkCell(pool, text, CLOSED)
    const [condition] = test.conditions
    const never = closed.conditions.every(({ holds }) => holds) && closed.verdict === 'right'
    print('')
    print(
      `${bold(`The same program under the rules of ${CLOSED}:`)} ${condition!.text}: ${never ? green('never') : red('possible')} (${extent(closed)})`,
    )
    print('')

    progress.show('the whole suite under every design …')
    const summary = await summarize(pool)
    progress.clear()
    const { tests, rows, surprises } = summary
    print(bold(`${tests} tests under each design: in how many can it happen?`))
    print(dim('design          missed COW  wrong COW  lost write  extra copies'))
    for (const row of rows) {
      const cell = (n: number, size: number): string => {
        const text = String(n).padStart(size)
        return n === 0 ? dim(text) : yellow(text)
      }
      print(
        `${row.design.padEnd(14)}${cell(row.missed, 12)}${cell(row.wrong, 11)}${cell(row.lost, 12)}${cell(row.extra, 14)}`,
      )
    }
    paragraph(
      surprises === 0
        ? 'All of these are known and reproduced: each test says what is expected of each design, and why.'
        : red(`${surprises} of these are surprises: not what the tests expect. See npx cowherd check.`),
    )
    print(dim(wrap(LEGEND, width).join('\n')))
    print('')
    print(bold('Go on'))
    print(`  npx cowherd show ${HOLE} --design ${OPEN}   ${dim('the run above, step by step')}`)
    print(`  npx cowherd check --design all              ${dim('every test under every design')}`)
    print(`  npx cowherd new my.litmus                   ${dim('a test of your own to start from')}`)
    return surprises === 0 && never ? OK : SURPRISED
  } finally {
    progress.clear()
    await pool.close()
  }
}

const LEGEND =
  'missed COW: a process sees what another stored after fork. wrong COW: a reference that was promised to show ' +
  'its owner’s page no longer does. lost write: a store vanishes. extra copies: copies beyond the fewest that ' +
  'any design that is right there makes, summed over the tests.'

/** The run, folded, and why it is wrong, without the heading of `cowherd show`. */
async function showHole(pool: Pool, test: TestText, width: number): Promise<string> {
  const limits = limitsOf({})
  const yardstick = await pool.run('yardstick', { test, limits })
  const answer = await pool.run('show', {
    ...{ test, design: builtIn(OPEN), yardstick, limits, terms: undefined, copies: false },
    ...{ width, colour: outputColour(), fold: 15 },
  })
  if (answer.kind === 'none') return ''
  return answer.text.split('\n\n').slice(1).join('\n\n').trimEnd()
}

async function checkCell(pool: Pool, test: TestText, design: string, copies = false): Promise<CellReport> {
  const limits = limitsOf({})
  const yardstick = await pool.run('yardstick', { test, limits })
  return pool.run('cell', { test, design: builtIn(design), yardstick, limits, copies })
}

function builtIn(name: string): DesignSource {
  return { kind: 'built-in', name }
}

interface SummaryRow {
  readonly design: string
  readonly missed: number
  readonly wrong: number
  readonly lost: number
  readonly extra: number
}

interface Summary {
  readonly tests: number
  readonly rows: readonly SummaryRow[]
  readonly surprises: number
}

async function summarize(pool: Pool): Promise<Summary> {
  const { tests } = readTests([SUITE])
  const designs = DESIGNS.filter(({ name }) => name !== 'eager').map(({ name }) => name)
  const limits = limitsOf({})
  const table = await Promise.all(
    tests.map(async ({ file, text }) => {
      const test = { file, text }
      const yardstick = await pool.run('yardstick', { test, limits }, 1)
      return Promise.all(
        designs.map((name) =>
          pool.run('cell', { test, design: builtIn(name), yardstick, limits, copies: true }),
        ),
      )
    }),
  )
  const extra = table.map(extraCopies)
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
  return { tests: tests.length, rows, surprises: table.flat().filter(({ surprise }) => surprise).length }
}

/** For each design, how many more copies a test may cost than under the thriftiest design that is right. */
function extraCopies(cells: readonly CellReport[]): number[] {
  const most = cells.map(({ copies }) => copies?.most ?? 0)
  const right = most.filter((_, d) => cells[d]!.verdict === 'right')
  const fewest = Math.min(...(right.length > 0 ? right : most))
  return most.map((n) => Math.max(0, n - fewest))
}
