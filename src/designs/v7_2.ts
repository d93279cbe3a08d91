/** v7.2: swap-in maps first and leaves the swap cache afterwards. */
import { extend } from './design.ts'
import { v6_18 } from './v6_18.ts'

export const v7_2 = extend(v6_18, {
  name: 'v7.2',
  title: 'Linux v7.2 (2026): swap-in always goes through the swap cache',
  belief:
    'As v6.18. A page that is swapped in is mapped before its place in swap is given up, so that whoever comes ' +
    'meanwhile finds it in the swap cache. The test for a reference count of 1 is still there, but ' +
    'now comes while the swap cache holds the page, so the exclusive bit of the entry decides alone. Read in 7.2.13.',
  sources: [{ what: 'mm, swap: free the swap cache after folio is mapped (v7.0)', where: '4b34f1d82c65' }],
  rules: {
    swap_freed_before_mapping: false,
    swap_freed_after_counting: true,
    swap_cache_left_on_giving_up: true,
  },
  because: {
    swap_freed_before_mapping:
      'swap-in does not give up the place in swap before the page is mapped (4b34f1d82c65)',
    swap_freed_after_counting:
      'swap-in gives up its claim on the place in swap when the mapping has been counted, and lets a writer’s page leave the swap cache last (4b34f1d82c65)',
    swap_cache_left_on_giving_up:
      'swap-in that finds its entry changed lets the page leave the swap cache if nobody names its place (do_swap_page of 7.2.13)',
  },
})
