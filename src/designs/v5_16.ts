/** v5.16: the kernel of the argument of December 2021. */
import { extend } from './design.ts'
import { v5_11 } from './v5_11.ts'

export const v5_16 = extend(v5_11, {
  name: 'v5.16',
  title: 'Linux v5.16 (January 2022): the kernel that the argument was about',
  belief:
    'As v5.11: the reference count decides at write faults, the number of mappings and swap entries at ' +
    'swap-in, pinned pages are kept from fork and from the swap cache.',
  sources: [
    { what: 'the base of the argument, do_wp_page of v5.16', where: '8f425e4ed0eb' },
    { what: 'mm: proc: Invalidate TLB after clearing soft-dirty page state (v5.12)', where: '912efa17e512' },
    { what: 'mm: free idle swap cache page after COW (v5.14)', where: 'f4c4a3f48480' },
    {
      what: 'pins taken in two steps: fix of a race in try_grab_compound_head (v5.14)',
      where: 'c24d37322548',
    },
  ],
  rules: { fast_pin_in_two_steps: true, swap_freed_after_copy: true, clear_refs_flushes: true },
  because: {
    fast_pin_in_two_steps:
      'a lockless pin takes its reference before it counts as a pin (c24d37322548, v5.14)',
    clear_refs_flushes: 'clear_refs flushes the TLBs before it lets go of mmap_lock (912efa17e512, v5.12)',
    swap_freed_after_copy:
      'a write fault that has copied a page tries to free the old one’s place in swap (f4c4a3f48480, v5.14)',
  },
})
