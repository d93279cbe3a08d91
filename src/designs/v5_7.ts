/** v5.7: count the mappings. */
import { call, type Steps } from '../engine/index.ts'
import type { Fault, Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { reuse_ksm_page } from '../mm/ksm.ts'
import { get_page, put_page } from '../mm/page_alloc.ts'
import { PageKsm, PageSwapCache } from '../mm/page_flags.ts'
import { page_move_anon_rmap } from '../mm/rmap.ts'
import { reuse_swap_page } from '../mm/swapfile.ts'
import type { Design } from './design.ts'
import { NO_RULES } from './no_rules.ts'

export const v5_7: Design = {
  name: 'v5.7',
  title: 'Linux v5.7 (May 2020): the mapcount decides',
  belief:
    'A page that is mapped once belongs to whoever maps it, so a write fault may reuse it. ' +
    'References that are not mappings do not count. A lock on the page keeps the count from rising.',
  sources: [
    { what: 'mm/memory.c as of v5.7: do_wp_page, reuse_swap_page', where: 'f45ec5ff16a7' },
    { what: 'reuse by mapcount instead of page_count (2005)', where: 'c475a8ab625d' },
    {
      what: 'FOLL_PIN and pin_user_pages (v5.6); pinned pages are meant to stay coherent',
      where: 'eddb1c228f79',
    },
  ],
  rules: {
    ...NO_RULES,
    wp_can_reuse: only_mapping,
    swap_in_exclusive: only_swap_entry,
    fork_protects_first: true,
  },
  because: {
    wp_can_reuse:
      'a write fault reuses a page whose mapcount is 1, whatever its reference count (reuse_swap_page)',
    swap_in_exclusive:
      'a write fault that swaps a page in has it to itself if no other entry maps it or names its place in swap, whatever its reference count (reuse_swap_page)',
    fork_protects_first:
      "fork takes write permission from the parent's entry before it raises the counts (copy_one_pte)",
  },
  promises: (reference) => reference.pin,
}

/** Is this the only user? Sleeps for the page lock if need be, and then looks at the entry again. */
export function* only_mapping(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (yield* PageKsm(k, pfn)) {
    if (yield* PageSwapCache(k, pfn)) return 'copy'
    if (!(yield* page.refcount.is(1))) return 'copy'
  }
  if (!(yield* call(lock_page_and_look_again, vmf, pfn))) return 'retry'
  if (yield* PageKsm(k, pfn)) {
    const reused = yield* call(reuse_ksm_page, vmf, pfn)
    yield* page.lock.unlock()
    return reused ? 'reuse' : 'copy'
  }
  const alone = yield* reuse_swap_page(k, pfn)
  if (alone) yield* page_move_anon_rmap(k, vmf.mm, pfn)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

/** Takes the page lock. If it had to sleep for it and the entry is another one now, tells false, with no lock held. */
function* lock_page_and_look_again(k: Kernel, vmf: WpFault, pfn: number): Steps<boolean> {
  const { lock } = k.page[pfn]!
  const { ptl, pte } = k.mm[vmf.mm]!
  if (yield* lock.tryLock()) return true
  yield* get_page(k, pfn)
  yield* ptl.unlock()
  yield* lock.lock()
  yield* ptl.lock()
  const same = yield* pte[vmf.vpn]!.is(vmf.orig_pte)
  if (!same) {
    yield* lock.unlock()
    yield* ptl.unlock()
  }
  yield* put_page(pfn)
  return same
}

/** do_swap_page: a write has the page to itself if nothing else maps it or names its place in swap. */
function* only_swap_entry(k: Kernel, vmf: Fault, pfn: number): Steps<boolean> {
  return vmf.kind === 'write' && (yield* reuse_swap_page(k, pfn))
}
