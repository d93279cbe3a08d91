/** What a step, or several, changed, in words. */
import type { Change, Step } from '../engine/index.ts'
import type { Place } from './places.ts'
import type { Story } from './story.ts'

/** What happens in a step, in words; undefined if what it read and changed tells it all. */
export type Phrase = (story: Story, step: Step, index: number) => string | undefined

/** Some changes, those of one page together; what freeing a page resets goes without saying. */
export function changesPhrase(story: Story, changes: readonly Change[]): string {
  const { names } = story
  const places = changes.map(({ location }) => names.place(location))
  const freed = changes.some(({ after }, i) => after === 0 && places[i]!.kind === 'refcount')
  const parts: string[] = []
  let page = ''
  changes.forEach((change, i) => {
    const place = places[i]!
    if (place.kind === 'bookkeeping' || (freed && FORGOTTEN.has(place.kind))) return
    if (freed && place.kind === 'lru' && change.before === story.k.NOT_ON_LRU) return
    if (saidBy(place, places)) return
    const text = names.change(change)
    const prefix = 'pfn' in place && place.kind !== 'word' ? `${names.page(place.pfn)} ` : ''
    parts.push(prefix !== '' && prefix === page ? text.slice(prefix.length) : text)
    page = prefix
  })
  return `${parts.join(', ')}${freed ? ': free now' : ''}`
}

/** What free_page resets. */
const FORGOTTEN: ReadonlySet<Place['kind']> = new Set(['word', 'exclusive', 'mapping', 'index', 'dirty'])

/** Whether a change goes without saying since another one is told that always comes with it. */
function saidBy({ kind }: Place, others: readonly Place[]): boolean {
  const tellers = TOLD_WITH[kind]
  return tellers !== undefined && others.some((other) => tellers.includes(other.kind))
}

const TOLD_WITH: Readonly<Partial<Record<Place['kind'], readonly Place['kind'][]>>> = {
  index: ['mapping'],
  slot_cache: ['swap'],
  // A place in swap that is given up forgets what it held.
  slot_word: ['slot_count', 'slot_cache'],
}

/** What is said of a page that has just been named: `refcount is 2`, of `page A refcount is 2`. */
export function withoutPage(text: string, page: string): string {
  return text.startsWith(`${page} `) ? text.slice(page.length + 1) : text
}
