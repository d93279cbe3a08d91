/** v5.9: count the references. */
import type { Steps } from '../engine/index.ts'
import type { Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { PageKsm } from '../mm/page_flags.ts'
import { page_dup_rmap } from '../mm/rmap.ts'
import { extend } from './design.ts'
import { v5_7 } from './v5_7.ts'

export const v5_9 = extend(v5_7, {
  name: 'v5.9',
  title: 'Linux v5.9 (October 2020): the reference count decides, and fork copies pinned pages',
  belief:
    'Only a page that nobody else refers to in any way may be reused: reference count 1, looked at again ' +
    'under the page lock; when in doubt, copy, since a copy is always safe. It is safe only if a pinned ' +
    'page is not made copy-on-write later, so fork gives the child a copy of pages that may be pinned.',
  sources: [
    { what: 'mm: do_wp_page() simplification', where: '09854ba94c6a' },
    { what: 'mm: remove enforced COW on gup', where: 'a308c71bf1e6' },
    { what: 'mm: introduce mm_struct.has_pinned', where: '008cfe4418b3' },
    { what: 'mm: do early COW for pinned pages during fork() for ptes', where: '70e806e4e645' },
  ],
  rules: {
    wp_can_reuse: page_count_is_one,
    page_try_dup_rmap: share_unless_pinned,
    fork_protects_first: false,
    marks_pinned_mm: true,
  },
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1, checked again under the page lock; if the lock is taken, it copies (09854ba94c6a)',
    page_try_dup_rmap:
      'fork copies a page that may be pinned, if this mm has ever pinned anything (70e806e4e645)',
    marks_pinned_mm: 'a FOLL_PIN marks its mm before it looks at any page (008cfe4418b3)',
    fork_protects_first:
      "fork raises the counts before it takes write permission from the parent's entry (70e806e4e645, f3c64eda3e50)",
  },
})

/** Is ours the only reference of any kind? */
export function* page_count_is_one(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (yield* PageKsm(k, pfn)) return 'copy'
  if (!(yield* page.refcount.is(1))) return 'copy'
  if (!(yield* page.lock.tryLock())) return 'copy'
  const alone = !(yield* PageKsm(k, pfn)) && (yield* page.mapcount.is(1)) && (yield* page.refcount.is(1))
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

/** fork: page_needs_cow_for_dma, then the shared mapping. */
export function* share_unless_pinned(k: Kernel, mm: number, pfn: number): Steps<boolean> {
  if (yield* k.mm[mm]!.has_pinned.is(1)) {
    if (yield* k.page[pfn]!.pins.exceeds(0)) return false
  }
  yield* page_dup_rmap(k, pfn)
  return true
}
