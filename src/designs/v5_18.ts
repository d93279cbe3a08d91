/** v5.18: v5.11's rule, asked after stray references have been dropped. */
import type { Steps } from '../engine/index.ts'
import type { Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { lru_add_drain } from '../mm/page_alloc.ts'
import { page_move_anon_rmap } from '../mm/rmap.ts'
import { extend } from './design.ts'
import { v5_11 } from './v5_11.ts'

export const v5_18 = extend(v5_11, {
  name: 'v5.18',
  title: 'Linux v5.18 (May 2022): the reference count, after dropping stray references',
  belief:
    'As v5.11: reference count 1 decides, and the mapcount is not looked at any more. Before it decides, ' +
    'the kernel drops references that only it holds, such as the LRU batch’s, to copy less.',
  sources: [
    { what: 'mm: optimize do_wp_page() for exclusive pages in the swapcache', where: '53a05ad9f21d' },
    { what: 'mm: optimize do_wp_page() for fresh pages in local LRU pagevecs', where: 'd4c470970d45' },
    {
      what: 'pins taken in two steps: fix of a race in try_grab_compound_head (v5.14)',
      where: 'c24d37322548',
    },
  ],
  rules: { wp_can_reuse: count_after_draining, wp_drains_batch: true, fast_pin_in_two_steps: true },
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1 under the page lock; if the lock is taken, it copies (53a05ad9f21d)',
    wp_drains_batch: "a write fault first empties this processor's LRU batch (d4c470970d45)",
    fast_pin_in_two_steps:
      'a lockless pin takes its reference before it counts as a pin (c24d37322548, v5.14)',
  },
})

/** As page_count_is_one, without the mapcount and with this processor's batch drained. */
export function* count_after_draining(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (yield* page.refcount.exceeds(3)) return 'copy'
  if (k.rules.wp_drains_batch && k.config.lruBatch) {
    if (!(yield* page.batch.is(0))) yield* lru_add_drain(k, vmf.cpu)
  }
  if (yield* page.refcount.exceeds(1)) return 'copy'
  if (!(yield* page.lock.tryLock())) return 'copy'
  const alone = yield* page.refcount.is(1)
  if (alone) yield* page_move_anon_rmap(k, pfn)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}
