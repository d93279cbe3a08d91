/**
 * Page faults, and zapping (mm/memory.c). What happens at a page that is mapped read-only or is in
 * swap, and the copying of page tables, have files of their own.
 *
 * Order and locking are those of f45ec5ff16a7 (v5.7), 84d60fdd3733 (v5.18) and c89357e27f20 (v5.19).
 */
import { call, naming, type Steps } from '../engine/index.ts'
import { do_swap_page } from './do_swap_page.ts'
import { do_wp_page } from './do_wp_page.ts'
import type { Fault, Kernel } from './kernel.ts'
import { ZERO_PFN } from './machine.ts'
import { PFN } from './names.ts'
import { alloc_page, lru_cache_add, put_page } from './page_alloc.ts'
import { ptep_get_and_clear } from './pgtable.ts'
import {
  is_swap_pte,
  mk_pte,
  PTE_NONE,
  pte_none,
  pte_pfn,
  pte_present,
  pte_swp_slot,
  pte_write,
} from './pte.ts'
import { page_add_new_anon_rmap, page_remove_rmap } from './rmap.ts'
import { set_soft_dirty } from './soft_dirty.ts'
import { free_swap_and_cache } from './swap_state.ts'
import { flush_tlb_batched_pending } from './tlb.ts'

/**
 * Handles one fault. mmap_lock is held for reading.
 * @returns VM_FAULT_WRITE: whether a write fault found a page that is now the faulting process's own
 */
export function* handle_mm_fault(k: Kernel, vmf: Fault): Steps<boolean> {
  const { ptl, pte } = k.mm[vmf.mm]!
  const entry = pte[vmf.vpn]!
  const orig_pte = yield* entry.read()
  if (pte_none(orig_pte)) {
    yield* call(do_anonymous_page, vmf)
    return false
  }
  if (!pte_present(orig_pte)) {
    // As first proposed, unsharing did nothing here; from c89357e27f20 (v5.19) on it is like a read.
    if (vmf.kind === 'unshare' && !k.rules.anon_exclusive) return false
    return yield* call(do_swap_page, vmf, orig_pte)
  }

  yield* ptl.lock()
  const same = yield* entry.is(orig_pte)
  if (same && vmf.kind !== 'read' && !pte_write(orig_pte)) {
    return yield* call(do_wp_page, { ...vmf, orig_pte })
  }
  // Changed meanwhile, or good as it is: the access is tried again.
  yield* ptl.unlock()
  return false
}

/** The first touch of an anonymous page. */
export function* do_anonymous_page(k: Kernel, vmf: Fault): Steps<void> {
  const { ptl, pte } = k.mm[vmf.mm]!
  const entry = pte[vmf.vpn]!
  if (vmf.kind !== 'write' && k.rules.zero_page) {
    yield* ptl.lock()
    if (yield* entry.is(PTE_NONE)) {
      yield* set_soft_dirty(k, vmf.mm, vmf.vpn, false)
      yield* entry.write(mk_pte(ZERO_PFN, false))
    }
    yield* ptl.unlock()
    return
  }
  const page = yield* alloc_page()
  yield* ptl.lock()
  if (!(yield* entry.is(PTE_NONE))) {
    yield* ptl.unlock()
    yield* put_page(page)
    return
  }
  yield* page_add_new_anon_rmap(vmf.mm, vmf.vpn, page)
  yield* lru_cache_add(k, vmf.cpu, page)
  yield* set_soft_dirty(k, vmf.mm, vmf.vpn, true)
  yield* entry.write(mk_pte(page, vmf.vm_write))
  yield* ptl.unlock()
}

/** zap_pte_range: there was no page, so nothing is to be flushed or dropped. */
export const NOTHING = -1

/**
 * Empties one page-table entry and drops its mapping, but neither flushes nor drops the
 * reference: that is tlb_finish_mmu's part.
 * @returns the frame whose reference must be dropped after the flush; ZERO_PFN when there is
 *   nothing to drop but a flush is due; NOTHING when the entry mapped no page
 */
export function* zap_pte_range(k: Kernel, mm: number, vpn: number): Steps<number> {
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  yield* call(flush_tlb_batched_pending, mm)
  const old = yield* pte[vpn]!.read()
  if (!pte_present(old)) {
    if (is_swap_pte(old)) {
      yield* call(free_swap_and_cache, pte_swp_slot(old))
      yield* pte[vpn]!.write(PTE_NONE)
    }
    yield* ptl.unlock()
    return NOTHING
  }
  yield* ptep_get_and_clear(pte[vpn]!)
  if (pte_pfn(old) !== ZERO_PFN) yield* page_remove_rmap(k, pte_pfn(old))
  yield* ptl.unlock()
  return pte_pfn(old)
}

naming(zap_pte_range, [], PFN)
