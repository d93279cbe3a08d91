/** v5.18: v5.16's rule, asked after stray references have been dropped. */
import type { Steps } from '../engine/index.ts'
import type { Fault, Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { ON_LRU } from '../mm/machine.ts'
import { lru_add_drain } from '../mm/page_alloc.ts'
import { PageKsm, PageSwapCache } from '../mm/page_flags.ts'
import type { Pte } from '../mm/pte.ts'
import { page_move_anon_rmap } from '../mm/rmap.ts'
import { try_to_free_swap } from '../mm/swapfile.ts'
import { extend } from './design.ts'
import { v5_16 } from './v5_16.ts'

export const v5_18 = extend(v5_16, {
  name: 'v5.18',
  title: 'Linux v5.18 (May 2022): the reference count, after dropping stray references',
  belief:
    'As v5.16: reference count 1 decides, and the mapcount is not looked at any more. Before it decides, ' +
    'the kernel drops references that only it holds, such as the LRU batch’s, to copy less.',
  sources: [
    { what: 'mm: optimize do_wp_page() for exclusive pages in the swapcache', where: '53a05ad9f21d' },
    { what: 'mm: optimize do_wp_page() for fresh pages in local LRU pagevecs', where: 'd4c470970d45' },
    { what: 'mm: streamline COW logic in do_swap_page()', where: 'c145e0b47c77' },
  ],
  rules: {
    wp_can_reuse: count_after_draining,
    wp_drains_batch: true,
    swap_in_exclusive: count_is_one,
    swap_freed_before_mapping: true,
  },
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1 under the page lock; if the lock is taken, it copies (53a05ad9f21d)',
    wp_drains_batch: "a write fault first empties this processor's LRU batch (d4c470970d45)",
    swap_in_exclusive:
      'a write fault that swaps a page in has it to itself only if its reference count is 1 (c145e0b47c77)',
    swap_freed_before_mapping:
      'swap-in gives up its claim on the place in swap, and tries to free it, before it looks at the count (c145e0b47c77)',
  },
})

/** As page_count_is_one, without the mapcount; first this processor's batch is drained and the swap cache let go. */
export function* count_after_draining(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (yield* PageKsm(k, pfn)) return 'copy'
  if (yield* page.refcount.exceeds(3)) return 'copy'
  if (k.rules.wp_drains_batch && k.config.lruBatch) {
    if (!(yield* page.lru.is(ON_LRU))) yield* lru_add_drain(k, vmf.cpu)
  }
  if (yield* page.refcount.exceeds((yield* PageSwapCache(k, pfn)) ? 2 : 1)) return 'copy'
  return yield* count_under_lock(k, vmf, pfn)
}

/** The test that counts: with the page locked, and out of the swap cache if nobody else names its place. */
export function* count_under_lock(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (!(yield* page.lock.tryLock())) return 'copy'
  yield* try_to_free_swap(k, pfn)
  const alone = !(yield* PageKsm(k, pfn)) && (yield* page.refcount.is(1))
  if (alone && k.rules.anon_exclusive) yield* page_move_anon_rmap(k, vmf.mm, pfn)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

/** do_swap_page: the reference count decides here too. */
function* count_is_one(k: Kernel, vmf: Fault, pfn: number, _entry: Pte, copied: boolean): Steps<boolean> {
  if (vmf.kind !== 'write') return false
  if (yield* PageKsm(k, pfn)) return false
  return copied || (yield* k.page[pfn]!.refcount.is(1))
}
