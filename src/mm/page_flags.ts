/**
 * What a page is (include/linux/page-flags.h). A machine without swap, or without KSM, has no
 * such pages, and there the questions cost no steps.
 */
import type { Steps } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'

/** Whether KSM has made the page. */
export function* PageKsm(k: Kernel, pfn: number): Steps<boolean> {
  return k.config.ksm && (yield* k.page[pfn]!.mapping.is(k.KSM))
}

/** Whether the page is in the swap cache. */
export function* PageSwapCache(k: Kernel, pfn: number): Steps<boolean> {
  return k.slot.length > 0 && (yield* k.page[pfn]!.swap.exceeds(0))
}

/** What the page holds is not in swap yet. */
export function* set_page_dirty(k: Kernel, pfn: number): Steps<void> {
  yield* k.page[pfn]!.dirty.write(1)
}
