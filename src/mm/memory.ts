/**
 * Page faults, copy-on-write, copying and zapping of page tables (mm/memory.c).
 *
 * Order and locking are those of f45ec5ff16a7 (v5.7), 09854ba94c6a (v5.9), 53a05ad9f21d and
 * 84d60fdd3733 (v5.18) and c89357e27f20 (v5.19); where they agree, no commit is named.
 */
import { atomic, call, type Response, type Steps, tail, type View } from '../engine/index.ts'
import type { Fault, Kernel, WpFault } from './kernel.ts'
import { MAX_COPIES, VM_WRITE, ZERO_PFN } from './machine.ts'
import { alloc_page, get_page, lru_cache_add, put_page } from './page_alloc.ts'
import { mk_pte, PTE_NONE, pte_none, pte_pfn, pte_write, pte_wrprotect } from './pte.ts'
import { page_add_new_anon_rmap, page_remove_rmap } from './rmap.ts'
import { flush_tlb_page } from './tlb.ts'

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
    if (yield* entry.is(PTE_NONE)) yield* entry.write(mk_pte(ZERO_PFN, false))
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
  yield* page_add_new_anon_rmap(page)
  yield* lru_cache_add(k, vmf.cpu, page)
  yield* entry.write(mk_pte(page, vmf.vm_write))
  yield* ptl.unlock()
}

/**
 * A write to, or the unsharing of, a page that is mapped read-only.
 * Entered with the page-table lock held and the entry verified; the lock is dropped on return.
 */
export function* do_wp_page(k: Kernel, vmf: WpFault): Steps<boolean> {
  const { ptl } = k.mm[vmf.mm]!
  const old = pte_pfn(vmf.orig_pte)
  if (old === ZERO_PFN) {
    yield* ptl.unlock()
    // Only from 8d6a0ac09a16 (v6.2) on does unsharing replace the zero page.
    if (vmf.kind === 'unshare') return false
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

/** The page is ours alone: make the entry writable. An unsharing fault leaves it as it is. */
export function* wp_page_reuse(k: Kernel, vmf: WpFault): Steps<void> {
  const { ptl, pte } = k.mm[vmf.mm]!
  if (vmf.kind === 'write' && vmf.vm_write) {
    yield* pte[vmf.vpn]!.write(mk_pte(pte_pfn(vmf.orig_pte), true))
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
  yield* page_add_new_anon_rmap(page)
  yield* lru_cache_add(k, vmf.cpu, page)
  yield* entry.write(mk_pte(page, vmf.kind === 'write' && vmf.vm_write))
  if (counted) {
    yield* count_copy(k)
    // After the flush: until then this process could still read the old page, and nobody may reuse it.
    yield* page_remove_rmap(k, old)
    yield* put_page(old)
  }
  yield* ptl.unlock()
  if (counted) yield* put_page(old)
  return vmf.kind === 'write'
}

/** Copies one word of a page; another processor may change the next one meanwhile. */
export function* copy_word(to: number, from: number, word: number): Steps<void> {
  yield* atomic(copy_user_word, to, from, word)
}

export function copy_user_word(view: View, k: Kernel, to: number, from: number, word: number): Response {
  if (view.get(k.page[from]!.refcount.location) === 0) {
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
  if (!pte_none(pte) && pte_pfn(pte) === ZERO_PFN) {
    yield* dst.pte[vpn]!.write(pte)
  } else if (!pte_none(pte)) {
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
  if (protect && k.rules.fork_protects_first) yield* src.pte[vpn]!.write(pte_wrprotect(pte))
  yield* get_page(k, page)
  const shared = yield* call(k.rules.page_try_dup_rmap, parent, page)
  if (typeof shared !== 'boolean') {
    throw new TypeError(`the rule page_try_dup_rmap returned ${shared}; expected true or false`)
  }
  if (!shared) {
    yield* put_page(page)
    return false
  }
  if (protect && !k.rules.fork_protects_first) yield* src.pte[vpn]!.write(pte_wrprotect(pte))
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
  yield* page_add_new_anon_rmap(page)
  yield* lru_cache_add(k, cpu, page)
  const writable = yield* k.mm[child]!.vma[vpn]!.is(VM_WRITE)
  yield* k.mm[child]!.pte[vpn]!.write(mk_pte(page, writable))
  yield* count_copy(k)
}

/**
 * Empties one page-table entry and drops its mapping, but neither flushes nor drops the
 * reference: that is tlb_finish_mmu's part.
 * @returns the frame whose reference must be dropped after the flush; ZERO_PFN when there is
 *   nothing to drop but a flush is due; -1 when the entry was empty
 */
export function* zap_pte_range(k: Kernel, mm: number, vpn: number): Steps<number> {
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  const old = yield* pte[vpn]!.read()
  if (pte_none(old)) {
    yield* ptl.unlock()
    return -1
  }
  yield* pte[vpn]!.write(PTE_NONE)
  if (pte_pfn(old) !== ZERO_PFN) yield* page_remove_rmap(k, pte_pfn(old))
  yield* ptl.unlock()
  return pte_pfn(old)
}
