/** What must hold in every run, whatever the design. */
import type { Memory } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { ZERO_PFN } from './machine.ts'
import { pte_none, pte_pfn, pte_write } from './pte.ts'

/** While no page-table lock is held: mapcounts are exact, and reference counts high enough. */
export function countsHold(k: Kernel, memory: Memory): string | undefined {
  if (k.mm.some(({ ptl }) => memory.get(ptl.location) !== 0)) return undefined
  const { mapped, referenced } = countUses(k, memory)
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const page = k.page[pfn]!
    const mapcount = memory.get(page.mapcount.location)
    if (mapcount !== mapped[pfn]) {
      return `page ${pfn} has mapcount ${mapcount} and ${mapped[pfn]} page-table entries`
    }
    const refcount = memory.get(page.refcount.location)
    const uses = mapped[pfn]! + referenced[pfn]!
    if (refcount < uses) return `page ${pfn} has refcount ${refcount} and ${uses} users`
  }
  return undefined
}

/**
 * While no thread is in the kernel: reference and pin counts are exact, locks are free, and
 * the TLBs hold nothing that the page tables do not permit.
 */
export function restHolds(k: Kernel, memory: Memory): string | undefined {
  const { mapped, referenced, pinned } = countUses(k, memory)
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const page = k.page[pfn]!
    const batched = memory.get(page.batch.location) === 0 ? 0 : 1
    const refcount = memory.get(page.refcount.location)
    const uses = mapped[pfn]! + referenced[pfn]! + batched
    if (refcount > uses) return `leak: page ${pfn} has refcount ${refcount} and ${uses} users`
    if (refcount < uses) return `page ${pfn} has refcount ${refcount} and ${uses} users`
    const pins = memory.get(page.pins.location)
    if (pins !== pinned[pfn]) return `page ${pfn} has ${pins} pins and ${pinned[pfn]} pinning references`
    if (memory.get(page.lock.location) !== 0) return `page ${pfn} is left locked`
  }
  for (const mm of k.mm) {
    if (memory.get(mm.mmap_lock.location) !== 0) return `mmap_lock of ${mm.name} is left locked`
    if (memory.get(mm.ptl.location) !== 0) return `the page-table lock of ${mm.name} is left locked`
  }
  return staleTlb(k, memory)
}

function staleTlb(k: Kernel, memory: Memory): string | undefined {
  for (const cpu of k.cpu) {
    for (let vpn = 0; vpn < cpu.tlb.length; vpn++) {
      const entry = memory.get(cpu.tlb[vpn]!.location)
      if (pte_none(entry)) continue
      const pte = memory.get(k.mm[cpu.mm]!.pte[vpn]!.location)
      const same = !pte_none(pte) && pte_pfn(pte) === pte_pfn(entry) && (pte_write(pte) || !pte_write(entry))
      if (!same) return `the TLB of ${cpu.name} holds an entry that its flush should have removed`
    }
  }
  return undefined
}

function countUses(k: Kernel, memory: Memory): { mapped: number[]; referenced: number[]; pinned: number[] } {
  const mapped = k.page.map(() => 0)
  const referenced = k.page.map(() => 0)
  const pinned = k.page.map(() => 0)
  for (const { pte } of k.mm) {
    for (const cell of pte) {
      const entry = memory.get(cell.location)
      if (!pte_none(entry)) mapped[pte_pfn(entry)]!++
    }
  }
  for (const { page, flags } of k.ref) {
    const held = memory.get(page.location)
    if (held === 0) continue
    referenced[held - 1]!++
    if (flags.pin) pinned[held - 1]!++
  }
  return { mapped, referenced, pinned }
}
