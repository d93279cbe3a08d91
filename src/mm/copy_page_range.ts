/**
 * How fork copies page tables (copy_page_range, mm/memory.c).
 *
 * Order and locking are those of f45ec5ff16a7 (v5.7), 7a4830c380f3 and 53a05ad9f21d (v5.9 to v5.18) and
 * 6c287605fd56 (v5.19).
 */
import { call, naming, type Steps, tail } from '../engine/index.ts'
import { copy_word, count_copy } from './do_wp_page.ts'
import type { Kernel } from './kernel.ts'
import { VM_WRITE, ZERO_PFN } from './machine.ts'
import { NONE, PFN, PTE } from './names.ts'
import { alloc_page, get_page, lru_cache_add, put_page } from './page_alloc.ts'
import { ptep_set_wrprotect } from './pgtable.ts'
import {
  is_swap_pte,
  mk_pte,
  pte_pfn,
  pte_present,
  pte_swp_clear_exclusive,
  pte_swp_exclusive,
  pte_swp_slot,
  pte_write,
  pte_wrprotect,
} from './pte.ts'
import { page_add_new_anon_rmap } from './rmap.ts'
import { copy_soft_dirty, set_soft_dirty } from './soft_dirty.ts'
import { swap_duplicate } from './swapfile.ts'

/** fork: copies the page table of one area. The parent's mmap_lock is held for writing. */
export function* copy_page_range(
  k: Kernel,
  parent: number,
  child: number,
  vpn: number,
  cpu: number,
): Steps<void> {
  const { write_protect_seq } = k.mm[parent]!
  // 57efa1fe5957 (v5.11)
  if (k.rules.write_protect_seq) yield* write_protect_seq.add(1)
  yield* call(copy_pte_range, parent, child, vpn, cpu, NO_PAGE)
  if (k.rules.write_protect_seq) yield* write_protect_seq.add(1)
}

/** No page has been allocated in advance. */
const NO_PAGE = -1

/** Copies one entry; `prealloc` is a page to copy into, should sharing not be allowed. */
function* copy_pte_range(
  k: Kernel,
  parent: number,
  child: number,
  vpn: number,
  cpu: number,
  prealloc: number,
): Steps<void> {
  const src = k.mm[parent]!
  const dst = k.mm[child]!
  yield* dst.ptl.lock()
  yield* src.ptl.lock()
  const pte = yield* src.pte[vpn]!.read()
  let again = false
  let unused = prealloc
  if (is_swap_pte(pte)) {
    yield* call(copy_swap_pte, parent, child, vpn, pte)
  } else if (pte_present(pte) && pte_pfn(pte) === ZERO_PFN) {
    yield* copy_soft_dirty(k, parent, child, vpn)
    yield* dst.pte[vpn]!.write(pte)
  } else if (pte_present(pte)) {
    const shared = yield* call(copy_present_pte, parent, child, vpn, pte)
    if (!shared && prealloc === NO_PAGE) again = true
    else if (!shared) {
      yield* call(copy_present_page, parent, child, vpn, cpu, prealloc)
      unused = NO_PAGE
    }
  }
  yield* src.ptl.unlock()
  yield* dst.ptl.unlock()
  if (again) {
    // 70e806e4e645 (v5.9): the copy needs a page, which cannot be allocated under the locks. Start over.
    const page = yield* alloc_page()
    return yield* tail(copy_pte_range, parent, child, vpn, cpu, page)
  }
  if (unused !== NO_PAGE) yield* put_page(unused)
}

/** Shares a place in swap with the child: exclusive to nobody from now on. Both page-table locks are held. */
function* copy_swap_pte(k: Kernel, parent: number, child: number, vpn: number, pte: number): Steps<void> {
  yield* swap_duplicate(pte_swp_slot(pte))
  if (pte_swp_exclusive(pte)) yield* k.mm[parent]!.pte[vpn]!.write(pte_swp_clear_exclusive(pte))
  yield* copy_soft_dirty(k, parent, child, vpn)
  yield* k.mm[child]!.pte[vpn]!.write(pte_swp_clear_exclusive(pte))
}

/** Shares one page with the child; false if the child must have a copy. Both page-table locks are held. */
function* copy_present_pte(
  k: Kernel,
  parent: number,
  child: number,
  vpn: number,
  pte: number,
): Steps<boolean> {
  const src = k.mm[parent]!
  const dst = k.mm[child]!
  const page = pte_pfn(pte)
  const protect = pte_write(pte)
  if (protect && k.rules.fork_protects_first) yield* ptep_set_wrprotect(src.pte[vpn]!)
  yield* get_page(k, page)
  const shared = yield* call(k.rules.page_try_dup_rmap, parent, page)
  if (typeof shared !== 'boolean') {
    throw new TypeError(`the rule page_try_dup_rmap returned ${shared}; expected true or false`)
  }
  if (!shared) {
    yield* put_page(page)
    return false
  }
  if (protect && !k.rules.fork_protects_first) yield* ptep_set_wrprotect(src.pte[vpn]!)
  yield* copy_soft_dirty(k, parent, child, vpn)
  yield* dst.pte[vpn]!.write(pte_wrprotect(pte))
  return true
}

/** Copies a pinned page for the child; the parent's entry stays as it is. Both page-table locks are held. */
function* copy_present_page(
  k: Kernel,
  parent: number,
  child: number,
  vpn: number,
  cpu: number,
  page: number,
): Steps<void> {
  const old = pte_pfn(yield* k.mm[parent]!.pte[vpn]!.read())
  for (let word = 0; word < k.words; word++) yield* copy_word(page, old, word)
  yield* page_add_new_anon_rmap(child, vpn, page)
  yield* lru_cache_add(k, cpu, page)
  const writable = yield* k.mm[child]!.vma[vpn]!.is(VM_WRITE)
  yield* copy_soft_dirty(k, parent, child, vpn)
  yield* set_soft_dirty(k, child, vpn, true)
  yield* k.mm[child]!.pte[vpn]!.write(mk_pte(page, writable))
  yield* count_copy(k)
}

naming(copy_pte_range, [NONE, NONE, NONE, NONE, PFN])
naming(copy_swap_pte, [NONE, NONE, NONE, PTE])
naming(copy_present_pte, [NONE, NONE, NONE, PTE])
naming(copy_present_page, [NONE, NONE, NONE, NONE, PFN])
