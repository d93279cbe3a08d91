/**
 * Reclaim: one anonymous page is written to swap and freed (mm/vmscan.c).
 *
 * Whoever reclaims has taken the page off the LRU list, with a reference. What makes freeing
 * safe comes last: the count is frozen at what reclaim and the swap cache account for, so a
 * reference that anybody else holds makes it fail. By then the page may be unmapped.
 */
import { atomic, call, naming, pick, type Response, type Steps, tail, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { ON_LRU, VM_NONE, ZERO_PFN } from './machine.ts'
import { NONE, PFN, PFN_OR_0, SLOT } from './names.ts'
import { drop_reference, free_page, lru_add_drain } from './page_alloc.ts'
import { pte_none, pte_pfn, pte_present, pte_swp_slot } from './pte.ts'
import { FLUSHED, try_to_unmap, type Unflushed } from './rmap.ts'
import { add_to_swap } from './swap_state.ts'
import { leave_swap_cache, NO_SLOT, try_to_free_swap } from './swapfile.ts'
import { flush_tlb_batched_pending, flush_tlb_mm } from './tlb.ts'

/** kswapd has no processor of its own among those that run processes. */
const NO_CPU = -1

/** kswapd: so many times at most, it takes some page that is mapped or in swap, at any moment. */
export function* kswapd(_k: Kernel, times: number, vpns: readonly number[]): Steps<void> {
  if (times === 0) return
  if (yield* call(reclaim_some, vpns)) return yield* tail(kswapd, times - 1, vpns)
}

/** Takes some page, or gives up: then false. */
function* reclaim_some(_k: Kernel, vpns: readonly number[]): Steps<boolean> {
  const isolated = yield* atomic(isolate_some, vpns)
  if (isolated === 0) return false
  yield* call(shrink_page, NO_CPU, isolated - 1)
  return true
}

/** 1 + the frame; 0 for giving up, which is always possible. */
function isolate_some(view: View, k: Kernel, vpns: readonly number[]): Response {
  const candidates: number[] = []
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const { refcount, mapcount, swap, lru, index } = k.page[pfn]!
    if (view.get(refcount.location) === 0 || view.get(lru.location) !== ON_LRU) continue
    if (view.get(mapcount.location) === 0 && view.get(swap.location) === 0) continue
    if (vpns.includes(view.get(index.location))) candidates.push(1 + pfn)
  }
  const chosen = pick(view, [0, ...candidates])
  if (chosen > 0) isolate(view, k, chosen - 1)
  return chosen
}

/** isolate_lru_page: takes the page off the LRU list, with a reference; only one can. */
function isolate(view: View, k: Kernel, pfn: number): boolean {
  const { lru, refcount } = k.page[pfn]!
  if (view.get(lru.location) !== ON_LRU) return false
  view.set(lru.location, k.ISOLATED)
  view.set(refcount.location, view.get(refcount.location) + 1)
  return true
}

/** MADV_PAGEOUT: reclaims the page, unless others seem to map it too. */
export function* madvise_pageout(k: Kernel, cpu: number, vpn: number): Steps<void> {
  if (k.rules.shares_nothing) return
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma, ptl, pte } = k.mm[mm]!
  yield* mmap_lock.readLock()
  yield* lru_add_drain(k, cpu)
  if (!(yield* vma[vpn]!.is(VM_NONE))) {
    yield* ptl.lock()
    yield* call(flush_tlb_batched_pending, mm)
    const entry = yield* pte[vpn]!.read()
    const page = pte_present(entry) ? pte_pfn(entry) : ZERO_PFN
    const isolated =
      page !== ZERO_PFN &&
      (yield* k.page[page]!.mapcount.is(1)) &&
      (yield* atomic(isolate_lru_page, page)) === 1
    yield* ptl.unlock()
    if (isolated) yield* call(shrink_page, cpu, page)
  }
  yield* mmap_lock.readUnlock()
}

function isolate_lru_page(view: View, k: Kernel, pfn: number): Response {
  return isolate(view, k, pfn) ? 1 : 0
}

/** Reclaim comes to the page that is mapped here, or is in the swap cache for here, whoever shares it. */
export function* reclaim_page(k: Kernel, cpu: number, vpn: number): Steps<void> {
  if (k.rules.shares_nothing) return
  const isolated = yield* atomic(isolate_mapped, k.cpu[cpu]!.mm, vpn)
  if (isolated > 0) yield* call(shrink_page, NO_CPU, isolated - 1)
}

function isolate_mapped(view: View, k: Kernel, mm: number, vpn: number): Response {
  const entry = view.get(k.mm[mm]!.pte[vpn]!.location)
  if (pte_none(entry)) return 0
  const found = pte_present(entry)
    ? 1 + pte_pfn(entry)
    : view.get(k.slot[pte_swp_slot(entry)]!.cache.location)
  if (found <= 1 + ZERO_PFN || view.get(k.page[found - 1]!.refcount.location) === 0) return 0
  return isolate(view, k, found - 1) ? found : 0
}

/** Reclaim comes to a frame, if it holds a page that is on the LRU list. */
export function* reclaim_frame(_k: Kernel, pfn: number): Steps<void> {
  if ((yield* atomic(isolate_frame, pfn)) === 1) yield* call(shrink_page, NO_CPU, pfn)
}

function isolate_frame(view: View, k: Kernel, pfn: number): Response {
  const { refcount, mapcount, swap } = k.page[pfn]!
  if (view.get(refcount.location) === 0) return 0
  if (view.get(mapcount.location) === 0 && view.get(swap.location) === 0) return 0
  return isolate(view, k, pfn) ? 1 : 0
}

/** shrink_page_list, for one page that has been isolated. */
export function* shrink_page(k: Kernel, cpu: number, pfn: number): Steps<void> {
  const { lock, swap, mapcount, dirty } = k.page[pfn]!
  if (!(yield* lock.tryLock())) return yield* tail(putback_lru_page, cpu, pfn)
  let slot = (yield* swap.read()) - 1
  if (slot < 0) {
    if (!(yield* call(k.rules.may_add_to_swap, pfn))) return yield* tail(keep_locked, cpu, pfn, FLUSHED)
    slot = yield* add_to_swap(pfn)
    if (slot === NO_SLOT) return yield* tail(keep_locked, cpu, pfn, FLUSHED)
  }
  let unflushed = FLUSHED
  if (yield* mapcount.exceeds(0)) {
    unflushed = yield* call(try_to_unmap, cpu, pfn, slot)
    if (yield* mapcount.exceeds(0)) return yield* tail(keep_locked, cpu, pfn, unflushed)
  }
  if (!(yield* dirty.is(1))) return yield* tail(remove_mapping, cpu, pfn, unflushed)
  if (!unflushed.writable) return yield* tail(pageout, cpu, pfn, slot, unflushed)
  // try_to_unmap_flush_dirty: what is written must be what the last store through a TLB left.
  yield* call(try_to_unmap_flush, unflushed)
  return yield* tail(pageout, cpu, pfn, slot, FLUSHED)
}

/** Writes the page to its place in swap. Its lock is dropped meanwhile, so much may have happened after. */
function* pageout(k: Kernel, cpu: number, pfn: number, slot: number, unflushed: Unflushed): Steps<void> {
  const { lock, refcount, dirty, writeback } = k.page[pfn]!
  // is_page_cache_freeable: whoever else holds the page keeps it in memory, so writing is pointless.
  if (!(yield* refcount.is(2))) return yield* tail(keep_locked, cpu, pfn, unflushed)
  yield* dirty.write(0)
  // swap_writepage: perhaps nobody wants it any more.
  if (yield* try_to_free_swap(k, pfn)) return yield* tail(keep_locked, cpu, pfn, unflushed)
  yield* writeback.write(1)
  yield* lock.unlock()
  for (let word = 0; word < k.words; word++) yield* atomic(write_swap_word, slot, pfn, word)
  yield* writeback.write(0)
  if (!(yield* lock.tryLock())) {
    yield* call(try_to_unmap_flush, unflushed)
    return yield* tail(putback_lru_page, cpu, pfn)
  }
  if (yield* dirty.is(1)) return yield* tail(keep_locked, cpu, pfn, unflushed)
  return yield* tail(remove_mapping, cpu, pfn, unflushed)
}

/** One word of a page is written to its place in swap. */
export function write_swap_word(view: View, k: Kernel, slot: number, pfn: number, word: number): Response {
  view.set(k.slot[slot]!.word[word]!.location, view.get(k.page[pfn]!.word[word]!.location))
  return 0
}

/** __remove_mapping: frees the page if reclaim and the swap cache hold the only references. */
function* remove_mapping(k: Kernel, cpu: number, pfn: number, unflushed: Unflushed): Steps<void> {
  const { refcount, dirty, lock } = k.page[pfn]!
  if (!(yield* refcount.compareAndSwap(2, 0))) return yield* tail(keep_locked, cpu, pfn, unflushed)
  // In this order: whoever made the page dirty may have dropped its reference since.
  if (yield* dirty.is(1)) {
    yield* refcount.write(2)
    return yield* tail(keep_locked, cpu, pfn, unflushed)
  }
  yield* atomic(delete_frozen, pfn)
  yield* lock.unlock()
  yield* call(try_to_unmap_flush, unflushed)
  yield* atomic(free_isolated, pfn)
}

function delete_frozen(view: View, k: Kernel, pfn: number): Response {
  leave_swap_cache(view, k, pfn)
  return 0
}

function free_isolated(view: View, k: Kernel, pfn: number): Response {
  view.set(k.page[pfn]!.lru.location, ON_LRU)
  return free_page(view, k, pfn)
}

/** The page stays. */
function* keep_locked(k: Kernel, cpu: number, pfn: number, unflushed: Unflushed): Steps<void> {
  yield* k.page[pfn]!.lock.unlock()
  yield* call(try_to_unmap_flush, unflushed)
  return yield* tail(putback_lru_page, cpu, pfn)
}

/** kswapd puts the page back on the LRU list; a process that reclaims puts it into its processor's batch. */
function* putback_lru_page(k: Kernel, cpu: number, pfn: number): Steps<void> {
  if (cpu === NO_CPU || !k.config.lruBatch) yield* atomic(putback, pfn)
  else yield* k.page[pfn]!.lru.write(1 + cpu)
}

function putback(view: View, k: Kernel, pfn: number): Response {
  view.set(k.page[pfn]!.lru.location, ON_LRU)
  return drop_reference(view, k, pfn)
}

/** The flush that try_to_unmap_one has put off: all TLBs of these processes. */
function* try_to_unmap_flush(k: Kernel, { mms }: Unflushed): Steps<void> {
  for (let mm = 0; mm < k.mm.length; mm++) if (mms & (1 << mm)) yield* flush_tlb_mm(k, mm)
}

naming(isolate_some, [], PFN_OR_0)
naming(isolate_mapped, [], PFN_OR_0)
naming(shrink_page, [NONE, PFN])
naming(pageout, [NONE, PFN, SLOT])
naming(remove_mapping, [NONE, PFN])
naming(keep_locked, [NONE, PFN])
naming(putback_lru_page, [NONE, PFN])
