/** What `cowherd show` prints: what happens, the run that makes it happen, and why. */
import pc from 'picocolors'
import { type Cell, type CellVerdict, witnessOf, witnessOfFailure } from '../check/index.ts'
import type { Observation, Outcome } from '../litmus/outcome.ts'
import { actorsOf } from './actors.ts'
import { count } from './count.ts'
import { foldedStory } from './fold.ts'
import type { Place } from './places.ts'
import { early, missedState, randomRuns, reach } from './reach.ts'
import { lockLegend, scheduleOf } from './schedule.ts'
import { Story } from './story.ts'
import { explain, type Selection } from './why.ts'
import { readableMessage } from './why_failed.ts'

import { enumerate, wrap } from './wrap.ts'

export interface ShowOptions {
  readonly width: number
  readonly colour: boolean
  /** Folds the run to at most this many lines. */
  readonly fold?: number
}

/** One outcome or failure of a cell in full; no line is longer than the width, which is at least 40. */
export function renderShow(cell: Cell, selection: Selection, options: ShowOptions): string {
  const width = Math.max(LEAST_WIDTH, options.width)
  const trace =
    'outcome' in selection ? witnessOf(cell, selection.outcome) : witnessOfFailure(cell, selection.failure)
  const story = new Story(cell, trace)
  const explanation = explain(story, selection)
  const colours = pc.createColors(options.colour)
  const run =
    options.fold === undefined
      ? scheduleOf(story, { width, colour: options.colour, explanation })
      : foldedStory(story, options.fold, width, options.colour)
  const why = wrap(explanation.text, width).join('\n')
  return [
    header(story, selection, width, options.colour),
    '',
    run,
    '',
    ...(options.fold === undefined
      ? [
          legend(story, explanation.cited.size > 0, width)
            .map(colours.dim)
            .join('\n'),
          '',
        ]
      : []),
    `${colours.bold('Why')}`,
    why,
    '',
  ].join('\n')
}

const LEAST_WIDTH = 40

/** Every verdict in a few words, for somebody who sees it for the first time. */
export const MEANINGS: Readonly<Record<CellVerdict, string>> = {
  right: 'right: a program is entitled to see this',
  'not-promised':
    'not promised: a reference stops being to its owner’s page, which this design does not rule out',
  'lost-write': 'lost write: memory or a device shows something else than was stored there',
  'wrong-cow': 'wrong COW: a reference stops being to its owner’s page',
  'missed-cow': 'missed COW: a process sees what another one stored after fork had separated them',
  'use-after-free': 'use after free: a page is used after it was freed',
  leak: 'leak: a page is never freed',
  deadlock: 'deadlock: nobody can go on',
  livelock: 'livelock: every run goes on for ever',
  'broken-invariant': 'broken invariant: something holds that the kernel relies on never to hold',
}

/** Of a lost write that is one only where the store shows. */
const STRAY = 'lost write: a store shows at another address than it was meant for'

function header(story: Story, selection: Selection, width: number, colour: boolean): string {
  const { cell } = story
  const { bold, dim, red, green } = pc.createColors(colour)
  const verdict: CellVerdict = 'outcome' in selection ? selection.outcome.verdict : selection.failure.failure
  const good = verdict === 'right' || verdict === 'not-promised'
  const fields: [string, string][] = [['design', cell.design.title]]
  if ('outcome' in selection) {
    fields.push(['outcome', printOutcome(selection.outcome.outcome)])
    for (const i of selection.outcome.witnesses) {
      const { quantifier, text } = story.test.conditions[i]!
      fields.push([quantifier === 'sometimes' ? 'satisfies' : 'violates', `${quantifier} ${text}`])
    }
  } else if (verdict !== 'deadlock') {
    fields.push(['failure', readableMessage(story, selection.failure.message)])
  }
  fields.push(['run', `${steps(story.steps.length)}, ${explored(story, selection)}`])
  fields.push(['start', startOf(story)])
  fields.push(['actors', actorsOf(story)])
  const stray = 'outcome' in selection && selection.outcome.stray
  const lines = [
    ...wrap(`${cell.test.name} under ${cell.design.name}`, width).map(bold),
    ...wrap(stray ? STRAY : MEANINGS[verdict], width).map(good ? green : red),
    '',
  ]
  for (const [name, text] of fields) {
    if (text === '') continue
    const margin = 10
    wrap(text, width - margin).forEach((line, i) => {
      lines.push(dim((i === 0 ? name : '').padEnd(margin)) + line)
    })
  }
  return lines.join('\n')
}

function steps(n: number): string {
  return n === 1 ? '1 step' : `${n} steps`
}

/** How sure it is that there is no shorter run, and how far the exploration went. */
function explored(story: Story, selection: Selection): string {
  const { cell } = story
  const { states, bounded, search, depth } = cell.exploration
  const found = `${count(states)} states were explored`
  const searched = { search, depth, bounded: bounded ?? null }
  if (search.mode === 'random') return `found in ${randomRuns(search)}; there may be shorter ones`
  if (search.mode === 'preemptions') {
    const state = 'outcome' in selection ? selection.outcome.state : selection.failure.run.state
    const n = cell.run.explorer.preemptionsOf?.(state) ?? 0
    const fewest =
      n === 0 ? 'no preemption' : `${n} ${n === 1 ? 'preemption' : 'preemptions'}, none has fewer`
    return `${fewest}, there may be shorter ones; ${count(states)} states were found: ${reach(searched)}`
  }
  const shortest = search.mode === 'depth-first' ? 'there may be shorter ones' : 'none is shorter'
  const missed = search.mode === 'hash-compaction' ? `, but for ${missedState(search)}` : ''
  if (bounded !== undefined) return `${shortest}; ${found} before the search was ${early(bounded)}${missed}`
  const all = `${shortest}; all ${found}${missed}`
  return cell.exhaustive ? all : `${all}, but not all of the yardstick's: the verdict is not certain`
}

/** Where the test's pages are when it starts. */
function startOf(story: Story): string {
  const root = story.process(0)
  return story.test.pages
    .map(({ name, words, untouched }, vpn) => {
      if (untouched) return `${root}'s ${name} is not touched yet`
      const page = story.names.page(story.mapped(0, 0, vpn)!)
      const values =
        words.length === 1
          ? words[0]!.initial
          : enumerate(words.map(({ name: word, initial }) => `${word} = ${initial}`))
      return `${root}'s ${name} is ${page}, which holds ${values}`
    })
    .join('; ')
}

/** `child.r0 = 1, parent.x = 1`. */
export function printOutcome({ observations }: Outcome): string {
  return observations.map(({ name, value }: Observation) => `${name} = ${value}`).join(', ')
}

/** The words of the table, those that occur in it. */
function legend(story: Story, marks: boolean, width: number): string[] {
  const used = (kind: Place['kind']): boolean =>
    story.steps.some(({ reads, changes }) =>
      [...reads, ...changes].some(({ location }) => story.names.place(location).kind === kind),
    )
  const locks = lockLegend(story)
  const entries = [
    ...(locks === undefined ? [] : [['locks', locks] as const]),
    ...[...WORDS, ...(story.k.slot.length > 0 ? SWAP_WORDS : [])].flatMap(([kind, word, meaning]) =>
      used(kind) ? [[word, meaning] as const] : [],
    ),
    ...(marks ? [['▸', 'a step that the explanation speaks of'] as const] : []),
  ]
  const margin = Math.max(...entries.map(([word]) => word.length), 0) + 2
  return entries.flatMap(([word, meaning]) =>
    wrap(meaning, width - margin).map((line, i) => (i === 0 ? word : '').padEnd(margin) + line),
  )
}

const WORDS: readonly (readonly [kind: Place['kind'], word: string, meaning: string])[] = [
  ['pte', 'pte[…]', 'page-table entry'],
  ['tlb', 'tlb[…]', "a processor's cached copy of a page-table entry"],
  ['vma', 'vma[…]', 'what the process may do with the page (its memory area)'],
  ['mapcount', 'mapcount', 'how many page-table entries map the page'],
  ['refcount', 'refcount', 'how many references of any kind there are to the page'],
  ['pins', 'pincount', 'how many of the references are pins (FOLL_PIN)'],
  ['exclusive', 'PageAnonExclusive', 'the page belongs to one process alone'],
  ['dirty', 'PG_dirty', 'what the page holds is not in swap yet'],
  ['mapping', 'mapping', 'whose anon_vma the page is in: where to look for the entries that map it; or KSM'],
  ['has_pinned', 'has_pinned', 'the process has pinned a page at some time'],
  ['write_protect_seq', 'write_protect_seq', 'odd while fork copies the page table'],
]

/** In a test in which pages may go to swap. */
const SWAP_WORDS: typeof WORDS = [
  ['lru', 'LRU list', 'the pages that reclaim may take; it holds a reference to the one that it has taken'],
  ['swap', 'swap cache', 'the pages in memory that have a place in swap too; it holds a reference to each'],
  ['slot_count', 'swap 0, …', 'a place in swap; its count: how many page-table entries name it'],
  ['writeback', 'PG_writeback', 'the page is being written to swap'],
  ['tlb_flush_batched', 'tlb_flush_batched', 'reclaim has emptied entries and put off the TLB flush'],
]
