/**
 * No rule at all: what remains of a design when each of its rules is taken away. Every write
 * fault reuses the page, fork always shares, pins are not noticed. Designs start from here and
 * say what they add.
 */
import type { Steps } from '../engine/index.ts'
import type { Kernel, Rules, WpDecision } from '../mm/kernel.ts'
import { page_dup_rmap } from '../mm/rmap.ts'

export const NO_RULES: Rules = {
  *wp_can_reuse(): Steps<WpDecision> {
    return 'reuse'
  },
  *page_try_dup_rmap(k: Kernel, _mm: number, pfn: number): Steps<boolean> {
    yield* page_dup_rmap(k, pfn)
    return true
  },
  fork_protects_first: false,
  shares_nothing: false,
  gup_flags: (flags) => flags,
  *gup_must_unshare(): Steps<boolean> {
    return false
  },
  *may_add_to_swap(): Steps<boolean> {
    return true
  },
  *page_try_share_anon_rmap(k: Kernel, pfn: number, exclusive: boolean): Steps<boolean> {
    if (exclusive) yield* k.page[pfn]!.exclusive.write(0)
    return true
  },
  *swap_in_exclusive(): Steps<boolean> {
    return true
  },
  *clear_refs_may_protect(): Steps<boolean> {
    return true
  },
  flushes_exclusive_at_once: false,
  swp_exclusive: false,
  unshare_test_locks_page: false,
  swap_freed_before_mapping: false,
  swap_freed_after_counting: false,
  swap_cache_left_if_exclusive: false,
  swap_cache_left_on_giving_up: false,
  swap_in_writable: false,
  mprotect_restores_write: false,
  mprotect_restores_clean: false,
  zero_page_unshared: false,
  unmerge_unshares: false,
  swap_freed_after_copy: false,
  clear_refs_excludes_faults: false,
  clear_refs_flushes: false,
  per_vma_locks: false,
  fork_locks_vmas: false,
  dontneed_locks_vma: false,
  marks_pinned_mm: false,
  write_protect_seq: false,
  fast_pin_in_two_steps: false,
  anon_exclusive: false,
  zero_page: true,
  wp_drains_batch: false,
  swap_in_keeps_batch: false,
}
