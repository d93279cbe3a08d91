/** docs/scaling.md: what was measured, size by size. */
import { count } from '../src/report/count.ts'
import { type Size, testOf } from './scaling_tests.ts'

/** It came to a limit, or is larger than what did. */
export const BEYOND = 'beyond'

export interface Measured {
  readonly states: number
  readonly seconds: number
  /** The most that the process had in memory. */
  readonly bytes: number
}

export interface ScalingRow extends Size {
  readonly full: Measured | typeof BEYOND
  readonly reduced: Measured | typeof BEYOND
}

export interface Limits {
  readonly design: string
  readonly seconds: number
  readonly states: number
  readonly bytes: number
}

/** The page. */
export function scalingPage(rows: readonly ScalingRow[], limits: Limits): string {
  const lines = [
    '# How states, time and memory grow',
    '',
    'Tests of 2 to 4 processes, 1 to 3 pages and 1 to 4 operations of each process, under',
    `${limits.design}, without reductions and with all of them (\`docs/engine-reductions.md\`).`,
    '`npm run bench:scaling` writes the tests, explores each in a fresh process, and writes this page and',
    'the chart.',
    '',
    '![States, seconds and memory against the operations of each process](scaling.svg)',
    '',
    'A row of the chart is what was measured, on a logarithmic scale; a column, so many processes. Lines without',
    'reductions are dashed. A triangle at the upper edge is a size that is *beyond* the limits:',
    `${count(limits.states)} states, ${limits.seconds} seconds or ${count(limits.bytes / 2 ** 20)} MiB of states, or larger than one that is`,
    '(more processes or operations, the same pages). Seconds are those of the exploration, learning',
    'and outcomes included, on a machine with other things to do; memory is the most that the process',
    'had, of which Node alone takes some 60 MiB. Where both came to their end, they have the same outcomes.',
    '',
    ...summary(rows),
    '',
    'The parent forks all its children; then each process stores, loads, pins for reading and reads',
    'through the pin, as far as it gets, and takes the pages in turn. The largest test:',
    '',
    '```',
    testOf({ processes: 4, pages: 3, operations: 4 }).trimEnd(),
    '```',
    '',
    '| processes | pages | operations | states | reduced | factor | s | s, reduced | MiB | MiB, reduced |',
    '|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows.map(lineOf),
  ]
  return `${lines.join('\n')}\n`
}

function summary(rows: readonly ScalingRow[]): string[] {
  const both = rows.flatMap(({ full, reduced }) =>
    full === BEYOND || reduced === BEYOND ? [] : [{ full, reduced, factor: full.states / reduced.states }],
  )
  const factors = both.map(({ factor }) => factor).sort((a, b) => a - b)
  const [least, median, most] = [0, factors.length >> 1, factors.length - 1].map((i) =>
    factors[i]!.toFixed(1),
  )
  const slower = both.filter(({ full, reduced }) => reduced.seconds >= full.seconds)
  return [
    `Of ${rows.length} sizes ${rows.filter(({ full }) => full !== BEYOND).length} come to their end without reductions, ${rows.filter(({ reduced }) => reduced !== BEYOND).length} with them. Reductions leave one of ${least} to ${most} states`,
    `(median ${median}), the fewer the more processes there are. They cost time in small tests, and save it in all those`,
    `with more than ${count(Math.max(...slower.map(({ full }) => full.states)))} states.`,
  ]
}

function lineOf({ processes, pages, operations, full, reduced }: ScalingRow): string {
  const factor = full === BEYOND || reduced === BEYOND ? '' : (full.states / reduced.states).toFixed(1)
  const both = (show: (measured: Measured) => string): string[] =>
    [full, reduced].map((measured) => (measured === BEYOND ? BEYOND : show(measured)))
  const cells = [
    ...[processes, pages, operations],
    ...both(({ states }) => count(states)),
    factor,
    ...both(({ seconds }) => seconds.toFixed(2)),
    ...both(({ bytes }) => count(Math.round(bytes / 2 ** 20))),
  ]
  return `| ${cells.join(' | ')} |`
}
