/** `cowherd start`: what Cowherd is for, on one screen, found by the machine while you watch. */
import type { Command } from 'commander'
import pc from 'picocolors'
import { extent } from '../report/words.ts'
import { wrap } from '../report/wrap.ts'
import { limitsOf } from './choices.ts'
import { OK, SURPRISED } from './exit.ts'
import { Pool } from './pool.ts'
import type { CellInput } from './protocol.ts'
import { builtIn, summarize } from './summary.ts'
import { outputColour, outputWidth, ProgressLine, print } from './terminal.ts'
import { findTest } from './tests.ts'

/** The urgency of what stands at the top of the screen. */
const FIRST = Number.POSITIVE_INFINITY

const HOLE = 'vmsplice-child'
const OPEN = 'v5.7'
const CLOSED = 'torvalds'

const STORY = [
  'fork() makes no copies: parent and child share each page, read-only, until one of them writes and gets a copy (copy-on-write).',
  'A pin outlives the mapping: a pipe or a device can keep a page of a process that no longer maps it.',
  'Then someone writes. Is the page still shared, or theirs alone? Linux has changed its answer about ten times.',
]

const NEXT = [
  [`npx cowherd show ${HOLE} --design ${OPEN}`, 'the run above, step by step'],
  ['npx cowherd check --design all', 'every test and design'],
  ['npx cowherd claims', 'what kernel developers claimed in December 2021, decided'],
  ['npx cowherd new my.litmus', 'a test of your own'],
] as const

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
    const limits = limitsOf({})
    const yardstick = await pool.run('yardstick', { test: text, limits }, FIRST)
    const shown = showHole(pool, { test: text, design: builtIn(OPEN), yardstick, limits }, width)
    const checked = pool.run('cell', { test: text, design: builtIn(CLOSED), yardstick, limits }, FIRST)
    // The suite is explored while people read.
    const summarized = summarize(pool)
    summarized.catch(() => {})
    print(await shown)
    const closed = await checked
    const [condition] = test.conditions
    const never = closed.conditions.every(({ holds }) => holds) && closed.verdict === 'right'
    print('')
    print(bold(`The same program under the rules of ${CLOSED}`))
    print(`${condition!.text}: ${never ? green('never') : red('possible')} (${extent(closed)})`)
    print('')

    progress.show('the suite under every design …')
    const summary = await summarized
    progress.clear()
    const { tests, skipped, counted, rows, surprises } = summary
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
        ? 'All of these are known, and reproduced: each test says what is expected of each design, and why.'
        : red(`${surprises} of these are surprises: not what the tests expect. See npx cowherd check.`),
    )
    print(dim(wrap(legend(tests, skipped, counted), width).join('\n')))
    print('')
    print(bold('Go on'))
    for (const [command, what] of NEXT) print(`  ${command.padEnd(45)} ${dim(what)}`)
    return surprises === 0 && never ? OK : SURPRISED
  } finally {
    progress.clear()
    await pool.close()
  }
}

function legend(tests: number, skipped: number, counted: number): string {
  const where = counted === tests ? 'the tests' : `the ${counted} tests that are quick to count in`
  return (
    'missed COW: a process sees what another stored after fork. wrong COW: a reference that was promised to ' +
    'show its owner’s page no longer does. lost write: a store vanishes, or shows where it was not made. extra copies: copies beyond the fewest ' +
    `that any design makes that is right there, summed over ${where}.${skipped === 0 ? '' : ` ${skipped} tests take longer, and are left to the command below.`}`
  )
}

/** The run, folded, and why it is wrong, without the heading of `cowherd show`. */
async function showHole(pool: Pool, cell: CellInput, width: number): Promise<string> {
  const options = { terms: undefined, copies: false, width, colour: outputColour(), fold: 15 }
  const answer = await pool.run('show', { ...cell, ...options }, FIRST)
  if (answer.kind === 'none') return ''
  return answer.text.split('\n\n').slice(1).join('\n\n').trimEnd()
}
