/** What is said of every moment of every run: who may write to a page, who may hold it. */
import { type Memory, pendingIn, type States } from '../engine/index.ts'
import type { Kernel, WpFault } from '../mm/kernel.ts'
import { ZERO_PFN } from '../mm/machine.ts'
import { is_swap_pte, pte_pfn, pte_present, pte_swp_slot, pte_write } from '../mm/pte.ts'
import type { Invariant } from './claim.ts'

/** A state in which it is not so. */
export interface Breach {
  readonly state: number
  readonly found: string
}

/** The first state in which an invariant is broken. */
export function firstBreach(explorer: States, k: Kernel, invariant: Invariant): Breach | undefined {
  for (let state = 0; state < explorer.count; state++) {
    const memory = explorer.memories.reader(explorer.memoryOf(state))
    const found = check(explorer, k, memory, state, invariant)
    if (found !== undefined) return { state, found }
  }
  return undefined
}

function check(
  explorer: States,
  k: Kernel,
  memory: Memory,
  state: number,
  invariant: Invariant,
): string | undefined {
  switch (invariant) {
    case 'a page is mapped once when a reference is taken':
      return grabOfShared(explorer, k, memory, state)
    case 'a page is shared when its copy is mapped':
      return copyOfOwn(explorer, k, memory, state)
    case 'a page that is pinned for writing is not made COW':
      return unlocked(k, memory) ? pinnedAndProtected(k, memory) : undefined
    default:
      return unlocked(k, memory) ? breachIn(k, memory, invariant) : undefined
  }
}

/** Nobody holds a page-table lock, so what the page tables say is what the counts say. */
function unlocked(k: Kernel, memory: Memory): boolean {
  return k.mm.every(({ ptl }) => memory.get(ptl.location) === 0)
}

function breachIn(k: Kernel, memory: Memory, invariant: Invariant): string | undefined {
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const { mappers, writers, swapped, holders } = usersOf(k, memory, pfn)
    if (invariant === 'a page that is mapped twice has no reference') {
      if (mappers.length > 1 && holders.length > 0)
        return `a page is mapped ${mappers.length} times and has a reference`
      continue
    }
    const writer = writers[0]
    if (writer === undefined) continue
    const whose = `a page is writable in ${k.mm[writer]!.name}`
    const other = (users: readonly number[]): string | undefined =>
      k.mm[users.find((mm) => mm !== writer) ?? -1]?.name
    if (mappers.length > 1) return `${whose} and mapped more than once`
    if (other(swapped) !== undefined) return `${whose} and in swap for ${other(swapped)}`
    if (other(holders) !== undefined) return `${whose} while ${other(holders)} holds a reference to it`
  }
  return undefined
}

/**
 * A page is pinned (FOLL_PIN) for writing, and where its owner had it the entry is read-only, or one of swap. An entry
 * that is empty for a moment is neither.
 */
function pinnedAndProtected(k: Kernel, memory: Memory): string | undefined {
  for (const { page, mm, vpn, flags } of k.ref) {
    const pfn = memory.get(page.location) - 1
    if (!flags.pin || !flags.write || pfn <= ZERO_PFN) continue
    const entry = memory.get(k.mm[mm]!.pte[vpn]!.location)
    const whose = `${k.mm[mm]!.name}'s entry`
    if (pte_present(entry) && pte_pfn(entry) === pfn && !pte_write(entry))
      return `${whose} is read-only while the page is pinned`
    if (is_swap_pte(entry) && memory.get(k.slot[pte_swp_slot(entry)]!.cache.location) === 1 + pfn)
      return `${whose} is one of swap while the page is pinned`
  }
  return undefined
}

/** The processes that map a page, those of them that may write to it, those whose swap entry names it, those that hold it. */
function usersOf(
  k: Kernel,
  memory: Memory,
  pfn: number,
): { mappers: number[]; writers: number[]; swapped: number[]; holders: number[] } {
  const users = { mappers: [], writers: [], swapped: [], holders: [] } as ReturnType<typeof usersOf>
  k.mm.forEach(({ pte }, mm) => {
    for (const cell of pte) {
      const entry = memory.get(cell.location)
      if (pte_present(entry) && pte_pfn(entry) === pfn) {
        users.mappers.push(mm)
        if (pte_write(entry)) users.writers.push(mm)
      }
      if (!is_swap_pte(entry)) continue
      if (memory.get(k.slot[pte_swp_slot(entry)]!.cache.location) === 1 + pfn) users.swapped.push(mm)
    }
  })
  for (const { page, mm } of k.ref) if (memory.get(page.location) === 1 + pfn) users.holders.push(mm)
  return users
}

/** Somebody is about to take a reference, under the page-table lock, to a page that is mapped more than once. */
function grabOfShared(explorer: States, k: Kernel, memory: Memory, state: number): string | undefined {
  for (const { effect, args, stack } of pendingIn(explorer, state)) {
    if (effect.name !== 'grab' || stack.at(-1)?.procedure.name !== 'follow_page') continue
    const pfn = args[0] as number
    if (pfn !== ZERO_PFN && memory.get(k.page[pfn]!.mapcount.location) > 1)
      return 'a reference is taken to a page that is mapped more than once'
  }
  return undefined
}

/** A write fault is about to map its copy of a page that nobody else maps, has in swap or holds. */
function copyOfOwn(explorer: States, k: Kernel, memory: Memory, state: number): string | undefined {
  for (const { effect, stack } of pendingIn(explorer, state)) {
    const { procedure, args } = stack.at(-1)!
    if (effect.name !== 'add_new_anon_rmap' || procedure.name !== 'wp_page_copy') continue
    const { mm, orig_pte } = args[0] as WpFault
    const pfn = pte_pfn(orig_pte)
    if (pfn === ZERO_PFN) continue
    const { mappers, swapped, holders } = usersOf(k, memory, pfn)
    if ([...mappers, ...swapped, ...holders].every((user) => user === mm))
      return `${k.mm[mm]!.name} gets a copy of a page that is its own`
  }
  return undefined
}
