/** What a page fault found and decided, in one line. */
import type { Change, Step } from '../engine/index.ts'
import type { Fault } from '../mm/kernel.ts'
import { is_swap_pte, pte_none, pte_pfn, pte_present, pte_swp_exclusive, pte_write } from '../mm/pte.ts'
import { withoutPage } from './changes.ts'
import { findingPhrase, lastDecision } from './prose.ts'
import { netChanges, type Story } from './story.ts'

/** The kernel's function for the fault that a step is part of, where one has something to decide. */
export function faultOf(story: Story, step: Step): string | undefined {
  if (story.inside(step, 'do_wp_page')) return 'do_wp_page'
  if (story.inside(step, 'do_anonymous_page')) return 'do_anonymous_page'
  return story.inside(step, ...SWAP_IN) ? 'do_swap_page' : undefined
}

/** do_swap_page and what it goes on with. */
const SWAP_IN = ['do_swap_page', 'map_swapped_in', 'out_page']

/** A fault in words, and whether it came to anything. */
export interface FaultText {
  readonly text: string
  readonly came: 'to nothing' | 'to a finding' | 'to an entry'
}

/** What the fault that takes the steps from `from` to `to` found, and why. */
export function faultText(story: Story, from: number, to: number): FaultText {
  const last = story.steps[to]!
  const name = faultOf(story, last)!
  if (last.failure !== undefined) return { text: `${name}: ${last.failure}`, came: 'to an entry' }
  const decided = lastDecision(story, from, to)
  const found = decided === undefined ? '' : findingPhrase(story, decided)
  const fault = vmfOf(last)
  const entry = netChanges(story, from, to).find(({ location }) => {
    const place = story.names.place(location)
    return place.kind === 'pte' && place.mm === fault?.mm && place.vpn === fault.vpn
  })
  if (name === 'do_swap_page') return swapInText(story, from, to, entry, found)
  if (entry === undefined) {
    return {
      text: found === '' ? name : `${name}: ${found}`,
      came: found === '' ? 'to nothing' : 'to a finding',
    }
  }
  const { what, page } = installed(story, entry, fault!)
  // The page that is decided about is the one that is named next.
  const because = found === '' ? '' : `${page === undefined ? found : withoutPage(found, page)}, so `
  return { text: `${name}: ${because}${what}`, came: 'to an entry' }
}

/** The fault that a step is part of. */
function vmfOf({ stack }: Step): Fault | undefined {
  return stack.findLast(({ procedure }) => procedure.name === 'handle_mm_fault')?.args[0] as Fault | undefined
}

/** What became of the entry; and the page, if it is the one that was there. */
function installed(
  story: Story,
  { before, after }: Change,
  { mm }: Fault,
): { readonly what: string; readonly page?: string } {
  const owner = story.process(mm)
  if (!pte_present(after)) return { what: `${owner}'s page-table entry is empty for now` }
  const page = story.names.page(pte_pfn(after))
  if (pte_none(before)) return { what: `${owner} maps ${page}` }
  if (pte_present(before) && pte_pfn(before) === pte_pfn(after)) {
    return { what: `${page} is reused and made writable`, page }
  }
  return { what: `${owner} gets a copy, ${page}` }
}

/** `page A is read from swap 0, and parent maps it read-only`. */
function swapInText(
  story: Story,
  from: number,
  to: number,
  entry: Change | undefined,
  decision: string,
): FaultText {
  const origin = broughtIn(story, from, to)
  if (entry === undefined || !pte_present(entry.after)) {
    const text = origin === undefined ? 'do_swap_page' : `do_swap_page: ${origin.text}`
    return { text, came: origin === undefined ? 'to nothing' : 'to a finding' }
  }
  const place = story.names.place(entry.location)
  const owner = 'mm' in place ? story.process(place.mm) : 'the process'
  const page = story.names.page(pte_pfn(entry.after))
  const own = is_swap_pte(entry.before) && pte_swp_exclusive(entry.before)
  const reason = own ? 'its swap entry is exclusive' : withoutPage(decision, page)
  const how = pte_write(entry.after) ? 'writable' : 'read-only'
  const copied = origin !== undefined && origin.page !== page
  const maps = copied
    ? `${owner} gets a copy, ${page}`
    : `${owner} maps ${origin === undefined ? page : 'it'} ${how}`
  const because = reason === '' ? maps : `${reason}, so ${maps}`
  const text = origin === undefined ? because : `${origin.text}${reason === '' ? ', and' : ';'} ${because}`
  return { text: `do_swap_page: ${text}`, came: 'to an entry' }
}

/** Where the page of a swap-in comes from. */
function broughtIn(story: Story, from: number, to: number): { page: string; text: string } | undefined {
  for (let i = to; i >= from; i--) {
    const { effect, args, changes } = story.steps[i]!
    if (effect.name === 'swap_readpage') {
      const page = story.names.page(args[0] as number)
      return { page, text: `${page} is read from swap ${args[1]}` }
    }
    if (effect.name !== 'find_get_page') continue
    const change = changes.find(({ location }) => story.names.place(location).kind === 'refcount')
    const place = change && story.names.place(change.location)
    if (place === undefined || !('pfn' in place)) continue
    const page = story.names.page(place.pfn)
    return { page, text: `${page} is still in the swap cache` }
  }
  return undefined
}
