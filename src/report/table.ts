/** Tables and blocks of cells, for a terminal or a pipe. */
import pc from 'picocolors'
import type { CellVerdict, Copies } from '../check/index.ts'
import type { CellReport, ConditionSummary, OutcomeSummary } from './json.ts'

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

export interface TextOptions {
  /** Columns to fit into. */
  readonly width: number
  readonly colour: boolean
}

/** As they stand in a cell of the table. */
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

/** As they stand in text. */
export const VERDICT_WORDS: Readonly<Record<CellVerdict, string>> = {
  right: 'right',
  'not-promised': 'not promised',
  'lost-write': 'lost write',
  'wrong-cow': 'wrong COW',
  'missed-cow': 'missed COW',
  'use-after-free': 'use after free',
  leak: 'leak',
  deadlock: 'deadlock',
  livelock: 'livelock',
  'broken-invariant': 'broken invariant',
}

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

/** Column heads of designs whose names are too long for one. */
const HEADS: Readonly<Record<string, string>> = {
  'hildenbrand-v1': 'v1',
  torvalds: 'torv',
  'torvalds+get': 'torv+',
}

const LONGEST_HEAD = 12

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

/** `0`, `1–2`; with `?` where the count was bounded. */
export function rangeOf({ least, most, exhaustive }: Copies): string {
  return `${least === most ? least : `${least}–${most}`}${exhaustive ? '' : '?'}`
}

/** How a column of a design is headed. */
export function headOf(design: string): string {
  const head = HEADS[design] ?? design.replace(/^v(?=\d)/, '')
  return head.length <= LONGEST_HEAD ? head : `${head.slice(0, LONGEST_HEAD - 1)}…`
}

interface Shown {
  readonly text: string
  readonly paint: (text: string) => string
}

function cellOf(entry: Entry, colours = pc.createColors(true)): Shown {
  if (entry.status === 'unfinished') return { text: '-', paint: colours.dim }
  if (entry.status === 'error') return { text: 'ERR', paint: colours.red }
  const { report } = entry
  const text = `${SHORT[report.verdict]}${report.exhaustive ? '' : '?'}${report.surprise ? '!' : ''}`
  if (report.surprise) return { text, paint: (shown) => colours.bold(colours.red(shown)) }
  if (!report.exhaustive) return { text, paint: colours.magenta }
  if (report.verdict === 'right') return { text, paint: colours.green }
  return { text, paint: report.verdict === 'not-promised' ? colours.dim : colours.yellow }
}

function grid(
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
  const room = Math.max(12, Math.min(longest, width - used))
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
  if (reports.some(({ exhaustive }) => !exhaustive)) notes.push('? = not explored to the end')
  if (reports.some(({ surprise }) => surprise)) notes.push('! = not as expected')
  if (entries.some(({ status }) => status === 'unfinished'))
    notes.push('- = interrupted before anything could be said')
  if (entries.some(({ status }) => status === 'error')) notes.push('ERR = could not be explored')
  if (notes.length === 0) return ''
  return `\n${notes.map((note) => pc.createColors(colour).dim(hang(note, width, 2, 0))).join('\n')}\n`
}

/** How many outcomes a block shows; all bad ones come first. */
const OUTCOMES_SHOWN = 24

/** One cell as herd7 would print it, with a verdict beside each outcome. */
export function renderBlock(report: CellReport, { width, colour }: TextOptions): string {
  const colours = pc.createColors(colour)
  const paint = verdictPaint(colours)
  const lines = [`Test ${colours.bold(report.test)}  ${colours.bold(report.design)}`]
  lines.push(`Outcomes ${count(report.outcomes.length)} (${extent(report)})`)
  const sorted = [...report.outcomes].sort((a, b) => severity(b.verdict) - severity(a.verdict))
  const words = Math.max(...sorted.map(({ verdict }) => VERDICT_WORDS[verdict].length), 0)
  for (const outcome of sorted.slice(0, OUTCOMES_SHOWN)) {
    const label = VERDICT_WORDS[outcome.verdict].padEnd(words)
    const mark = outcome.witnesses.length > 0 ? '*' : ' '
    const body = hang(describeOutcome(outcome), width, words + 5)
    lines.push(`${mark} ${paint(outcome.verdict)(label)}  ${body}`)
  }
  const hidden = sorted.length - OUTCOMES_SHOWN
  if (hidden > 0) lines.push(`  … and ${count(hidden)} more (--json prints all)`)
  for (const { failure, message } of report.failures) {
    lines.push(
      `  ${paint(failure)(VERDICT_WORDS[failure])}  ${hang(message, width, VERDICT_WORDS[failure].length + 4)}`,
    )
  }
  for (const condition of report.conditions) lines.push(...conditionLines(condition, report, colours))
  lines.push(hang(`Verdict ${verdictLine(report, colours)}`, width, 8, 0))
  if (report.copies !== null) lines.push(`Copies ${rangeOf(report.copies)} in any run`)
  return `${lines.join('\n')}\n`
}

/** What a surprising cell was expected to be, and what it is. */
export function describeSurprise(report: CellReport): string {
  const broken = report.conditions.filter(({ holds }) => !holds)
  const conditions = broken.map(({ quantifier, text }) => `"${quantifier} ${text}" is violated`)
  const found = [VERDICT_WORDS[report.verdict], ...conditions].join(', ')
  const complete = report.exhaustive ? '' : ` (${extent(report)})`
  const { expectation } = report
  if (expectation === null) return `found ${found}${complete}; nobody expects that`
  const expected = [
    expectation.verdict === null ? '' : VERDICT_WORDS[expectation.verdict],
    expectation.conditions,
  ]
    .filter(Boolean)
    .join(', ')
  const reason = expectation.reason === null ? '' : ` ("${expectation.reason}")`
  const holding =
    expectation.conditions === 'violated' && report.conditions.every(({ holds }) => holds)
      ? ', all conditions hold'
      : ''
  return `expected ${expected}${reason}, found ${found}${holding}${complete}`
}

/** How far the exploration went: `59 states, exhaustive`. */
export function extent({ states, bounded, yardstick, verdict }: CellReport): string {
  const far =
    bounded === null ? 'exhaustive' : bounded === 'interrupted' ? 'interrupted' : `bounded by ${bounded}`
  const doubt =
    yardstick.exhaustive || verdict === 'right'
      ? ''
      : `; the yardstick was bounded after ${count(yardstick.states)} states, so a violation may be none`
  return `${count(states)} state${states === 1 ? '' : 's'}, ${far}${doubt}`
}

/** A number with separators between thousands. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** Text in lines of at most `width` columns, broken at spaces, of which all but the first are indented. */
export function hang(text: string, width: number, indent: number, first = indent): string {
  const lines: string[] = []
  let line = ''
  let room = width - first
  for (const word of text.split(' ')) {
    if (line !== '' && visibleLength(line) + 1 + visibleLength(word) > room) {
      lines.push(line)
      line = word
      room = width - indent
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences that colour text.
  return text.replaceAll(/\x1b\[\d+m/g, '').length
}

type Colours = ReturnType<typeof pc.createColors>

function describeOutcome({ key, needs, verdict }: OutcomeSummary): string {
  const shown = key === '' ? '(nothing to observe)' : key
  if (needs === null || needs.length === 0) return shown
  const promised = verdict === 'wrong-cow' ? 'breaks the promise to' : 'promised to nobody:'
  return `${shown}  [${promised} ${needs.join('; ')}]`
}

function conditionLines(condition: ConditionSummary, report: CellReport, colours: Colours): string[] {
  const { quantifier, text, holds, observation, positive, negative } = condition
  const complete = report.exhaustive
  // Among no outcomes at all, or not all of them, Always and Never would claim too much.
  const sure = observation === 'Sometimes' || complete
  const word = sure
    ? `${observation} ${positive} ${negative} (${extent(report)})`
    : observation === 'Never'
      ? `not found in ${count(report.states)} states (${extent(report).replace(/^.*?, /, '')})`
      : `Always so far ${positive} ${negative} (${extent(report)})`
  const undecided = !complete && (quantifier === 'sometimes' ? !holds : holds)
  const verdict = undecided
    ? colours.magenta('not decided')
    : holds
      ? colours.green('holds')
      : colours.yellow('violated')
  return [`Condition ${quantifier} ${text}: ${verdict}`, `Observation ${text} ${word}`]
}

function verdictLine(report: CellReport, colours: Colours): string {
  const words = verdictPaint(colours)(report.verdict)(VERDICT_WORDS[report.verdict])
  const soFar = report.exhaustive ? '' : ' so far'
  const { expectation } = report
  if (expectation === null) {
    return `${words}${soFar}${report.surprise ? colours.red(' (unexpected: no "expect" line names this design)') : ''}`
  }
  const reason = expectation.reason === null ? '' : `: "${expectation.reason}"`
  if (expectation.met) {
    const known = report.verdict === 'right' ? 'as expected' : 'known, reproduced'
    return `${words}${soFar} (${known}${reason})`
  }
  return `${words}${soFar} (${report.surprise ? colours.red(describeSurprise(report)) : 'not finished'})`
}

const ORDER = Object.keys(SHORT) as CellVerdict[]

function severity(verdict: CellVerdict): number {
  return ORDER.indexOf(verdict)
}

function verdictPaint(colours: Colours): (verdict: CellVerdict) => (text: string) => string {
  return (verdict) => {
    if (verdict === 'right') return colours.green
    return verdict === 'not-promised' ? colours.dim : colours.yellow
  }
}
