/**
 * Frames: allocation, references, freeing, and the LRU list (mm/page_alloc.c, mm/swap.c).
 *
 * Allocation may return any free frame that was in use before, or the lowest one that never
 * was: frames never used are alike in every respect, so trying one of them is enough.
 */
import {
  atomic,
  BLOCKED,
  call,
  naming,
  pick,
  type Response,
  type Steps,
  tail,
  type View,
} from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { ON_LRU, ZERO_PFN } from './machine.ts'
import { PFN } from './names.ts'

/** Allocates a frame with one reference and zeroed words. */
export function* alloc_page(): Steps<number> {
  return yield* atomic(allocate)
}

/** Allocates a frame as part of a larger step. */
export function allocate(view: View, k: Kernel): Response {
  if (k.finder !== undefined) {
    const pfn = k.finder.frame(view)
    return pfn < 0 ? BLOCKED : hand_out(view, k, pfn)
  }
  const used = view.get(k.framesUsed.location)
  const free: number[] = []
  for (let pfn = ZERO_PFN + 1; pfn < used; pfn++) {
    if (is_free(view, k, pfn)) free.push(pfn)
  }
  if (used < k.page.length) free.push(used)
  if (free.length === 0) return view.fail('out of frames: give the test more')
  // Where nothing is shared nobody can remember a freed frame.
  const pfn = k.rules.shares_nothing ? free[0]! : pick(view, free)
  if (pfn === used) view.set(k.framesUsed.location, used + 1)
  return hand_out(view, k, pfn)
}

function hand_out(view: View, k: Kernel, pfn: number): Response {
  view.set(k.page[pfn]!.refcount.location, 1)
  if (k.slot.length > 0) view.set(k.page[pfn]!.lru.location, k.NOT_ON_LRU)
  return pfn
}

/**
 * Whether a frame is free. Reclaim brings the count of a page to 0 before it is done with it:
 * until then the page is still off the LRU list.
 */
export function is_free(view: View, k: Kernel, pfn: number): boolean {
  const { refcount, lru } = k.page[pfn]!
  if (view.get(refcount.location) > 0) return false
  return k.slot.length === 0 || view.get(lru.location) !== k.ISOLATED
}

/** Takes one more reference on a page that has some. */
export function* get_page(_k: Kernel, pfn: number): Steps<void> {
  yield* atomic(get, pfn)
}

function get(view: View, k: Kernel, pfn: number): Response {
  return take_reference(view, k, pfn)
}

/** Takes a reference as part of a larger step; fails the run if the page is free. */
export function take_reference(view: View, k: Kernel, pfn: number): Response {
  const { refcount } = k.page[pfn]!
  const count = view.get(refcount.location)
  if (count === 0) return view.fail('use after free: a reference to a free page is taken')
  view.set(refcount.location, count + 1)
  return 0
}

/** Drops a reference; the last one frees the page. */
export function* put_page(pfn: number): Steps<void> {
  yield* atomic(put, pfn)
}

function put(view: View, k: Kernel, pfn: number): Response {
  return drop_reference(view, k, pfn)
}

/** Drops a reference as part of a larger step; fails the run if a page is freed while something still uses it. */
export function drop_reference(view: View, k: Kernel, pfn: number): Response {
  const page = k.page[pfn]!
  const refcount = view.get(page.refcount.location)
  if (refcount === 0) return view.fail('use after free: a reference to a free page is dropped')
  view.set(page.refcount.location, refcount - 1)
  if (refcount > 1) return 0
  if (view.get(page.mapcount.location) > 0)
    return view.fail('use after free: a page is freed while it is mapped')
  if (view.get(page.pins.location) > 0) return view.fail('use after free: a page is freed while it is pinned')
  return free_page(view, k, pfn)
}

/** What a page was is forgotten when it is freed, and not before: PageAnon and PageKsm too. */
export function free_page(view: View, k: Kernel, pfn: number): Response {
  const { exclusive, mapping, index, dirty, lru, word } = k.page[pfn]!
  for (const cell of [exclusive, ...(k.reverse_maps ? [mapping, index, dirty, lru] : []), ...word]) {
    view.set(cell.location, 0)
  }
  return 0
}

/**
 * Puts a newly mapped page into this processor's LRU batch (`lru_cache_add`), which holds a
 * reference until it is drained. Without batches, and from a kernel thread's processor, pages go to
 * the LRU list at once. Before that reclaim cannot find the page.
 */
export function* lru_cache_add(k: Kernel, cpu: number, pfn: number): Steps<void> {
  if (k.config.lruBatch && cpu >= 0) yield* atomic(add_to_batch, cpu, pfn)
  else if (k.slot.length > 0) yield* k.page[pfn]!.lru.write(ON_LRU)
}

function add_to_batch(view: View, k: Kernel, cpu: number, pfn: number): Response {
  const page = k.page[pfn]!
  view.set(page.lru.location, cpu + 1)
  view.set(page.refcount.location, view.get(page.refcount.location) + 1)
  return 0
}

/** Drops the references of one processor's batch (`lru_add_drain`). */
export function* lru_add_drain(k: Kernel, cpu: number): Steps<void> {
  if (!k.config.lruBatch || cpu < 0) return
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) yield* atomic(drain_page, pfn, cpu)
}

/** Drops the references of all processors' batches. */
export function* lru_add_drain_all(k: Kernel): Steps<void> {
  for (let cpu = 0; cpu < k.cpu.length; cpu++) yield* lru_add_drain(k, cpu)
}

function drain_page(view: View, k: Kernel, pfn: number, cpu: number): Response {
  const { lru } = k.page[pfn]!
  if (view.get(lru.location) !== cpu + 1) return 0
  view.set(lru.location, ON_LRU)
  return drop_reference(view, k, pfn)
}

/** A daemon that may take any page out of any batch at any moment. */
export function* lru_drain_daemon(): Steps<void> {
  yield* call(drain_once)
  return yield* tail(lru_drain_daemon)
}

function* drain_once(): Steps<void> {
  yield* atomic(drain_any)
}

function drain_any(view: View, k: Kernel): Response {
  const batched: number[] = []
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const at = view.get(k.page[pfn]!.lru.location)
    if (at !== ON_LRU && at < k.ISOLATED) batched.push(pfn)
  }
  if (batched.length === 0) return BLOCKED
  const pfn = pick(view, batched)
  view.set(k.page[pfn]!.lru.location, ON_LRU)
  return drop_reference(view, k, pfn)
}

naming(allocate, [], PFN)
