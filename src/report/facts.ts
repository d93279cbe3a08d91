/** What some steps of one statement changed, taken together, in the words that matter for that statement. */
import type { Change } from '../engine/index.ts'
import type { Statement } from '../litmus/ast.ts'
import { is_swap_pte, pte_none, pte_pfn } from '../mm/pte.ts'
import { changesPhrase } from './changes.ts'
import { mergeFacts } from './facts_merge.ts'
import { reclaimFacts } from './facts_reclaim.ts'
import type { Place } from './places.ts'
import { netChanges, type Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** What those steps of a statement did, in a few words; empty if it is nothing to speak of. */
export function factsOf(story: Story, statement: Statement, from: number, to: number): string {
  const net = netChanges(story, from, to)
  const only = (...kinds: Place['kind'][]): string => {
    const chosen = kinds.flatMap((kind) => net.filter((c) => story.names.place(c.location).kind === kind))
    return changesPhrase(story, chosen)
  }
  switch (statement.kind) {
    case 'fork':
      return forkFacts(story, net)
    case 'load':
    case 'refLoad':
      return loadFacts(story, net, to)
    case 'pin':
      return join(holdFacts(story, net), only('mapcount', 'refcount', 'pins'))
    case 'unmap':
    case 'dontneed':
    case 'exit':
      return join(only('mapcount', 'refcount', 'slot_count'), keepers(story, net, to))
    case 'mprotect':
      return only('vma', 'pte')
    case 'clearRefs':
      return only('pte')
    case 'pageout':
    case 'reclaim':
      return reclaimFacts(story, from, to)
    case 'merge':
      return mergeFacts(story, from, to)
    default:
      return only('ref', 'refcount', 'pins', 'word')
  }
}

/** What fork did to each page: `page A shared, both read-only, mapcount 1 → 2`. */
function forkFacts(story: Story, net: readonly Change[]): string {
  const { names, k } = story
  const entries = net.flatMap((change) => {
    const place = names.place(change.location)
    return place.kind === 'pte' && !pte_none(change.after) ? [{ ...change, ...place }] : []
  })
  const facts = entries.flatMap(({ mm, vpn, before, after }) => {
    // The parent's own entries only lose their write permission.
    if (!pte_none(before)) return []
    if (is_swap_pte(after)) return [`${names.entry(after)} shared`]
    const pfn = pte_pfn(after)
    const page = names.page(pfn)
    const { mapcount } = k.page[pfn]!
    const count = net.find(({ location }) => location === mapcount.location)
    if (count !== undefined && count.before === 0) return [`${story.process(mm)} gets a copy, ${page}`]
    const both = entries.some((other) => other.mm !== mm && other.vpn === vpn) ? ', both read-only' : ''
    const counted = count === undefined ? '' : `, mapcount ${count.before} → ${count.after}`
    return [`${page} shared${both}${counted}`]
  })
  return facts.join('; ')
}

/** `1, from page A`. */
function loadFacts(story: Story, net: readonly Change[], to: number): string {
  const { names } = story
  const register = net.find(({ location }) => names.place(location).kind === 'register')
  if (register === undefined) return ''
  const value = names.value(register.location, register.after)
  for (const { location } of story.steps[to]!.reads) {
    const place = names.place(location)
    if (place.kind === 'word') return `${value}, from ${names.page(place.pfn)}`
  }
  return value
}

/** `p holds page A`. */
function holdFacts(story: Story, net: readonly Change[]): string {
  const { names } = story
  const held = net.filter(({ location, after }) => names.place(location).kind === 'ref' && after > 0)
  return held
    .map(({ location, after }) => `${names.location(location)} holds ${names.value(location, after)}`)
    .join(', ')
}

/** `p still holds it`: the references that keep a page alive whose count has just fallen. */
function keepers(story: Story, net: readonly Change[], to: number): string {
  const fallen = net.flatMap(({ location, after }) => {
    const place = story.names.place(location)
    return place.kind === 'refcount' && after > 0 ? [place.pfn] : []
  })
  const memory = story.after(to)
  const refs = story.k.ref.filter(({ page }) => fallen.includes(memory.get(page.location) - 1))
  if (refs.length === 0) return ''
  return `${enumerate(refs.map(({ name }) => name))} still ${refs.length === 1 ? 'holds' : 'hold'} it`
}

/** `p holds page A, refcount 1 → 2`: a page that was just named is not named again. */
function join(...facts: readonly string[]): string {
  let text = ''
  for (const fact of facts) {
    if (fact === '') continue
    const named = /page \w+$/.exec(text)?.[0]
    const rest = named !== undefined && fact.startsWith(`${named} `) ? fact.slice(named.length + 1) : fact
    text += text === '' ? fact : `, ${rest}`
  }
  return text
}
