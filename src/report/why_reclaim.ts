/** What reclaim had done to a page before something went wrong. */
import { pte_none } from '../mm/pte.ts'
import { introduceActor } from './actors.ts'
import { withoutPage } from './changes.ts'
import { keptAt, keptBecause } from './facts_reclaim.ts'
import { phraseOf } from './phrase.ts'
import { mapsFrame, namesSlot } from './places.ts'
import { numbers, type Prose } from './prose.ts'
import type { Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** How a page came to be in swap, as far as a run had gone by some step. */
export interface Reclaim {
  readonly pfn: number
  readonly thread: number
  readonly slot: number
  /** The steps at which the page was given its place in swap, and at which it was unmapped. */
  readonly entered: number
  readonly unmapped: readonly number[]
  /** The step at which reclaim found that it cannot free the page, or at which it was freed. */
  readonly kept: number | undefined
  readonly freed: number | undefined
}

/** The last time before a step that a page was given a place in swap. */
export function reclaimBefore(story: Story, pfn: number, before: number): Reclaim | undefined {
  const entered = story.last(
    before,
    ({ effect, args, changes }) =>
      effect.name === 'enter_swap_cache' && changes.length > 0 && numbers(args)[0] === pfn,
  )
  if (entered === undefined) return undefined
  const { thread } = story.steps[entered]!
  const slot = story.after(entered).get(story.k.page[pfn]!.swap.location) - 1
  const after = (condition: Parameters<Story['first']>[1]): number | undefined => {
    const found = story.first(entered, (step, index) => step.thread === thread && condition(step, index))
    return found !== undefined && found < before ? found : undefined
  }
  const unmapped = story.steps.flatMap((step, index) =>
    index > entered &&
    index < before &&
    step.thread === thread &&
    story.inside(step, 'try_to_unmap_one') &&
    step.changes.some((change) => becomesSwapped(story, change, slot))
      ? [index]
      : [],
  )
  const freed = after(({ effect, args }) => effect.name === 'free_isolated' && numbers(args)[0] === pfn)
  const gaveUp = freed === undefined ? keptAt(story, before - 1, thread) : undefined
  const kept = gaveUp !== undefined && gaveUp > entered ? keptBecause(story, gaveUp) : undefined
  return { pfn, thread, slot, entered, unmapped, kept, freed }
}

function becomesSwapped(
  story: Story,
  { location, after }: { location: number; after: number },
  slot: number,
): boolean {
  return story.names.place(location).kind === 'pte' && namesSlot(after, slot)
}

/** `Reclaim (`reclaim x`)`, or who kswapd is. */
export function reclaimer(story: Story, step: number): string {
  const { thread } = story.steps[step]!
  const statement = story.statement(step)
  return (
    introduceActor(story, thread) ??
    (statement === undefined ? 'reclaim' : `reclaim (\`${story.source(statement)}\`)`)
  )
}

/** `reclaim had given page A a place in swap, swap 0, and unmapped it from parent, but could not free it, for p held it`. */
export function reclaimSentence(prose: Prose, reclaim: Reclaim): string {
  const { story } = prose
  const { names } = story
  const { pfn, entered, slot, unmapped, kept, freed } = reclaim
  const owners = unmapped.map((step) => {
    const changed = story.steps[step]!.changes.find((change) => becomesSwapped(story, change, slot))!
    const place = names.place(changed.location)
    return `${'mm' in place ? story.process(place.mm) : 'a process'}${prose.at(step)}`
  })
  const given = `${reclaimer(story, entered)} had given ${names.page(pfn)} a place in swap, swap ${slot}${prose.at(entered)}`
  const parts = [given]
  if (owners.length > 0) parts.push(`unmapped it from ${enumerate(owners)}`)
  if (freed !== undefined) parts.push(`freed it${prose.at(freed)}`)
  const done = enumerate(parts)
  if (kept === undefined) return done
  const holders = story.k.ref.filter(({ page }) => story.before(kept).get(page.location) === pfn + 1)
  const why =
    holders.length === 0
      ? `: its ${withoutPage(phraseOf(story, kept), names.page(pfn)).replace(' is ', ' was ')}${prose.at(kept)}`
      : `, for ${enumerate(holders.map(({ name }) => name))} held it${prose.at(kept)}`
  return `${done}, but could not free it${why}`
}

/** The step at which a swap-in mapped a page into a process for the last time before some step. */
export function swapInBefore(story: Story, mm: number, pfn: number, before: number): number | undefined {
  return story.last(
    before,
    (step) =>
      isSwapIn(story, step) &&
      step.changes.some(({ location, after }) => {
        const place = story.names.place(location)
        return place.kind === 'pte' && place.mm === mm && mapsFrame(after, pfn)
      }),
  )
}

/** The last step before some other at which fork let a child have a place in swap too. */
export function slotSharedBefore(story: Story, before: number): number | undefined {
  return story.last(
    before,
    (step) =>
      story.inside(step, 'copy_swap_pte') &&
      step.changes.some(({ location, before: old }) => {
        return story.names.place(location).kind === 'pte' && pte_none(old)
      }),
  )
}

export function isSwapIn(story: Story, step: Parameters<Story['inside']>[0]): boolean {
  return story.inside(step, 'do_swap_page', 'map_swapped_in')
}
