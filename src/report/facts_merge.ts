/** What KSM did to two pages in some steps, in a few words. */
import type { Step } from '../engine/index.ts'
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
  const refused = story.last(to + 1, (step) => refuses(story, step))
  return refused !== undefined && refused >= from ? phraseOf(story, refused) : ''
}

/** Whether KSM finds at a step that two pages cannot be merged. */
function refuses(story: Story, step: Step): boolean {
  if (step.changes.length > 0) return false
  const { name } = step.effect
  if (['compare_pages', 'get_mapped', 'get_page_unless_zero', 'tryLock'].includes(name)) return true
  return asksForOthers(story, step) && step.args[1] !== step.reads[0]?.value
}

/** Whether KSM looks at a step if a page has more references than it knows of. */
export function asksForOthers(story: Story, step: Step): boolean {
  if (step.effect.name !== 'test' || !story.inside(step, 'write_protect_page')) return false
  return story.names.place(step.args[0] as number).kind === 'refcount'
}

/** The pages that ksmd is at: `parent's x and child's x`. */
export function mergedSpots(story: Story, step: number): string {
  const merging = story.steps[step]!.stack.find(({ procedure }) => procedure.name === 'cmp_and_merge')
  return ((merging?.args ?? []) as unknown as Spot[]).map((spot) => spotName(story, spot)).join(' and ')
}
