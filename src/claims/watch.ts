/**
 * What others can do to a page while somebody relies on what he has seen of it: the question
 * "what keeps the mapcount stable in here?", answered by looking at every reachable state.
 */
import {
  type Frame,
  type Memory,
  type Pending,
  pendingIn,
  type States,
  type Step,
  stepsFrom,
} from '../engine/index.ts'
import type { Kernel, WpFault } from '../mm/kernel.ts'
import type { Aspect, Moment } from './claim.ts'

/** A step that changes something, and the state that it is taken in. */
export interface Sighting {
  readonly state: number
  readonly step: Step
  /** The kernel's function that does it, as a reader would call it. */
  readonly by: string
}

/**
 * The first step of each kind that changes this about a page while another thread is at that moment with it.
 * @returns undefined if no thread ever is
 */
export function disturbances(
  explorer: States,
  k: Kernel,
  aspect: Aspect,
  moment: Moment,
): Sighting[] | undefined {
  const found = new Map<string, Sighting>()
  let reached = false
  for (let state = 0; state < explorer.count; state++) {
    const watched = pendingIn(explorer, state).flatMap((pending) => {
      const pfn = lookedAt(k, moment, pending)
      return pfn === undefined ? [] : [{ thread: pending.thread, pfn }]
    })
    if (watched.length === 0) continue
    reached = true
    const memory = explorer.memories.reader(explorer.memoryOf(state))
    for (const step of stepsFrom(explorer, state)) {
      if (step.changes.length === 0) continue
      for (const { thread, pfn } of watched) {
        if (step.thread === thread || !changes(k, memory, step, pfn, aspect, thread)) continue
        const by = pathOf(step.stack)
        if (!found.has(by)) found.set(by, { state, step, by })
      }
    }
  }
  return reached ? [...found.values()] : undefined
}

/** The first step of each function that raises (or lowers) this number of a page that somebody knew before. */
export function movements(explorer: States, k: Kernel, aspect: Aspect, up: boolean): Sighting[] {
  const found = new Map<string, Sighting>()
  const locations = new Map(k.page.flatMap((page, pfn) => placesOf(page).map((location) => [location, pfn])))
  for (let state = 0; state < explorer.count; state++) {
    const memory = explorer.memories.reader(explorer.memoryOf(state))
    for (const step of stepsFrom(explorer, state)) {
      if (step.effect.name === 'add_new_anon_rmap') continue
      const pages = new Set(step.changes.flatMap(({ location }) => locations.get(location) ?? []))
      for (const pfn of pages) {
        const before = aspectOf(k, memory, pfn, aspect)
        const after = aspectOf(k, afterwards(memory, step), pfn, aspect)
        if (up ? after <= before : after >= before) continue
        const by = pathOf(step.stack)
        if (!found.has(by)) found.set(by, { state, step, by })
      }
    }
  }
  return [...found.values()]
}

/** The locations in which a page's own aspects are. */
function placesOf(page: Kernel['page'][number]): number[] {
  const { mapcount, refcount, pins, mapping, swap, exclusive } = page
  return [mapcount, refcount, pins, mapping, swap, exclusive].map(({ location }) => location)
}

/** The page that a thread has looked at, if it is at that moment. */
function lookedAt(k: Kernel, moment: Moment, { stack, effect, args }: Pending): number | undefined {
  const within = (procedure: unknown): Frame | undefined =>
    stack.find((frame) => frame.procedure === procedure && frame.position > 0)
  if (moment === 'unsharing test') {
    const test = within(k.rules.gup_must_unshare)
    if (test !== undefined) return test.args[0] as number
    // Under the page-table lock the answer is acted on by taking the reference. Whoever has not asked has only
    // locked and read the entry.
    const top = stack.at(-1)!
    const acting = effect.name === 'grab' && top.procedure.name === 'follow_page' && top.position > 2
    return acting ? (args[0] as number) : undefined
  }
  const fault = within(k.rules.wp_can_reuse)
  if (fault === undefined) return undefined
  const { kind } = fault.args[0] as WpFault
  return (kind === 'unshare') === (moment === 'unsharing fault') ? (fault.args[1] as number) : undefined
}

function changes(
  k: Kernel,
  memory: Memory,
  step: Step,
  pfn: number,
  aspect: Aspect,
  watcher: number,
): boolean {
  if (aspect === 'page-table entry') {
    const { mm } = k.cpu[watcher]!
    const entries = k.mm[mm]!.pte
    return step.changes.some(({ location }) => entries.some((entry) => entry.location === location))
  }
  return aspectOf(k, memory, pfn, aspect) !== aspectOf(k, afterwards(memory, step), pfn, aspect)
}

function afterwards(memory: Memory, { changes }: Step): Memory {
  return {
    get: (location) => changes.find((change) => change.location === location)?.after ?? memory.get(location),
  }
}

function aspectOf(k: Kernel, memory: Memory, pfn: number, aspect: Aspect): number {
  const page = k.page[pfn]!
  const is = (value: boolean): number => (value ? 1 : 0)
  switch (aspect) {
    case 'mapcount':
      return memory.get(page.mapcount.location)
    case 'refcount':
      return memory.get(page.refcount.location)
    case 'pins':
      return memory.get(page.pins.location)
    case 'PageAnon':
      return is(memory.get(page.mapping.location) !== 0)
    case 'PageKsm':
      return is(memory.get(page.mapping.location) === k.KSM)
    case 'PageSwapCache':
      return is(memory.get(page.swap.location) !== 0)
    case 'PageAnonExclusive':
      return memory.get(page.exclusive.location)
    case 'swap count': {
      const slot = memory.get(page.swap.location) - 1
      return slot < 0 ? 0 : memory.get(k.slot[slot]!.count.location)
    }
    case 'page-table entry':
      return 0
  }
}

/** The functions that a kernel developer knows, nearest first. */
const LANDMARKS: Readonly<Record<string, string>> = {
  dup_mmap: 'fork (dup_mmap)',
  replace_page: 'KSM (replace_page)',
  write_protect_page: 'KSM (write_protect_page)',
  try_to_merge_one_page: 'KSM (try_to_merge_one_page)',
  cmp_and_merge: 'KSM (cmp_and_merge_page)',
  try_to_unmap_one: 'reclaim (try_to_unmap_one)',
  shrink_page: 'reclaim (shrink_page_list)',
  putback_lru_page: 'reclaim (putback_lru_page)',
  kswapd: 'reclaim (isolate_lru_page)',
  map_swapped_in: 'swap-in (do_swap_page)',
  do_swap_page: 'swap-in (do_swap_page)',
  wp_page_copy: 'a copying write fault (wp_page_copy)',
  do_wp_page: 'a write fault (do_wp_page)',
  zap_pte_range: 'unmapping (zap_pte_range)',
  gup_slow: 'a reference (get_user_pages)',
  gup_fast: 'a reference (get_user_pages_fast)',
}

function pathOf(stack: readonly Frame[]): string {
  for (const { procedure } of [...stack].reverse()) {
    const name = LANDMARKS[procedure.name]
    if (name !== undefined) return name
  }
  return stack.at(-1)?.procedure.name ?? '?'
}

/** Functions in which a claim can look for steps. */
export const FUNCTIONS: readonly string[] = Object.keys(LANDMARKS)

/** Whether a sighting's step is taken inside one of these functions. */
export function isInside({ step }: Sighting, procedures: readonly string[]): boolean {
  return step.stack.some(({ procedure }) => procedures.includes(procedure.name))
}
