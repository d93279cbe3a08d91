/** What must hold in every run, whatever the design. */
import type { Memory } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { ON_LRU, VM_NONE, VM_WRITE, ZERO_PFN } from './machine.ts'
import {
  is_swap_pte,
  pte_none,
  pte_pfn,
  pte_present,
  pte_swp_exclusive,
  pte_swp_slot,
  pte_write,
} from './pte.ts'

/** While no page-table lock is held: mapcounts are exact, and reference counts high enough. */
export function countsHold(k: Kernel, memory: Memory): string | undefined {
  if (k.mm.some(({ ptl }) => memory.get(ptl.location) !== 0)) return undefined
  const slots = slotsHold(k, memory)
  if (slots !== undefined) return slots
  const { mapped, referenced } = countUses(k, memory)
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const page = k.page[pfn]!
    const mapcount = memory.get(page.mapcount.location)
    if (mapcount !== mapped[pfn]) {
      return `page ${pfn} has mapcount ${mapcount} and ${mapped[pfn]} page-table entries`
    }
    const refcount = memory.get(page.refcount.location)
    const frozen = refcount === 0 && memory.get(page.lru.location) === k.ISOLATED
    const uses = frozen ? mapped[pfn]! : mapped[pfn]! + referenced[pfn]!
    if (refcount < uses) return `page ${pfn} has refcount ${refcount} and ${uses} users`
  }
  return undefined
}

/**
 * While no page-table lock is held, in a design that is right: a page that somebody may write
 * to is mapped once; where pages carry PageAnonExclusive, an exclusive page is mapped once and its
 * place in swap is named by nobody, an exclusive swap entry is the only one of its place, and pages
 * that are writable or pinned are exclusive (6c287605fd56, 1493a1913e34).
 *
 * Not looked at by default: a run that breaks it is more instructive when it goes on to its
 * outcome. The tests look, to catch mistakes in the paths that no outcome shows.
 */
export function exclusivityHolds(k: Kernel, memory: Memory): string | undefined {
  if (k.mm.some(({ ptl }) => memory.get(ptl.location) !== 0)) return undefined
  const { mapped, writable, pinned } = countUses(k, memory)
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    if (writable[pfn]! > 0 && mapped[pfn]! > 1) return `page ${pfn} is writable and mapped more than once`
    if (!k.rules.anon_exclusive) continue
    const exclusive = memory.get(k.page[pfn]!.exclusive.location) === 1
    if (exclusive && mapped[pfn]! > 1) return `page ${pfn} is exclusive and mapped more than once`
    if (exclusive && swappedElsewhere(k, memory, pfn))
      return `page ${pfn} is exclusive and in swap for somebody`
    if (!exclusive && writable[pfn]! > 0) return `page ${pfn} is writable and not exclusive`
    if (!exclusive && pinned[pfn]! > 0) return `page ${pfn} is pinned and not exclusive`
  }
  for (const { pte } of k.mm) {
    for (const cell of pte) {
      const entry = memory.get(cell.location)
      if (pte_swp_exclusive(entry) && memory.get(k.slot[pte_swp_slot(entry)]!.count.location) > 1) {
        return `swap ${pte_swp_slot(entry)} is exclusive and named more than once`
      }
    }
  }
  return undefined
}

/** Whether some entry names the page's place in swap. */
function swappedElsewhere(k: Kernel, memory: Memory, pfn: number): boolean {
  const slot = memory.get(k.page[pfn]!.swap.location) - 1
  return slot >= 0 && memory.get(k.slot[slot]!.count.location) > 0
}

/**
 * While no thread is in the kernel: reference and pin counts are exact, locks are free, page
 * tables map what the areas permit, and the TLBs hold what the page tables permit.
 */
export function restHolds(k: Kernel, memory: Memory): string | undefined {
  const { mapped, referenced, pinned } = countUses(k, memory)
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const page = k.page[pfn]!
    const lru = memory.get(page.lru.location)
    if (!k.rules.shares_nothing && lru >= k.ISOLATED) return `leak: page ${pfn} is on no LRU list`
    const offList = lru === ON_LRU || lru === k.NOT_ON_LRU ? 0 : 1
    const refcount = memory.get(page.refcount.location)
    const uses = mapped[pfn]! + referenced[pfn]! + offList
    if (refcount > uses) return `leak: page ${pfn} has refcount ${refcount} and ${uses} users`
    if (refcount < uses) return `page ${pfn} has refcount ${refcount} and ${uses} users`
    const pins = memory.get(page.pins.location)
    if (pins !== pinned[pfn]) return `page ${pfn} has ${pins} pins and ${pinned[pfn]} pinning references`
    if (memory.get(page.lock.location) !== 0) return `page ${pfn} is left locked`
  }
  for (const mm of k.mm) {
    if (memory.get(mm.mmap_lock.location) !== 0) return `mmap_lock of ${mm.name} is left locked`
    if (mm.vma_lock.some(({ location }) => memory.get(location) !== 0))
      return `the lock of an area of ${mm.name} is left locked`
    if (memory.get(mm.ptl.location) !== 0) return `the page-table lock of ${mm.name} is left locked`
    for (let vpn = 0; vpn < mm.pte.length; vpn++) {
      const pte = memory.get(mm.pte[vpn]!.location)
      const vma = memory.get(mm.vma[vpn]!.location)
      if (!pte_none(pte) && vma === VM_NONE) return `${mm.name} still maps a page that it has unmapped`
      if (pte_write(pte) && vma !== VM_WRITE) return `${mm.name} may write to a page of a read-only area`
    }
  }
  return staleTlb(k, memory)
}

function staleTlb(k: Kernel, memory: Memory): string | undefined {
  // Write permission that clear_refs has taken away without a flush.
  const mayWriteOn = k.config.softDirty && !k.rules.clear_refs_flushes
  for (const cpu of k.cpu) {
    for (let vpn = 0; vpn < cpu.tlb.length; vpn++) {
      const entry = memory.get(cpu.tlb[vpn]!.location)
      if (pte_none(entry)) continue
      const pte = memory.get(k.mm[cpu.mm]!.pte[vpn]!.location)
      const same =
        pte_present(pte) &&
        pte_pfn(pte) === pte_pfn(entry) &&
        (mayWriteOn || pte_write(pte) || !pte_write(entry))
      if (!same) return `the TLB of ${cpu.name} holds an entry that its flush should have removed`
    }
  }
  return undefined
}

/** While no page-table lock is held: the count of each place in swap, and what the swap cache has for it. */
function slotsHold(k: Kernel, memory: Memory): string | undefined {
  const named = new Array<number>(k.slot.length).fill(0)
  for (const { pte } of k.mm) {
    for (const cell of pte) {
      const entry = memory.get(cell.location)
      if (is_swap_pte(entry)) named[pte_swp_slot(entry)]!++
    }
  }
  for (let slot = 0; slot < k.slot.length; slot++) {
    const { count, cache } = k.slot[slot]!
    const counted = memory.get(count.location)
    if (counted !== named[slot])
      return `swap ${slot} has count ${counted} and ${named[slot]} page-table entries`
    const pfn = memory.get(cache.location) - 1
    if (pfn >= 0 && memory.get(k.page[pfn]!.swap.location) !== 1 + slot) {
      return `page ${pfn} does not know that it is in the swap cache`
    }
  }
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const slot = memory.get(k.page[pfn]!.swap.location) - 1
    if (slot >= 0 && memory.get(k.slot[slot]!.cache.location) !== 1 + pfn) {
      return `page ${pfn} is not the swap cache's page for its place`
    }
  }
  return undefined
}

/** For each frame: entries that map it, those of them that are writable, references, and those of them that pin. */
interface Uses {
  readonly mapped: number[]
  readonly writable: number[]
  /** References of GUP, and the swap cache's. */
  readonly referenced: number[]
  readonly pinned: number[]
}

function countUses(k: Kernel, memory: Memory): Uses {
  const none: readonly number[] = new Array(k.page.length).fill(0)
  const uses: Uses = { mapped: [...none], writable: [...none], referenced: [...none], pinned: [...none] }
  k.page.forEach(({ swap }, pfn) => {
    if (memory.get(swap.location) !== 0) uses.referenced[pfn]!++
  })
  for (const { pte } of k.mm) {
    for (const cell of pte) {
      const entry = memory.get(cell.location)
      if (!pte_present(entry)) continue
      uses.mapped[pte_pfn(entry)]!++
      if (pte_write(entry)) uses.writable[pte_pfn(entry)]!++
    }
  }
  for (const { page, flags } of k.ref) {
    const held = memory.get(page.location)
    if (held === 0) continue
    uses.referenced[held - 1]!++
    if (flags.pin) uses.pinned[held - 1]!++
  }
  return uses
}
