/**
 * Copy-on-write (do_wp_page and what it calls, mm/memory.c).
 *
 * Order and locking are those of f45ec5ff16a7 (v5.7), 09854ba94c6a (v5.9), 53a05ad9f21d and
 * 84d60fdd3733 (v5.18) and c89357e27f20 (v5.19); where they agree, no commit is named.
 */
import { atomic, call, naming, type Response, type Steps, type View } from '../engine/index.ts'
import type { Fault, Kernel, WpFault } from './kernel.ts'
import { MAX_COPIES, ZERO_PFN } from './machine.ts'
import { WP_FAULT } from './names.ts'
import { alloc_page, get_page, is_free, lru_cache_add, put_page } from './page_alloc.ts'
import { mk_pte, PTE_NONE, type Pte, pte_mkdirty, pte_pfn } from './pte.ts'
import { page_add_new_anon_rmap, page_remove_rmap } from './rmap.ts'
import { set_soft_dirty } from './soft_dirty.ts'
import { free_swap_cache } from './swap_state.ts'
import { flush_tlb_page } from './tlb.ts'

/**
 * A write to, or the unsharing of, a page that is mapped read-only.
 * Entered with the page-table lock held and the entry verified; the lock is dropped on return.
 */
export function* do_wp_page(k: Kernel, vmf: WpFault): Steps<boolean> {
  const { ptl } = k.mm[vmf.mm]!
  const old = pte_pfn(vmf.orig_pte)
  if (old === ZERO_PFN) {
    yield* ptl.unlock()
    if (vmf.kind === 'unshare' && !k.rules.zero_page_unshared) return false
    return yield* call(wp_page_copy, vmf)
  }
  const decision = yield* call(k.rules.wp_can_reuse, vmf, old)
  switch (decision) {
    case 'retry':
      return false
    case 'reuse':
      yield* call(wp_page_reuse, vmf)
      return vmf.kind === 'write'
    case 'copy':
      yield* get_page(k, old)
      yield* ptl.unlock()
      return yield* call(wp_page_copy, vmf)
    default:
      throw new TypeError(`the rule wp_can_reuse returned ${decision}; expected 'reuse', 'copy' or 'retry'`)
  }
}

/** The entry after a write fault: in an area that is not writable it stays read-only (maybe_mkwrite). */
export function written({ vm_write }: Fault, pfn: number): Pte {
  return vm_write ? mk_pte(pfn, true) : pte_mkdirty(mk_pte(pfn, false))
}

/** The page is ours alone: make the entry writable. An unsharing fault leaves it as it is. */
export function* wp_page_reuse(k: Kernel, vmf: WpFault): Steps<void> {
  const { ptl, pte } = k.mm[vmf.mm]!
  if (vmf.kind === 'write') {
    yield* set_soft_dirty(k, vmf.mm, vmf.vpn, true)
    yield* pte[vmf.vpn]!.write(written(vmf, pte_pfn(vmf.orig_pte)))
  }
  yield* ptl.unlock()
}

/**
 * Gives the faulting process its own copy. Entered with a reference on the old page (unless it
 * is the zero page) and no lock; both are gone on return.
 */
export function* wp_page_copy(k: Kernel, vmf: WpFault): Steps<boolean> {
  const { ptl, pte } = k.mm[vmf.mm]!
  const entry = pte[vmf.vpn]!
  const old = pte_pfn(vmf.orig_pte)
  const counted = old !== ZERO_PFN
  const page = yield* alloc_page()
  if (counted) for (let word = 0; word < k.words; word++) yield* copy_word(page, old, word)

  yield* ptl.lock()
  if (!(yield* entry.is(vmf.orig_pte))) {
    yield* put_page(page)
    yield* ptl.unlock()
    if (counted) yield* put_page(old)
    return false
  }
  yield* entry.write(PTE_NONE)
  yield* flush_tlb_page(k, vmf.mm, vmf.vpn)
  yield* page_add_new_anon_rmap(vmf.mm, vmf.vpn, page)
  yield* lru_cache_add(k, vmf.cpu, page)
  if (vmf.kind === 'write') yield* set_soft_dirty(k, vmf.mm, vmf.vpn, true)
  yield* entry.write(vmf.kind === 'write' ? written(vmf, page) : mk_pte(page, false))
  if (counted) {
    yield* count_copy(k)
    // After the flush: until then this process could still read the old page, and nobody may reuse it.
    yield* page_remove_rmap(k, old)
    yield* put_page(old)
  }
  yield* ptl.unlock()
  if (counted) {
    if (k.rules.swap_freed_after_copy) yield* free_swap_cache(k, old)
    yield* put_page(old)
  }
  return vmf.kind === 'write'
}

/** Copies one word of a page; another processor may change the next one meanwhile. */
export function* copy_word(to: number, from: number, word: number): Steps<void> {
  yield* atomic(copy_user_word, to, from, word)
}

/** One word of a copy (copy_user_highpage). The run fails if the page that is copied is free. */
export function copy_user_word(view: View, k: Kernel, to: number, from: number, word: number): Response {
  if (is_free(view, k, from)) {
    return view.fail('use after free: a free page is copied')
  }
  view.set(k.page[to]!.word[word]!.location, view.get(k.page[from]!.word[word]!.location))
  return 0
}

/** Counts an installed copy, where the run is one that counts. */
export function* count_copy(k: Kernel): Steps<void> {
  if (k.config.countCopies) yield* atomic(count_one_copy)
}

function count_one_copy(view: View, k: Kernel): Response {
  view.set(k.copies.location, Math.min(view.get(k.copies.location) + 1, MAX_COPIES))
  return 0
}

naming(do_wp_page, [WP_FAULT])
naming(wp_page_reuse, [WP_FAULT])
naming(wp_page_copy, [WP_FAULT])
