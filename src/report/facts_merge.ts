/** What KSM did to two pages in some steps, in a few words. */
import { pte_pfn, pte_present } from '../mm/pte.ts'
import { phraseOf } from './phrase.ts'
import type { Spot } from './phrase_ksm.ts'
import { spotName } from './phrase_ksm.ts'
import { netChanges, type Story } from './story.ts'

/** `page A is a KSM page now, and parent's y maps it in place of page B`. */
export function mergeFacts(story: Story, from: number, to: number): string {
  const { names, k } = story
  const facts: string[] = []
  const net = netChanges(story, from, to)
  for (const { location, after } of net) {
    const place = names.place(location)
    if (place.kind === 'mapping' && after === k.KSM) facts.push(`${names.page(place.pfn)} is a KSM page now`)
  }
  for (const { location, before, after } of net) {
    const place = names.place(location)
    if (place.kind !== 'pte' || !pte_present(before) || !pte_present(after)) continue
    if (pte_pfn(before) === pte_pfn(after)) continue
    facts.push(
      `${spotName(story, place)} maps ${names.page(pte_pfn(after))} in place of ${names.page(pte_pfn(before))}`,
    )
  }
  if (facts.length > 0) return facts.join(', ')
  const refused = story.last(
    to + 1,
    ({ effect, changes }) => changes.length === 0 && REFUSALS.has(effect.name),
  )
  return refused !== undefined && refused >= from ? phraseOf(story, refused) : ''
}

/** Where KSM may find that two pages cannot be merged. */
const REFUSALS: ReadonlySet<string> = new Set(['compare_pages', 'has_other_users', 'get_mapped', 'tryLock'])

/** The pages that ksmd is at: `parent's x and child's x`. */
export function mergedSpots(story: Story, step: number): string {
  const merging = story.steps[step]!.stack.find(({ procedure }) => procedure.name === 'cmp_and_merge')
  return ((merging?.args ?? []) as unknown as Spot[]).map((spot) => spotName(story, spot)).join(' and ')
}
