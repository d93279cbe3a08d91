/** The suite on real kernels as a page: `docs/conformance.md`. */
import type { Comparison } from '../real/compare.ts'
import { CASES } from './conformance_cases.ts'
import { count } from './count.ts'
import { copiesNumber, copiesText } from './real.ts'

/** One kernel's column. */
export interface KernelColumn {
  /** `host`, or a kernel's release. */
  readonly machine: string
  readonly kernel: string
  readonly design: string
  readonly because: string
  readonly comparisons: readonly (Comparison | undefined)[]
}

export interface ConformanceRow {
  readonly name: string
  readonly group: string
  /** Why the test has no C form; undefined if it has one. */
  readonly without?: string
}

export interface Conformance {
  readonly rows: readonly ConformanceRow[]
  readonly columns: readonly KernelColumn[]
  readonly times: number
  readonly command: string
}

/** What stands in a cell, and what that means. */
const LEGEND: readonly (readonly [string, string])[] = [
  ['=', 'every run ended in the one outcome that is allowed'],
  ['2/3', 'every run ended in an allowed outcome; two of three allowed ones were seen'],
  [
    '= (7)',
    'so it was in the seven runs in which the kernel did all that a `pageout`, `reclaim` or `merge` asked for; in the others it left something undone, and they ended as the test may without that',
  ],
  ['≠', 'an outcome, or a number of copies with it, was seen that the design does not allow'],
  [
    'idle',
    'every run ended in an allowed outcome, but in none of them did the kernel do all that a `pageout`, `reclaim` or `merge` asked for: it may be that it never does (a pinned page), or that it was not met',
  ],
  ['–', 'skipped: this kernel, configuration or user cannot do a statement'],
  ['?', 'not decided: a run hung or broke, or the machine ended before'],
]

/** A cell of the table. */
export function cellMark(comparison: Comparison | undefined): string {
  if (comparison === undefined) return '?'
  const { agreement, allowed, unseen, effective, observed } = comparison
  switch (agreement) {
    case 'skipped':
      return '–'
    case 'differs':
      return '≠'
    case 'undecided':
      return '?'
    case 'idle':
      return 'idle'
    case 'agrees': {
      const all = allowed.keys.length
      const mark = all === 1 ? '=' : `${all - unseen.length}/${all}`
      return effective === undefined || effective === observed.runs ? mark : `${mark} (${effective})`
    }
  }
}

/** The page in Markdown. */
export function conformancePage(conformance: Conformance): string {
  return [
    '# The suite on real kernels',
    `Written by \`${conformance.command}\`. Each test that has a C form (\`cowherd emit\`) was run ${count(conformance.times)} times on each kernel, with random delays and on random processors. The outcomes are compared with those that the model allows under the design which stands for that kernel. What was not seen may happen all the same. \`docs/real.md\` tells how.`,
    '## Kernels',
    kernels(conformance),
    ...exactPins(conformance),
    '## What the rules were changed for',
    'What was seen, and how often. “Undone”: the kernel did not do what a `pageout`, `reclaim` or `merge` asked for, as it never does with a pinned page. A cell is empty where an outcome was not seen.',
    cases(conformance),
    '## Tests',
    LEGEND.map(([mark, what]) => `- \`${mark}\` ${what}`).join('\n'),
    tests(conformance),
    '## Disagreements',
    disagreements(conformance),
    '## Races',
    'Tests with more than one allowed outcome, and how often each of those was seen, in the order in which the model finds them. A dot is one that was not seen.',
    races(conformance),
    '## Copies',
    'How many pages were copied in a run: by write faults, by unsharing, by fork. They were counted in every other run, by page frames; `docs/real.md` tells how, and why some cannot be told from what reclaim and KSM do. Several numbers stand for different runs. In brackets what the design allows with the outcomes that were seen, where that is more.',
    copies(conformance),
    '## Skipped, and why',
    skipped(conformance),
    '## Not decided',
    undecided(conformance),
    '## Without a C form',
    conformance.rows
      .filter(({ without }) => without !== undefined)
      .map(({ name, without }) => `- ${name}: ${without}`)
      .join('\n'),
    '',
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function kernels({ columns }: Conformance): string {
  return table(
    ['kernel', 'design', 'because', 'agree', 'idle', 'differ', 'skipped', 'not decided'],
    columns.map(({ kernel, design, because, comparisons }) => {
      const number = (...agreements: (string | undefined)[]): string =>
        String(comparisons.filter((one) => agreements.includes(one?.agreement)).length)
      return [
        kernel,
        design,
        because,
        number('agrees'),
        number('idle'),
        number('differs'),
        number('skipped'),
        number('undecided', undefined),
      ]
    }),
  )
}

/** Where `/sys/kernel/debug/gup_test` was there, and took references that a kernel has no other way to take. */
function exactPins({ columns }: Conformance): string[] {
  const found = columns.flatMap(({ kernel, comparisons }) => {
    const number = comparisons.filter((one) => (one?.observed.exact.length ?? 0) > 0).length
    return number === 0 ? [] : [`${number} on ${kernel}`]
  })
  if (found.length === 0) return []
  return [
    `Tests whose long-term pin the kernel’s own file for tests, gup_test, took as it stands: ${found.join(', ')}.`,
  ]
}

/** Each test that has a C form, with its number among the comparisons. */
function emitted({ rows }: Conformance): (ConformanceRow & { readonly index: number })[] {
  return rows.filter(({ without }) => without === undefined).map((row, index) => ({ ...row, index }))
}

function cases(conformance: Conformance): string {
  const all = emitted(conformance)
  return CASES.flatMap(({ about, tests }) => {
    const rows = tests.flatMap((name) => {
      const index = all.find((one) => one.name === name)?.index
      return index === undefined ? [] : outcomesOf(name, index, conformance)
    })
    if (rows.length === 0) return []
    const head = ['test', 'outcome', ...conformance.columns.map(({ kernel }) => short(kernel))]
    return [`**${about}**`, table(head, rows)]
  }).join('\n\n')
}

/** A row for each outcome of a test that was seen on any kernel. */
function outcomesOf(name: string, index: number, { columns }: Conformance): string[][] {
  const seen = columns.map(({ comparisons }) =>
    (comparisons[index]?.observed.seen ?? []).map(({ key, effects, times }) => ({
      key: effects.every(({ done }) => done) ? `\`${key}\`` : `\`${key}\`, undone`,
      times,
    })),
  )
  const keys = [...new Set(seen.flatMap((lines) => lines.map(({ key }) => key)))]
  const cell = (key: string, column: number): string => {
    const mark = cellMark(columns[column]!.comparisons[index])
    if (mark === '–' || mark === '?') return mark
    const times = seen[column]!.filter((line) => line.key === key).reduce((sum, line) => sum + line.times, 0)
    return times === 0 ? '' : String(times)
  }
  return keys.map((key) => [name, key, ...columns.map((_, column) => cell(key, column))])
}

function tests(conformance: Conformance): string {
  const head = ['test', ...conformance.columns.map(({ kernel }) => short(kernel))]
  return table(
    head,
    emitted(conformance).map(({ name, index }) => [
      name,
      ...conformance.columns.map(({ comparisons }) => cellMark(comparisons[index])),
    ]),
  )
}

function disagreements(conformance: Conformance): string {
  const lines = emitted(conformance).flatMap(({ name, index }) =>
    conformance.columns.flatMap(({ kernel, design, comparisons }) =>
      (comparisons[index]?.forbidden ?? []).map(
        ({ key, times }) =>
          `- ${name} on ${kernel}: \`${key}\`, ${times} times, which ${design} does not allow`,
      ),
    ),
  )
  const copied = emitted(conformance).flatMap(({ name, index }) =>
    conformance.columns.flatMap(({ kernel, design, comparisons }) =>
      (comparisons[index]?.strangeCopies ?? []).map(
        ({ seen, copies }) =>
          `- ${name} on ${kernel}: \`${seen.key}\` with ${copiesText(copies)}, ${copies.times} times, which ${design} does not allow`,
      ),
    ),
  )
  lines.push(...copied)
  return lines.length === 0 ? 'None.' : lines.join('\n')
}

function races(conformance: Conformance): string {
  const racy = emitted(conformance).filter(({ index }) =>
    conformance.columns.some(({ comparisons }) => (comparisons[index]?.allowed.keys.length ?? 0) > 1),
  )
  const cell = (comparison: Comparison | undefined): string => {
    if (comparison === undefined || comparison.agreement === 'skipped') return cellMark(comparison)
    const { allowed, observed } = comparison
    return allowed.keys
      .map((key) =>
        observed.seen.filter((seen) => seen.key === key).reduce((sum, { times }) => sum + times, 0),
      )
      .map((times) => (times === 0 ? '·' : String(times)))
      .join(' ')
  }
  return table(
    ['test', ...conformance.columns.map(({ kernel }) => short(kernel))],
    racy.map(({ name, index }) => [
      name,
      ...conformance.columns.map(({ comparisons }) => cell(comparisons[index])),
    ]),
  )
}

function copies(conformance: Conformance): string {
  const cell = (comparison: Comparison | undefined): string => {
    if (comparison === undefined || comparison.agreement === 'skipped') return cellMark(comparison)
    const { observed, allowed } = comparison
    const seen = new Set(observed.seen.flatMap((one) => one.copies.map(copiesNumber)))
    if (seen.size === 0) return '·'
    const may = new Set(observed.seen.flatMap(({ key }) => allowed.copies?.[key] ?? []).map(String))
    const more = [...may].some((number) => !seen.has(number))
    return sorted(seen).join(' ') + (more ? ` [${sorted(may).join(' ')}]` : '')
  }
  return table(
    ['test', ...conformance.columns.map(({ kernel }) => short(kernel))],
    emitted(conformance).map(({ name, index }) => [
      name,
      ...conformance.columns.map(({ comparisons }) => cell(comparisons[index])),
    ]),
  )
}

function sorted(numbers: ReadonlySet<string>): string[] {
  return [...numbers].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

function skipped(conformance: Conformance): string {
  const byReason = new Map<string, Set<string>>()
  for (const { kernel, comparisons } of conformance.columns) {
    for (const comparison of comparisons) {
      for (const { reason } of comparison?.observed.skips ?? []) {
        const key = `${short(kernel)}: ${reason}`
        byReason.set(key, (byReason.get(key) ?? new Set()).add(comparison!.observed.test))
      }
    }
  }
  if (byReason.size === 0) return 'None.'
  return [...byReason].map(([reason, names]) => `- ${reason} (${names.size} tests)`).join('\n')
}

function undecided(conformance: Conformance): string {
  const lines = emitted(conformance).flatMap(({ name, index }) =>
    conformance.columns.flatMap(({ kernel, comparisons }) => {
      const one = comparisons[index]
      if (one === undefined)
        return [`- ${name} on ${short(kernel)}: the machine ended before it came to this test`]
      if (one.agreement !== 'undecided') return []
      return [
        `- ${name} on ${short(kernel)}: ${one.observed.ending}${one.observed.message === '' ? '' : `, ${one.observed.message}`}`,
      ]
    }),
  )
  return lines.length === 0 ? 'None.' : lines.join('\n')
}

/** `6.12.95` for `6.12.95+deb12-cloud-amd64`. */
function short(release: string): string {
  return /^[\d.]+\d/.exec(release)?.[0] ?? release
}
