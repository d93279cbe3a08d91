/** Linus Torvalds's rules of December 2021: break COW that is there, allow no COW that comes. */
import type { Steps } from '../engine/index.ts'
import type { Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { type Design, extend } from './design.ts'
import { v5_16 } from './v5_16.ts'

const belief =
  'A write needs exclusive access, and only the reference count can say that nobody else has any: reuse when ' +
  'it is 1, else copy, since a copy is always safe. What makes it safe: a pin breaks COW that is already ' +
  'there, and marks the page, so that neither fork nor the swap cache makes it COW again. Write-protecting ' +
  'a page that one has pinned oneself is one’s own fault.'

const sources = [
  {
    what: 'break pre-existing COW, make sure no future COW',
    where: 'Linus Torvalds, 17 Dec 2021, linux-mm; linux-doc archive msg106633, msg106637',
  },
  { what: 'the fullest statement of the rules', where: 'Linus Torvalds, 18 Dec 2021, linux-mm' },
  {
    what: 'on write-protecting pages that one has pinned',
    where: 'Linus Torvalds, Dec 2021, reply to VFIO’s case',
  },
]

const wp_because =
  'a write fault reuses a page only if its reference count is 1 under the page lock; if the lock is taken, it copies (18 Dec 2021: "the only thing that says no other users is the page count")'

export const torvalds: Design = extend(v5_16, {
  name: 'torvalds',
  title: 'Linus Torvalds, 17 December 2021: break pre-existing COW, make sure no future COW',
  belief,
  sources,
  rules: {
    wp_can_reuse: only_reference,
    gup_flags: (flags) => ({ ...flags, write: flags.write || flags.pin }),
  },
  because: {
    wp_can_reuse: wp_because,
    gup_flags:
      'a FOLL_PIN takes a write fault first, so that the page is its owner’s alone and stays mapped writable (17 Dec 2021, rule (a); that the fault is a write fault is ours)',
    page_try_dup_rmap: 'fork copies a page that may be pinned (17 Dec 2021, rule (b))',
    may_add_to_swap:
      'reclaim leaves a page alone that may be pinned, before add_to_swap (18 Dec 2021, where he quotes the test)',
  },
  promises: (reference, circumstance) => reference.pin && circumstance !== 'protected',
})

/** The variant of his first mails, in which every get_user_pages breaks COW. */
export const torvalds_get: Design = extend(torvalds, {
  name: 'torvalds+get',
  title: 'torvalds, with FOLL_GET breaking COW too',
  belief: `${belief} Here FOLL_GET breaks COW as well, as his first messages have it; in the later ones it is for those who just want to look at a page.`,
  sources,
  rules: { gup_flags: (flags) => ({ ...flags, write: true }) },
  because: { gup_flags: 'every reference takes a write fault first (17 Dec 2021, rule (a))' },
})

/** Is ours the only reference? */
function* only_reference(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (!(yield* page.lock.tryLock())) return 'copy'
  const alone = yield* page.refcount.is(1)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}
