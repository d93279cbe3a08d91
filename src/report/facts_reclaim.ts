/** What reclaim did to a page in some steps, in a few words. */
import type { Step } from '../engine/index.ts'
import { is_swap_pte, pte_none, pte_present } from '../mm/pte.ts'
import { withoutPage } from './changes.ts'
import { phraseOf } from './phrase.ts'
import { netChanges, type Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** `page A given swap 0, unmapped from parent, written, freed`; empty if nothing came of it yet. */
export function reclaimFacts(story: Story, from: number, to: number): string {
  const { names, k } = story
  const pfn = reclaimed(story, to)
  const within = (condition: (step: Step) => boolean): number | undefined => {
    const found = story.last(to + 1, condition)
    return found !== undefined && found >= from ? found : undefined
  }
  if (pfn === undefined) {
    const looked = within(({ changes, reads }) => changes.length === 0 && reads.length > 0)
    return looked === undefined ? '' : phraseOf(story, looked)
  }
  const did = (effect: string): number | undefined => within((step) => step.effect.name === effect)
  const facts: string[] = []
  const entered = did('enter_swap_cache')
  const slot = entered === undefined ? 0 : story.after(entered).get(k.page[pfn]!.swap.location)
  if (slot > 0) facts.push(`given swap ${slot - 1}`)
  facts.push(...unmappings(story, from, to))
  if (did('write_swap_word') !== undefined) facts.push('written')
  if (did('free_isolated') !== undefined) facts.push('freed')
  else if (did('delete_frozen') !== undefined) facts.push('dropped from the swap cache')
  const kept = keptAt(story, to)
  if (kept !== undefined && kept >= from) facts.push(`kept in memory: ${whyKept(story, kept, pfn)}`)
  else if (did('putback') !== undefined) facts.push('back on the LRU list')
  return facts.length === 0 ? '' : `${names.page(pfn)} ${facts.join(', ')}`
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

/** `unmapped from parent and child`: whose entries some steps replaced by swap entries. */
function unmappings(story: Story, from: number, to: number): string[] {
  const entries = netChanges(story, from, to).flatMap(({ location, before, after }) => {
    const place = story.names.place(location)
    return place.kind === 'pte' ? [{ owner: story.process(place.mm), before, after }] : []
  })
  const gone = entries.filter(({ before, after }) => is_swap_pte(after) && !is_swap_pte(before))
  const open = entries.filter(({ before, after }) => pte_present(before) && pte_none(after))
  return [
    ...(gone.length > 0 ? [`unmapped from ${enumerate(gone.map(({ owner }) => owner))}`] : []),
    ...open.map(({ owner }) => `${owner}'s entry emptied`),
  ]
}

/** The step at which reclaim gives up a page that the thread of a step has taken, if it has by then. */
export function keptAt(story: Story, step: number, thread = story.steps[step]!.thread): number | undefined {
  const begun = story.last(step + 1, (other) => other.thread === thread && isolates(other)) ?? step
  return story.first(
    begun,
    (other, index) =>
      index <= step &&
      other.thread === thread &&
      (story.inside(other, 'keep_locked') || other.effect.name === 'putback'),
  )
}

/** Why a page stays in memory, given the step at which reclaim gives it up. */
function whyKept(story: Story, kept: number, pfn: number): string {
  const decided = keptBecause(story, kept)
  if (decided === undefined) return 'reclaim gives up'
  const { k, names } = story
  const { reads, effect } = story.steps[decided]!
  const rule = story.ruleOf(story.steps[decided]!)
  const found = withoutPage(phraseOf(story, decided), names.page(pfn))
  if (rule === 'may_add_to_swap' || rule === 'page_try_share_anon_rmap') return `it may be pinned, ${found}`
  if (effect.name === 'free_if_unnamed') return 'nobody names its place in swap'
  const place = names.place(reads[0]!.location)
  switch (place.kind) {
    case 'page_lock':
      return 'its lock is taken'
    case 'dirty':
      return 'it was written to meanwhile'
    case 'mapcount':
      return 'it is still mapped'
    case 'refcount': {
      const holders = k.ref.filter(({ page }) => story.before(decided).get(page.location) === pfn + 1)
      const who = holders.map(({ name }) => name)
      const held = who.length === 0 ? '' : `${enumerate(who)} ${who.length === 1 ? 'holds' : 'hold'} it, `
      return `${held}refcount is ${reads[0]!.value}, not 2`
    }
    default:
      return found
  }
}

/** The step at which reclaim found that it could not go on with a page, before it gave it up. */
export function keptBecause(story: Story, kept: number): number | undefined {
  const { thread } = story.steps[kept]!
  const isolated = story.last(kept, (step) => step.thread === thread && isolates(step)) ?? 0
  const within = (condition: (step: Step) => boolean): number | undefined => {
    const found = story.last(kept, (step) => step.thread === thread && condition(step))
    return found !== undefined && found > isolated ? found : undefined
  }
  const looks = ({ changes, reads }: Step): boolean => changes.length === 0 && reads.length > 0
  const refused = within((step) => looks(step) && story.ruleOf(step) === 'page_try_share_anon_rmap')
  return refused ?? within((step) => looks(step) !== (step.effect.name === 'free_if_unnamed'))
}
