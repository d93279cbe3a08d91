/**
 * Places in swap: who names them, and when they can be given up (mm/swapfile.c).
 *
 * A place is in use as long as an entry of some page table names it (its count) or the swap
 * cache has a page for it. Each function here is one step, as the kernel does it under the
 * device's lock. The count cannot rise from 0, and while the page that the swap cache has for
 * it is locked, it cannot rise from 1 either by anybody but fork.
 */
import { atomic, pick, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { PageKsm } from './page_flags.ts'

/** No place is free. */
export const NO_SLOT = -1

/** One more page table names the place. */
export function* swap_duplicate(slot: number): Steps<void> {
  yield* atomic(duplicate_entry, slot)
}

function duplicate_entry(view: View, k: Kernel, slot: number): Response {
  const { count } = k.slot[slot]!
  view.set(count.location, view.get(count.location) + 1)
  return 0
}

/**
 * One page table fewer names the place.
 * @returns whether now only the swap cache keeps it
 */
export function* swap_free(slot: number): Steps<boolean> {
  return (yield* atomic(free_entry, slot)) === 1
}

function free_entry(view: View, k: Kernel, slot: number): Response {
  const { count, cache } = k.slot[slot]!
  const left = view.get(count.location) - 1
  view.set(count.location, left)
  if (left > 0) return 0
  if (view.get(cache.location) !== 0) return 1
  return forget_slot(view, k, slot)
}

/** Nothing names the place any more: what it holds is gone. */
function forget_slot(view: View, k: Kernel, slot: number): Response {
  for (const word of k.slot[slot]!.word) view.set(word.location, 0)
  return 0
}

/** A free place, as part of a larger step: any that was used before, or the lowest that never was. */
export function get_swap_page(view: View, k: Kernel): number {
  if (k.finder !== undefined) return k.finder.slot(view)
  const used = view.get(k.slotsUsed.location)
  const free = k.slot.flatMap(({ count, cache }, slot) =>
    slot < used && view.get(count.location) === 0 && view.get(cache.location) === 0 ? [slot] : [],
  )
  if (used < k.slot.length) free.push(used)
  if (free.length === 0) return NO_SLOT
  const slot = pick(view, free)
  if (slot === used) view.set(k.slotsUsed.location, used + 1)
  return slot
}

/**
 * Takes a page out of the swap cache, if no page table names its place any more and it is not
 * being written there. The page lock is held.
 */
export function* try_to_free_swap(k: Kernel, pfn: number): Steps<boolean> {
  return k.slot.length > 0 && (yield* atomic(free_if_unnamed, pfn)) === 1
}

function free_if_unnamed(view: View, k: Kernel, pfn: number): Response {
  const { swap, writeback } = k.page[pfn]!
  const slot = view.get(swap.location) - 1
  if (slot < 0 || view.get(writeback.location) === 1) return 0
  if (view.get(k.slot[slot]!.count.location) > 0) return 0
  delete_from_swap_cache(view, k, pfn)
  return 1
}

/** The swap cache lets go of a page, which is then in memory alone and so counts as dirty. */
export function delete_from_swap_cache(view: View, k: Kernel, pfn: number): void {
  const { dirty, refcount } = k.page[pfn]!
  leave_swap_cache(view, k, pfn)
  view.set(dirty.location, 1)
  view.set(refcount.location, view.get(refcount.location) - 1)
}

/** The swap cache has no page any more for the place. */
export function leave_swap_cache(view: View, k: Kernel, pfn: number): void {
  const { swap } = k.page[pfn]!
  const slot = view.get(swap.location) - 1
  const { count, cache } = k.slot[slot]!
  view.set(cache.location, 0)
  view.set(swap.location, 0)
  if (view.get(count.location) === 0) forget_slot(view, k, slot)
}

/**
 * The rule to v5.17: a page is its owner's alone if the page tables that map it and those that
 * name its place in swap are one together. The reference count is not looked at. A page that
 * is alone leaves the swap cache. The page lock is held.
 */
export function* reuse_swap_page(k: Kernel, pfn: number): Steps<boolean> {
  if (yield* PageKsm(k, pfn)) return false
  if (k.slot.length === 0) return yield* k.page[pfn]!.mapcount.is(1)
  const mapped = yield* few_mappings(pfn)
  if (mapped > 1) return false
  return (yield* atomic(alone_with_swap, pfn, mapped)) === 1
}

/** page_mapcount, as far as anybody asks: 0, 1, or 2 for more. */
export function* few_mappings(pfn: number): Steps<number> {
  return yield* atomic(count_mappings, pfn)
}

/** Whether more than so many page-table entries name the page's place in swap (page_swapcount). */
export function* swap_users_exceed(k: Kernel, pfn: number, users: number): Steps<boolean> {
  return k.slot.length > 0 && (yield* atomic(count_swap_users, pfn, users)) === 1
}

function count_swap_users(view: View, k: Kernel, pfn: number, users: number): Response {
  const slot = view.get(k.page[pfn]!.swap.location) - 1
  return slot >= 0 && view.get(k.slot[slot]!.count.location) > users ? 1 : 0
}

function count_mappings(view: View, k: Kernel, pfn: number): Response {
  return Math.min(2, view.get(k.page[pfn]!.mapcount.location))
}

function alone_with_swap(view: View, k: Kernel, pfn: number, mapped: number): Response {
  const { swap, writeback } = k.page[pfn]!
  const slot = view.get(swap.location) - 1
  if (slot < 0) return 1
  const users = mapped + view.get(k.slot[slot]!.count.location)
  if (users === 1 && view.get(writeback.location) === 0) delete_from_swap_cache(view, k, pfn)
  return users <= 1 ? 1 : 0
}
