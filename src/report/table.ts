/** Tables of cells, tests down and designs across, for a terminal or a pipe. */
import pc from 'picocolors'
import type { CellVerdict } from '../check/index.ts'
import { count } from './count.ts'
import type { CellReport } from './json.ts'
import { missedState, reach } from './reach.ts'
import { rangeOf } from './words.ts'
import { hang, type TextOptions } from './wrap.ts'

/** What is known of one cell. */
export type Entry =
  | { readonly status: 'done'; readonly report: CellReport }
  /** Somebody stopped before anything could be said of it; the yardstick had come to that many states. */
  | { readonly status: 'unfinished'; readonly yardstickStates: number }
  | { readonly status: 'error'; readonly message: string }

/** One test under each of the table's designs, in their order. */
export interface Row {
  readonly name: string
  readonly group: string
  readonly entries: readonly Entry[]
}

/** The table: tests down, designs across, under a heading for each group. */
export function renderTable(designs: readonly string[], rows: readonly Row[], options: TextOptions): string {
  const heads = designs.map(headOf)
  const cells = rows.map(({ entries }) => entries.map((entry) => cellOf(entry)))
  return grid(heads, rows, cells, options) + legend(designs, heads, rows, options)
}

/** A table of the same shape with the fewest and most copies that any run makes. */
export function renderCopies(designs: readonly string[], rows: readonly Row[], options: TextOptions): string {
  const heads = designs.map(headOf)
  const cells = rows.map(({ entries }) =>
    entries.map((entry) => {
      const copies = entry.status === 'done' ? entry.report.copies : null
      return { text: copies === null ? '-' : rangeOf(copies), paint: (text: string) => text }
    }),
  )
  return `Copies of pages, fewest–most in any run:\n${grid(heads, rows, cells, options)}`
}

/** Column heads of designs whose names are too long for one. */
const HEADS: Readonly<Record<string, string>> = {
  'hildenbrand-v1': 'v1',
  torvalds: 'torv',
  'torvalds+get': 'torv+',
}

const LONGEST_HEAD = 12

/** How a column of a design is headed. */
function headOf(design: string): string {
  const head = HEADS[design] ?? design.replace(/^v(?=\d)/, '')
  return head.length <= LONGEST_HEAD ? head : `${head.slice(0, LONGEST_HEAD - 1)}…`
}

interface Shown {
  readonly text: string
  readonly paint: (text: string) => string
}

/** Verdicts as they stand in a cell of the table. */
const SHORT: Readonly<Record<CellVerdict, string>> = {
  right: 'ok',
  'not-promised': 'n/p',
  'lost-write': 'lost',
  'wrong-cow': 'WRONG',
  'missed-cow': 'MISSED',
  'use-after-free': 'uaf',
  leak: 'leak',
  deadlock: 'dead',
  livelock: 'live',
  'broken-invariant': 'inv',
}

function cellOf(entry: Entry, colours = pc.createColors(true)): Shown {
  if (entry.status === 'unfinished') return { text: '-', paint: colours.dim }
  if (entry.status === 'error') return { text: 'ERR', paint: colours.red }
  const { report } = entry
  const text = `${SHORT[report.verdict]}${report.doubts.length > 0 ? '°' : ''}${report.exhaustive ? '' : '?'}${report.surprise ? '!' : ''}`
  if (report.surprise) return { text, paint: (shown) => colours.bold(colours.red(shown)) }
  if (!report.exhaustive) return { text, paint: colours.magenta }
  if (report.verdict === 'right') return { text, paint: colours.green }
  return { text, paint: report.verdict === 'not-promised' ? colours.dim : colours.yellow }
}

/** The narrowest that the column of names gets. */
const NARROWEST = 12

/** A grid, or several below each other where the columns of all designs are wider than the text may be. */
function grid(
  heads: readonly string[],
  rows: readonly Row[],
  cells: readonly (readonly Shown[])[],
  options: TextOptions,
): string {
  const parts: string[] = []
  let first = 0
  while (first < heads.length) {
    let end = first
    for (let used = NARROWEST; end < heads.length; end++) {
      used += 1 + Math.max(heads[end]!.length, ...cells.map((row) => row[end]!.text.length))
      if (used > options.width && end > first) break
    }
    const part = cells.map((row) => row.slice(first, end))
    parts.push(gridOf(heads.slice(first, end), rows, part, options))
    first = end
  }
  return parts.join('\n')
}

function gridOf(
  heads: readonly string[],
  rows: readonly Row[],
  cells: readonly (readonly Shown[])[],
  { width, colour }: TextOptions,
): string {
  const colours = pc.createColors(colour)
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]!.text.length)),
  )
  const used = widths.reduce((sum, columns) => sum + columns + 1, 0)
  const longest = Math.max(...rows.map(({ name }) => name.length), 0) + 2
  const room = Math.max(NARROWEST, Math.min(longest, width - used))
  const line = (name: string, texts: readonly string[]): string =>
    `${name.padEnd(room)}${texts.join('')}`.trimEnd()
  const lines = [
    line(
      '',
      heads.map((head, i) => ` ${colours.bold(head)}${' '.repeat(widths[i]! - head.length)}`),
    ),
  ]
  let group: string | undefined
  rows.forEach((row, r) => {
    if (row.group !== group && row.group !== '') lines.push(colours.bold(row.group))
    group = row.group
    const name = `  ${row.name}`
    const texts = cells[r]!.map(({ text, paint }, i) => {
      const padding = ' '.repeat(widths[i]! - text.length)
      return ` ${colour ? paint(text) : text}${padding}`
    })
    if (name.length <= room) lines.push(line(name, texts))
    else lines.push(name, line('', texts))
  })
  return `${lines.join('\n')}\n`
}

/** What the short words mean. */
const MEANINGS: Readonly<Record<string, string>> = {
  ok: 'right: no outcome that eager forbids',
  'n/p': 'wrong only for references that this design promises nothing',
  lost: 'lost write',
  WRONG: 'wrong COW: a promised reference stops being its owner’s page',
  MISSED: 'missed COW: somebody sees another process’s later write',
  uaf: 'use after free',
  dead: 'deadlock',
  live: 'livelock: no run comes to an end',
  inv: 'broken invariant',
}

/** Why a cell is not decided once and for all. */
function whyOpen(report: CellReport): string {
  const { search, bounded } = report
  if (search.mode === 'random') return `only ${count(search.runs)} random runs, seed ${search.seed}`
  if (bounded === 'preemptions') return `only ${reach(report)}`
  return 'not explored to the end'
}

/** What the heads and words of this table mean, as far as they do not speak for themselves. */
function legend(
  designs: readonly string[],
  heads: readonly string[],
  rows: readonly Row[],
  { width, colour }: TextOptions,
): string {
  const notes: string[] = []
  const renamed = heads.flatMap((head, i) => {
    const design = designs[i]!
    return design === head || design === `v${head}` ? [] : [`${head} = ${design}`]
  })
  if (renamed.length > 0) notes.push(renamed.join('; '))
  const entries = rows.flatMap((row) => row.entries)
  const reports = entries.flatMap((entry) => (entry.status === 'done' ? [entry.report] : []))
  for (const [short, meaning] of Object.entries(MEANINGS)) {
    if (reports.some(({ verdict }) => SHORT[verdict] === short)) notes.push(`${short} = ${meaning}`)
  }
  if (reports.some(({ doubts }) => doubts.length > 0)) {
    notes.push('° = hangs on a rule that its author never stated; the test alone, or "show", tells which')
  }
  const open = [...new Set(reports.filter(({ exhaustive }) => !exhaustive).map(whyOpen))]
  if (open.length > 0) notes.push(`? = ${open.join('; or ')}`)
  const compacted = reports.flatMap(({ search }) => (search.mode === 'hash-compaction' ? [search] : []))
  if (compacted.length > 0) {
    const chance = Math.min(
      1,
      compacted.reduce((sum, search) => sum + search.chance, 0),
    )
    notes.push(`in all, there is ${missedState({ mode: 'hash-compaction', chance })}`)
  }
  if (reports.some(({ surprise }) => surprise)) notes.push('! = not as expected')
  if (entries.some(({ status }) => status === 'unfinished'))
    notes.push('- = interrupted before anything could be said')
  if (entries.some(({ status }) => status === 'error')) notes.push('ERR = could not be explored')
  if (notes.length === 0) return ''
  return `\n${notes.map((note) => pc.createColors(colour).dim(hang(note, width, 2, 0))).join('\n')}\n`
}
