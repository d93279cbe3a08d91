/**
 * The fault at an entry whose page is in swap (do_swap_page, mm/memory.c).
 *
 * The page is found, or read in, without a lock; then its lock is taken and it is looked at
 * again, and then the entry under the page-table lock. While the page lock is held nobody else
 * can swap the page in or out.
 *
 * Order and locking are those of c1e8d7c6a7a6 (v5.7), c145e0b47c77 (v5.18), 1493a1913e34 (v5.19),
 * and of v6.1, v6.12, v7.2 and v7.3 as in their designs.
 */
import { atomic, call, naming, type Response, type Steps, tail, type View } from '../engine/index.ts'
import { copy_word, do_wp_page, written } from './do_wp_page.ts'
import type { Fault, Kernel } from './kernel.ts'
import { ON_LRU } from './machine.ts'
import { NONE, PFN, PTE } from './names.ts'
import { alloc_page, lru_add_drain, lru_cache_add, put_page } from './page_alloc.ts'
import { PageKsm } from './page_flags.ts'
import { mk_pte, type Pte, pte_dirty, pte_mkwrite, pte_swp_slot } from './pte.ts'
import { page_add_anon_rmap, page_add_new_anon_rmap } from './rmap.ts'
import { needs_soft_dirty_wp, set_soft_dirty } from './soft_dirty.ts'
import { NO_PAGE, read_swap_cache } from './swap_state.ts'
import { swap_free, try_to_free_swap } from './swapfile.ts'

/**
 * mmap_lock is held for reading, the entry was read without a lock.
 * @returns VM_FAULT_WRITE, as handle_mm_fault
 */
export function* do_swap_page(k: Kernel, vmf: Fault, orig_pte: Pte): Steps<boolean> {
  const slot = pte_swp_slot(orig_pte)
  const swapcache = yield* call(read_swap_cache, vmf.cpu, slot)
  if (swapcache === NO_PAGE) return false
  const { lock, swap } = k.page[swapcache]!
  yield* lock.lock()
  // Only now it is known to be the page for this entry: it may have left the swap cache.
  if (!(yield* swap.is(1 + slot))) return yield* tail(out_page, swapcache, swapcache)
  const page = yield* call(ksm_might_need_to_copy, vmf.vpn, swapcache)
  return yield* tail(map_swapped_in, vmf, orig_pte, swapcache, page)
}

/** The second half, with the page locked. `page` is another one than `swapcache` if KSM has made it copy. */
function* map_swapped_in(
  k: Kernel,
  vmf: Fault,
  orig_pte: Pte,
  swapcache: number,
  page: number,
): Steps<boolean> {
  const { ptl, pte } = k.mm[vmf.mm]!
  const entry = pte[vmf.vpn]!
  const slot = pte_swp_slot(orig_pte)
  const write = vmf.kind === 'write'
  if (write && page === swapcache) yield* call(drain_batch, vmf.cpu, page)

  yield* ptl.lock()
  if (!(yield* entry.is(orig_pte))) {
    yield* ptl.unlock()
    return yield* tail(out_page, swapcache, page)
  }
  const { swap_freed_before_mapping: before, swap_freed_after_counting: after } = k.rules
  if (before) {
    yield* swap_free(slot)
    if (write && (yield* call(likely_exclusive, page))) yield* try_to_free_swap(k, page)
  }
  const mine = yield* call(k.rules.swap_in_exclusive, vmf, page, orig_pte, page !== swapcache)
  if (typeof mine !== 'boolean') {
    throw new TypeError(`the rule swap_in_exclusive returned ${mine}; expected true or false`)
  }
  const mapped = yield* call(entry_for, vmf, page, mine)
  if (!before && !after) yield* entry.write(mapped)
  if (page === swapcache) yield* page_add_anon_rmap(vmf.mm, vmf.vpn, page, mine)
  else {
    yield* page_add_new_anon_rmap(vmf.mm, vmf.vpn, page)
    yield* lru_cache_add(k, vmf.cpu, page)
  }
  if (!before) yield* swap_free(slot)
  if (before || after) yield* entry.write(mapped)
  if (after && write && (yield* call(can_leave_swap_cache, page, mine))) yield* try_to_free_swap(k, page)

  yield* k.page[page]!.lock.unlock()
  if (page !== swapcache) {
    yield* k.page[swapcache]!.lock.unlock()
    yield* put_page(swapcache)
  }
  if (write && !(mine && pte_dirty(mapped))) return yield* tail(do_wp_page, { ...vmf, orig_pte: mapped })
  yield* ptl.unlock()
  return write
}

/**
 * The entry to be mapped. Whose page is exclusive gets a writable one: when it wants to write, and
 * from c18160dba5ff (v6.11) on also if it does not yet, unless soft-dirty wants to see its first write.
 */
function* entry_for(k: Kernel, vmf: Fault, page: number, mine: boolean): Steps<Pte> {
  const { mm, vpn, vm_write } = vmf
  const read_only = mk_pte(page, false)
  const write = vmf.kind === 'write'
  if (!mine) return read_only
  if (k.rules.swap_in_writable) {
    if (!vm_write || (yield* needs_soft_dirty_wp(k, mm, vpn))) return read_only
    if (!write) return pte_mkwrite(read_only)
  }
  if (!write) return read_only
  yield* set_soft_dirty(k, mm, vpn, true)
  return written(vmf, page)
}

/** c145e0b47c77: the batch's reference shall not make the page look shared. */
function* drain_batch(k: Kernel, cpu: number, pfn: number): Steps<void> {
  if (
    !k.rules.wp_drains_batch ||
    k.rules.swap_in_keeps_batch ||
    !k.config.lruBatch ||
    (yield* PageKsm(k, pfn))
  )
    return
  if (!(yield* k.page[pfn]!.lru.is(ON_LRU))) yield* lru_add_drain(k, cpu)
}

/**
 * should_try_to_free_swap (c145e0b47c77): worth trying only if the swap cache seems to be the
 * only other one that holds the page. The rest of the kernel's reasons (swap is half full, the
 * page is locked in memory) do not occur.
 */
function* likely_exclusive(k: Kernel, pfn: number): Steps<boolean> {
  if (yield* PageKsm(k, pfn)) return false
  return yield* k.page[pfn]!.refcount.is(2)
}

/** The mapping is there: may the page leave the swap cache? */
function* can_leave_swap_cache(k: Kernel, pfn: number, mine: boolean): Steps<boolean> {
  return k.rules.swap_cache_left_if_exclusive ? mine : yield* call(likely_exclusive, pfn)
}

/** Not this page after all: the access is tried again. */
function* out_page(k: Kernel, swapcache: number, page: number): Steps<boolean> {
  if (k.rules.swap_cache_left_on_giving_up && page === swapcache) yield* try_to_free_swap(k, page)
  for (const pfn of new Set([page, swapcache])) {
    yield* k.page[pfn]!.lock.unlock()
    yield* put_page(pfn)
  }
  return false
}

/**
 * A page that KSM had merged can be in swap for several virtual pages, and comes back as the
 * anonymous page of the first that asks. Another one needs a copy (mm/ksm.c).
 * @returns the page itself, or a locked copy
 */
function* ksm_might_need_to_copy(k: Kernel, vpn: number, pfn: number): Steps<number> {
  if (!k.config.ksm || (yield* atomic(fits, vpn, pfn)) === 1) return pfn
  const page = yield* alloc_page()
  for (let word = 0; word < k.words; word++) yield* copy_word(page, pfn, word)
  yield* k.page[page]!.dirty.write(1)
  yield* k.page[page]!.lock.lock()
  return page
}

/** Whether the page can be mapped there as it is: still KSM's, not anonymous yet, or of that virtual page. */
function fits(view: View, k: Kernel, vpn: number, pfn: number): Response {
  const { mapping, index } = k.page[pfn]!
  const to = view.get(mapping.location)
  return to === 0 || to === k.KSM || view.get(index.location) === vpn ? 1 : 0
}

naming(do_swap_page, [NONE, PTE])
naming(map_swapped_in, [NONE, PTE, PFN, PFN])
naming(drain_batch, [NONE, PFN])
naming(likely_exclusive, [PFN])
naming(out_page, [PFN, PFN])
naming(ksm_might_need_to_copy, [NONE, PFN], PFN)
naming(entry_for, [NONE, PFN], PTE)
naming(can_leave_swap_cache, [PFN])
