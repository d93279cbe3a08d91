/**
 * Linus Torvalds's rules of 17 and 18 December 2021: break COW that is there, allow no COW that comes.
 *
 * His position moved within a month: on 19 December he proposed a bit on the page (which became v5.19's), on 13
 * January 2022 the procedure of `torvalds+jan`. Where he contradicts himself there is a variant.
 */
import type { Steps } from '../engine/index.ts'
import type { Fault, Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import { PageKsm } from '../mm/page_flags.ts'
import type { Pte } from '../mm/pte.ts'
import { free_swap_if_unnamed } from '../mm/swapfile.ts'
import { type Design, extend, ofTheDay } from './design.ts'
import { NO_RULES } from './no_rules.ts'
import { refuse_pinned } from './refuse_pinned.ts'
import { v5_16 } from './v5_16.ts'
import { v5_18 } from './v5_18.ts'

const belief =
  'A write needs exclusive access, and only the reference count can say that nobody else has any: reuse when ' +
  'it is 1, else copy, since a copy is always safe. What makes it safe: a pin breaks COW that is already ' +
  'there, and marks the page, so that neither fork nor the swap cache makes it COW again. Write-protecting ' +
  'a page that one has pinned oneself is one’s own fault.'

const sources = [
  {
    what: 'the message: break pre-existing COW, make sure no future COW',
    where:
      'Linus Torvalds, 17 Dec 2021 14:18 -0800, CAHk-=wiujJLsLdGQho8oSbEe2-B1k1tJg6pzePkbqZBqEZL56A@mail.gmail.com',
  },
  {
    what: '(a) GUP looks up only pages that can be shared with this VM; (b) they are marked',
    where:
      'Linus Torvalds, 17 Dec 2021 13:36 -0800, CAHk-=wiFhVXZH_ht_dYQ_g2WNuhvWVrv8MjZ8B8_g6Kz2cZrHw@mail.gmail.com',
  },
  {
    what: 'the fullest statement of the rules',
    where:
      'Linus Torvalds, 18 Dec 2021 11:21 -0800, CAHk-=wg95CiyT45ZOxtnWQ7cdKmejXcOydEyJcTTNnp5-nd+xg@mail.gmail.com',
  },
  {
    what: 'whoever wants to see the future of a page acts like a write',
    where:
      'Linus Torvalds, 18 Dec 2021 15:05 -0800, CAHk-=whJWmj70d6yCzYPvrC-6V-6jwkJ4mrVc_p3toy4Lz_nhg@mail.gmail.com',
  },
  {
    what: 'on write-protecting pages that one has pinned',
    where:
      'Linus Torvalds, 17 Dec 2021 17:53 -0800, CAHk-=wgw5bEe8+qifra-aY9fAOf2Pscp1vuXX=f4hESyCK_xLg@mail.gmail.com',
  },
]

/** Rules that he never stated, with what he may as well have meant. */
const ours = {
  ...ofTheDay(
    v5_16,
    'fork_protects_first',
    'marks_pinned_mm',
    'fast_pin_in_two_steps',
    'swap_freed_after_copy',
    'clear_refs_excludes_faults',
    'clear_refs_flushes',
  ),
  swap_in_exclusive: {
    taken:
      'he names no rule for a write fault that swaps a page in, so v5.16’s: mappings and swap entries are counted',
    alternative: {
      text: 'the reference count decides there too, as his principle says (v5.18, c145e0b47c77)',
      rules: {
        swap_in_exclusive: v5_18.rules.swap_in_exclusive,
        swap_freed_before_mapping: v5_18.rules.swap_freed_before_mapping,
      },
    },
  },
  page_try_share_anon_rmap: {
    taken:
      'he names no rule for a page that is pinned after reclaim or KSM has looked, so v5.16’s: its entry is taken away',
    alternative: {
      text: 'the entry is put back if the page may be pinned, tested when it is empty (as v5.19, 6c287605fd56)',
      rules: { page_try_share_anon_rmap: refuse_pinned },
    },
  },
  clear_refs_may_protect: {
    taken:
      'he names no rule for soft-dirty, so v5.16’s: pages that may be pinned are left writable (9348b73c2e1b)',
    alternative: {
      text: 'they are write-protected like the others, at their owner’s own risk, as with mprotect',
      rules: { clear_refs_may_protect: NO_RULES.clear_refs_may_protect },
    },
  },
}

/** What remains ours once he has spoken of the swap cache. */
const { swap_in_exclusive: _, ...statedSwapIn } = ours

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
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1 under the page lock; if the lock is taken, it copies (18 Dec 2021 11:21: the page count, not the mapcount, says that there is no other user)',
    gup_flags:
      'a FOLL_PIN takes a write fault first, so that the page is its owner’s alone and stays mapped writable (18 Dec 2021 15:05: whoever wants to see the future of the page acts like a write; 18 Dec 11:21: FOLL_PIN says that one does)',
    page_try_dup_rmap: 'fork copies a page that may be pinned (17 Dec 2021 13:36, rule (b))',
    write_protect_seq:
      'a lockless pin that overlaps fork gives up (17 Dec 2021 13:36, he points to the sequence count)',
    may_add_to_swap:
      'reclaim leaves a page alone that may be pinned, before add_to_swap (18 Dec 2021 11:21, where he quotes the test)',
  },
  ours,
  promises: (reference, circumstance) => reference.pin && circumstance !== 'protected',
})

/** The variant of his first mails, in which every get_user_pages breaks COW. */
export const torvalds_get: Design = extend(torvalds, {
  name: 'torvalds+get',
  title: 'torvalds, with FOLL_GET breaking COW too',
  belief: `${belief} Here FOLL_GET breaks COW as well, as his first messages have it; in the later ones it is for those who just want to look at a page.`,
  sources,
  rules: { gup_flags: (flags) => ({ ...flags, write: true }) },
  because: { gup_flags: 'every reference takes a write fault first (17 Dec 2021 13:36, rule (a))' },
  ours,
})

/** The variant in which a pin for reading is a snapshot, and who wants more asks for write access. */
export const torvalds_snapshot: Design = extend(torvalds, {
  name: 'torvalds+snapshot',
  title: 'torvalds, with pins for reading taken as they are',
  belief: `${belief} Here a pin for reading is what it says, and goes stale when its owner writes; who wants to see the future asks for write access (17 Dec 2021 12:36, 12:45).`,
  sources: [
    ...sources,
    {
      what: 'a read-only pin that keeps the original is no bug',
      where:
        'Linus Torvalds, 17 Dec 2021 12:36 -0800, CAHk-=wgjOsHAXttQa=csLG10Cp2hh8Dk8CnNC3_WDpBpTzBESQ@mail.gmail.com',
    },
  ],
  rules: { gup_flags: v5_16.rules.gup_flags },
  because: { gup_flags: 'a reference for reading takes the page as it is (17 Dec 2021 12:36)' },
  ours,
  promises: (reference, circumstance) => reference.pin && reference.write && circumstance !== 'protected',
})

/** The variant of 13 January 2022: a write fault drops the swap cache first, and asks nothing of KSM. */
export const torvalds_jan: Design = extend(torvalds, {
  name: 'torvalds+jan',
  title: 'Linus Torvalds, 13 January 2022: trylock, leave the swap cache, count',
  belief: `${belief} Here a write fault takes the page out of the swap cache before it looks at the count, and makes no exception for KSM; both are of January 2022.`,
  sources: [
    ...sources,
    {
      what: 'trylock, else copy; try to leave the swap cache; reuse if the count is 1',
      where:
        'Linus Torvalds, 13 Jan 2022 09:44, CAHk-=wjv+beg2gRNdERANGfaGcqwDzzVD5RDD07FcrE5c6k-XA@mail.gmail.com',
    },
    {
      what: 'the tests for KSM are not needed',
      where:
        'Linus Torvalds, 13 Jan 2022 08:37, CAHk-=wjB0i-B=U-DhpAajQx3f6bp1X==neLOrg0jwq29mgz=3g@mail.gmail.com',
    },
  ],
  rules: {
    wp_can_reuse: alone_after_swap_cache,
    swap_in_exclusive: alone_when_swapped_in,
    swap_freed_before_mapping: true,
  },
  because: {
    wp_can_reuse:
      'a write fault locks the page or copies, takes it out of the swap cache if it can, and reuses it if the count is 1 (13 Jan 2022 09:44)',
    swap_in_exclusive: 'the same, where the fault swaps the page in (13 Jan 2022, of reuse_swap_page)',
    swap_freed_before_mapping: 'the same order as in the write fault',
  },
  ours: statedSwapIn,
})

/** Is ours the only reference? */
function* only_reference(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  // The kernel's test of the day: of KSM he said nothing in December.
  if (yield* PageKsm(k, pfn)) return 'copy'
  if (!(yield* page.lock.tryLock())) return 'copy'
  const alone = !(yield* PageKsm(k, pfn)) && (yield* page.refcount.is(1))
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

function* alone_after_swap_cache(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (!(yield* page.lock.tryLock())) return 'copy'
  yield* free_swap_if_unnamed(k, pfn)
  const alone = yield* page.refcount.is(1)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

function* alone_when_swapped_in(
  k: Kernel,
  vmf: Fault,
  pfn: number,
  _entry: Pte,
  copied: boolean,
): Steps<boolean> {
  return vmf.kind === 'write' && (copied || (yield* k.page[pfn]!.refcount.is(1)))
}
