/**
 * The swap cache: the page in memory for a place in swap, if there is one (mm/swap_state.c).
 *
 * It holds a reference. A page comes and goes under its page lock; whoever looks a place up
 * takes a reference first and the lock afterwards, and so must look again.
 */
import { atomic, BLOCKED, call, type Response, type Steps, tail, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { allocate, lru_cache_add, put_page } from './page_alloc.ts'
import { PageSwapCache } from './page_flags.ts'
import { free_swap_if_unnamed, get_swap_page, NO_SLOT, swap_free } from './swapfile.ts'

/** No page. */
export const NO_PAGE = -1

/**
 * Gives a locked page a place in swap and puts it into the swap cache, dirty: what it holds is
 * still to be written.
 * @returns the place, or NO_SLOT if none is free
 */
export function* add_to_swap(pfn: number): Steps<number> {
  return (yield* atomic(enter_swap_cache, pfn)) - 1
}

function enter_swap_cache(view: View, k: Kernel, pfn: number): Response {
  const { swap, dirty, refcount } = k.page[pfn]!
  const slot = get_swap_page(view, k)
  if (slot === NO_SLOT) return 0
  view.set(k.slot[slot]!.cache.location, 1 + pfn)
  view.set(swap.location, 1 + slot)
  view.set(refcount.location, view.get(refcount.location) + 1)
  view.set(dirty.location, 1)
  return 1 + slot
}

/**
 * The page for a place in swap, with a reference, or NO_PAGE. A page whose count reclaim has
 * frozen is on its way out: whoever wants it waits.
 */
export function* lookup_swap_cache(slot: number): Steps<number> {
  return (yield* atomic(find_get_page, slot)) - 1
}

function find_get_page(view: View, k: Kernel, slot: number): Response {
  const cached = view.get(k.slot[slot]!.cache.location)
  if (cached === 0) return 0
  const { refcount } = k.page[cached - 1]!
  const count = view.get(refcount.location)
  if (count === 0) return BLOCKED
  view.set(refcount.location, count + 1)
  return cached
}

/**
 * As lookup_swap_cache, but reads the page in if it is not there (read_swap_cache_async and
 * swap_readpage): the reader holds its lock until what it held has come back. NO_PAGE if
 * meanwhile nobody names the place any more.
 */
export function* read_swap_cache(k: Kernel, cpu: number, slot: number): Steps<number> {
  const cached = yield* lookup_swap_cache(slot)
  if (cached !== NO_PAGE) return cached
  const page = yield* atomic(allocate)
  switch (yield* atomic(swapcache_prepare, slot, page)) {
    case EXISTS:
      yield* put_page(page)
      return yield* tail(read_swap_cache, cpu, slot)
    case UNNAMED:
      yield* put_page(page)
      return NO_PAGE
  }
  yield* lru_cache_add(k, cpu, page)
  yield* atomic(swap_readpage, page, slot)
  yield* k.page[page]!.lock.unlock()
  return page
}

const PREPARED = 0
const EXISTS = 1
const UNNAMED = 2

/** Puts a new page into the swap cache, locked, unless another one is there. */
function swapcache_prepare(view: View, k: Kernel, slot: number, pfn: number): Response {
  const { count, cache } = k.slot[slot]!
  if (view.get(cache.location) !== 0) return EXISTS
  if (view.get(count.location) === 0) return UNNAMED
  const { lock, swap, refcount } = k.page[pfn]!
  view.set(cache.location, 1 + pfn)
  view.set(swap.location, 1 + slot)
  // A lockless walk may hold a reference for a moment to the page that this frame was before.
  view.set(refcount.location, view.get(refcount.location) + 1)
  view.set(lock.location, 1 + view.thread)
  return PREPARED
}

/** Nobody else uses the page yet, and what a place holds does not change while it is named: one step. */
export function swap_readpage(view: View, k: Kernel, pfn: number, slot: number): Response {
  k.page[pfn]!.word.forEach((word, w) => {
    view.set(word.location, view.get(k.slot[slot]!.word[w]!.location))
  })
  return 0
}

/** Whoever drops a page that nobody maps any more tries to free its place in swap (free_swap_cache). */
export function* free_swap_cache(k: Kernel, pfn: number): Steps<void> {
  const { mapcount, lock } = k.page[pfn]!
  if (!(yield* PageSwapCache(k, pfn))) return
  if (yield* mapcount.exceeds(0)) return
  if (!(yield* lock.tryLock())) return
  yield* free_swap_if_unnamed(k, pfn)
  yield* lock.unlock()
}

/**
 * A page table stops naming a place. If then only the swap cache keeps it, and nobody maps the
 * page or holds its lock, the page leaves it (free_swap_and_cache, mm/swapfile.c).
 */
export function* free_swap_and_cache(_k: Kernel, slot: number): Steps<void> {
  if (!(yield* swap_free(slot))) return
  const page = yield* lookup_swap_cache(slot)
  if (page !== NO_PAGE) yield* call(try_to_reclaim_swap, page)
}

function* try_to_reclaim_swap(_k: Kernel, pfn: number): Steps<void> {
  yield* call(free_swap_of_unmapped, pfn)
  yield* put_page(pfn)
}

function* free_swap_of_unmapped(k: Kernel, pfn: number): Steps<void> {
  const { mapcount, lock } = k.page[pfn]!
  if (!(yield* lock.tryLock())) return
  if (!(yield* mapcount.exceeds(0))) yield* free_swap_if_unnamed(k, pfn)
  yield* lock.unlock()
}
