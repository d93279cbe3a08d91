/** What reclaim did to a page in some steps, in a few words. */
import type { Step } from '../engine/index.ts'
import { is_swap_pte, pte_present } from '../mm/pte.ts'
import { withoutPage } from './changes.ts'
import { phraseOf } from './phrase.ts'
import { netChanges, type Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** `page A: swap 0, unmapped from parent, written, freed`; empty if nothing came of it yet. */
export function reclaimFacts(story: Story, from: number, to: number): string {
  const { names } = story
  const pfn = reclaimed(story, to)
  const within = (condition: (step: Step) => boolean): number | undefined => {
    const found = story.last(to + 1, condition)
    return found !== undefined && found >= from ? found : undefined
  }
  if (pfn === undefined) {
    const looked = within(({ changes, reads }) => changes.length === 0 && reads.length > 0)
    return looked === undefined ? '' : phraseOf(story, looked)
  }
  const page = names.page(pfn)
  const did = (effect: string): number | undefined =>
    within((step) => step.effect.name === effect && step.changes.length > 0)
  const facts: string[] = []
  const entered = did('enter_swap_cache')
  if (entered !== undefined)
    facts.push(`swap ${story.after(entered).get(story.k.page[pfn]!.swap.location) - 1}`)
  const unmapped = unmappedFrom(story, from, to)
  if (unmapped.length > 0) facts.push(`unmapped from ${enumerate(unmapped)}`)
  if (
    did('write_swap_word') !== undefined ||
    within(({ effect }) => effect.name === 'write_swap_word') !== undefined
  ) {
    facts.push('written')
  }
  if (did('free_isolated') !== undefined) facts.push('freed')
  const back = did('putback')
  if (back !== undefined) facts.push(`stays in memory: ${whyKept(story, back, page)}`)
  if (facts.length === 0) return ''
  return `${page}: ${facts.join(', ')}`
}

/** The page that the thread of a step has taken off the LRU list last, if it has it still or has just put it back. */
export function reclaimed(story: Story, step: number): number | undefined {
  const { thread } = story.steps[step]!
  const statement = story.statementIndex(step)
  const isolated = story.last(
    step + 1,
    (other, index) => other.thread === thread && story.statementIndex(index) === statement && isolates(other),
  )
  if (isolated === undefined) return undefined
  const lru = story.steps[isolated]!.changes.map(({ location }) => story.names.place(location)).find(
    ({ kind }) => kind === 'lru',
  )
  return lru !== undefined && 'pfn' in lru ? lru.pfn : undefined
}

/** Whether a step takes a page off the LRU list, or tries to. */
export function isolates({ effect }: Step): boolean {
  return effect.name.startsWith('isolate_')
}

/** The processes whose entries some steps replaced by swap entries. */
function unmappedFrom(story: Story, from: number, to: number): string[] {
  return netChanges(story, from, to).flatMap(({ location, before, after }) => {
    const place = story.names.place(location)
    return place.kind === 'pte' && pte_present(before) && is_swap_pte(after) ? [story.process(place.mm)] : []
  })
}

/** Why a page stays in memory, given the step that puts it back on the list. */
function whyKept(story: Story, back: number, page: string): string {
  const decided = keptBecause(story, back)
  if (decided === undefined) return 'reclaim gives up'
  const step = story.steps[decided]!
  const found = withoutPage(phraseOf(story, decided), page)
  const rule = story.ruleOf(step)
  if (rule === 'may_add_to_swap' || rule === 'page_try_share_anon_rmap') return `it may be pinned, ${found}`
  if (step.effect.name === 'free_if_unnamed') return 'nobody names its place in swap'
  if (story.names.place(step.reads[0]!.location).kind === 'dirty') return 'it was written to meanwhile'
  if (story.names.place(step.reads[0]!.location).kind === 'mapcount') return 'it is still mapped'
  return found.replace(/^cannot (freeze|lock) .*: it is /, (_, what) =>
    what === 'freeze' ? 'refcount is ' : 'its lock is ',
  )
}

/** The step at which reclaim found that it could not go on with a page, before it put it back. */
export function keptBecause(story: Story, back: number): number | undefined {
  const { thread } = story.steps[back]!
  const isolated = story.last(back, (step) => step.thread === thread && isolates(step)) ?? 0
  const within = (condition: (step: Step) => boolean): number | undefined => {
    const found = story.last(back, (step) => step.thread === thread && condition(step))
    return found !== undefined && found > isolated ? found : undefined
  }
  const looks = ({ changes, reads }: Step): boolean => changes.length === 0 && reads.length > 0
  const refused = within((step) => looks(step) && story.ruleOf(step) === 'page_try_share_anon_rmap')
  return refused ?? within((step) => looks(step) !== (step.effect.name === 'free_if_unnamed'))
}
