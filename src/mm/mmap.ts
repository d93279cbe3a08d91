/** Mapping and unmapping (mm/mmap.c, mm/mmu_gather.c). The order is always: entry, mapcount, flush, reference. */
import { atomic, call, naming, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE, VM_READ, VM_WRITE, ZERO_PFN } from './machine.ts'
import { NOTHING, zap_pte_range } from './memory.ts'
import { mmap_write_downgrade, vma_start_write } from './mmap_lock.ts'
import { PFN } from './names.ts'
import { lru_add_drain, put_page } from './page_alloc.ts'
import { free_swap_cache } from './swap_state.ts'
import { flush_tlb_mm, flush_tlb_page } from './tlb.ts'

/**
 * mmap, of private anonymous memory: so many pages next to each other, the lowest that are free. The areas
 * of a test are there from the start.
 * @returns the first page, or -1 if there is no room
 */
export function* do_mmap(k: Kernel, cpu: number, pages: number, writable: boolean): Steps<number> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock } = k.mm[mm]!
  yield* mmap_lock.writeLock()
  const found = (yield* atomic(map_area, mm, pages, writable)) - 1
  yield* mmap_lock.writeUnlock()
  return found
}

/** 1 + the first page. mmap_lock is held for writing. */
function map_area(view: View, k: Kernel, mm: number, pages: number, writable: boolean): Response {
  const { vma } = k.mm[mm]!
  let start = 0
  for (let vpn = 0; vpn < vma.length; vpn++) {
    if (view.get(vma[vpn]!.location) !== VM_NONE) start = vpn + 1
    else if (vpn - start + 1 === pages) {
      for (let i = start; i <= vpn; i++) view.set(vma[i]!.location, writable ? VM_WRITE : VM_READ)
      return 1 + start
    }
  }
  return 0
}

/** munmap: detaches the area under mmap_lock for writing, then empties it under mmap_lock for reading. */
export function* do_munmap(k: Kernel, cpu: number, vpn: number): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  yield* mmap_lock.writeLock()
  if (yield* vma[vpn]!.is(VM_NONE)) {
    yield* mmap_lock.writeUnlock()
    return
  }
  yield* vma_start_write(k, mm, vpn)
  yield* vma[vpn]!.write(VM_NONE)
  yield* mmap_write_downgrade(k, mm)
  yield* call(zap_page_range, cpu, mm, vpn)
  yield* mmap_lock.readUnlock()
}

/** Empties one page's entry, flushes, and only then drops the page's reference. */
export function* zap_page_range(k: Kernel, cpu: number, mm: number, vpn: number): Steps<void> {
  yield* lru_add_drain(k, cpu)
  const page = yield* call(zap_pte_range, mm, vpn)
  if (page === NOTHING) return
  yield* flush_tlb_page(k, mm, vpn)
  if (page !== ZERO_PFN) yield* call(free_page_and_swap_cache, page)
}

/** Whoever gives up a page that nobody maps any more tries to free its place in swap, too. */
function* free_page_and_swap_cache(k: Kernel, pfn: number): Steps<void> {
  yield* free_swap_cache(k, pfn)
  yield* put_page(pfn)
}

/** The end of a process: its last thread empties everything, with one flush for all. */
export function* exit_mmap(k: Kernel, cpu: number): Steps<void> {
  const { mm } = k.cpu[cpu]!
  yield* lru_add_drain(k, cpu)
  const pages: number[] = []
  for (let vpn = 0; vpn < k.config.pages.length; vpn++) {
    const page = yield* call(zap_pte_range, mm, vpn)
    if (page > ZERO_PFN) pages.push(page)
  }
  yield* flush_tlb_mm(k, mm)
  for (const page of pages) yield* call(free_page_and_swap_cache, page)
  for (const vma of k.mm[mm]!.vma) yield* vma.write(VM_NONE)
}

naming(free_page_and_swap_cache, [PFN])
