/** v7.3: only the entry says that a page in swap was exclusive. */
import type { Steps } from '../engine/index.ts'
import type { Fault, Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { ON_LRU } from '../mm/machine.ts'
import { lru_add_drain } from '../mm/page_alloc.ts'
import { PageKsm, PageSwapCache } from '../mm/page_flags.ts'
import { type Pte, pte_swp_exclusive } from '../mm/pte.ts'
import { extend } from './design.ts'
import { count_under_lock } from './v5_18.ts'
import { v7_2 } from './v7_2.ts'

export const v7_3 = extend(v7_2, {
  name: 'v7.3',
  title: 'Linux v7.3 (2026): swap-in asks the entry alone',
  belief:
    'As v7.2. What the entry says decides at swap-in: an exclusive page is mapped writable and leaves the swap ' +
    'cache, any other goes to the write fault, which counts its references as ever, only that it gives up ' +
    'at once if they are more than it could account for. Read in 7.3.4.',
  sources: [
    {
      what: 'mm/memory.c of v7.3: do_swap_page, should_try_to_free_swap, wp_can_reuse_anon_folio',
      where: 'Linux 7.3.4',
    },
  ],
  rules: {
    wp_can_reuse: exclusive_or_accounted_for,
    swap_in_exclusive: exclusive_entry,
    swap_cache_left_if_exclusive: true,
    swap_in_keeps_batch: true,
  },
  because: {
    wp_can_reuse:
      'a write fault reuses an exclusive page whatever its reference count, and any other only if that is 1 when the batch and the swap cache have let go of it (wp_can_reuse_anon_folio)',
    swap_in_exclusive: 'a swapped-in page is exclusive if its entry says so (do_swap_page)',
    swap_cache_left_if_exclusive:
      'a writer’s page leaves the swap cache if it is exclusive, whoever else holds it (should_try_to_free_swap)',
    swap_in_keeps_batch: 'swap-in does not empty the LRU batch, since it counts no references (do_swap_page)',
  },
})

/** The limit is what the mapping, the batch and the swap cache may hold, and not 3 in any case. */
function* exclusive_or_accounted_for(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (yield* page.exclusive.is(1)) return 'reuse'
  const batched = k.config.lruBatch && !(yield* page.lru.is(ON_LRU))
  const cached = yield* PageSwapCache(k, pfn)
  if (yield* PageKsm(k, pfn)) return 'copy'
  if (yield* page.refcount.exceeds(1 + (batched ? 1 : 0) + (cached ? 1 : 0))) return 'copy'
  if (batched && k.rules.wp_drains_batch) yield* lru_add_drain(k, vmf.cpu)
  if (yield* page.refcount.exceeds(cached ? 2 : 1)) return 'copy'
  return yield* count_under_lock(k, vmf, pfn)
}

function* exclusive_entry(k: Kernel, _vmf: Fault, pfn: number, entry: Pte, copied: boolean): Steps<boolean> {
  if (yield* PageKsm(k, pfn)) return false
  return copied || pte_swp_exclusive(entry)
}
