/** David Hildenbrand's first series of December 2021: unshare at pin time, by mapcount. */
import type { Steps } from '../engine/index.ts'
import type { Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import type { GupFlags } from '../mm/machine.ts'
import { PageKsm } from '../mm/page_flags.ts'
import { few_mappings, swap_users_exceed } from '../mm/swapfile.ts'
import { extend, ofTheDay } from './design.ts'
import { refuse_pinned } from './refuse_pinned.ts'
import { page_count_is_one } from './v5_9.ts'
import { v5_16 } from './v5_16.ts'
import { v5_18 } from './v5_18.ts'

export const hildenbrand_v1 = extend(v5_16, {
  name: 'hildenbrand-v1',
  title: 'David Hildenbrand, 17 December 2021: unshare when a reference for reading is taken',
  belief:
    'When a reference for reading meets an anonymous page that is mapped more than once, the process first ' +
    'gets its own copy, so that what it reads cannot change hands. The copy stays read-only, and write ' +
    'faults are decided as in v5.16, by the reference count; making those exact was left to a second part.',
  sources: [
    { what: 'cover letter of the series', where: 'linux-mm, 17 Dec 2021, "mm: COW fixes part 1" (v1)' },
    { what: '06/11: support GUP-triggered unsharing via FAULT_FLAG_UNSHARE', where: 'linux-mm, 17 Dec 2021' },
    {
      what: '07/11: gup: trigger unsharing via FAULT_FLAG_UNSHARE when required',
      where: 'linux-mm, 17 Dec 2021',
    },
    { what: 'the base, do_wp_page of v5.16', where: '8f425e4ed0eb' },
  ],
  rules: { wp_can_reuse: write_or_unshare, gup_must_unshare },
  ours: {
    ...ofTheDay(
      v5_16,
      'fork_protects_first',
      'marks_pinned_mm',
      'fast_pin_in_two_steps',
      'may_add_to_swap',
      'swap_freed_after_copy',
      'clear_refs_excludes_faults',
      'clear_refs_may_protect',
      'clear_refs_flushes',
    ),
    swap_in_exclusive: {
      taken:
        'the series does not speak of write faults that swap a page in, so v5.16’s rule: mappings and swap entries are counted',
      alternative: {
        text: 'the reference count decides there as it does at other write faults (v5.18, c145e0b47c77)',
        rules: {
          swap_in_exclusive: v5_18.rules.swap_in_exclusive,
          swap_freed_before_mapping: v5_18.rules.swap_freed_before_mapping,
        },
      },
    },
    page_try_share_anon_rmap: {
      taken:
        'the series does not speak of pages that are pinned after reclaim or KSM has looked, so v5.16’s rule: their entry is taken away',
      alternative: {
        text: 'the entry is put back if the page may be pinned, tested when it is empty (as v5.19, 6c287605fd56)',
        rules: { page_try_share_anon_rmap: refuse_pinned },
      },
    },
  },
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1 (v5.16, 09854ba94c6a); an unsharing fault copies it if its mapcount is above 1 (06/11)',
    page_try_dup_rmap:
      'fork copies a page that may be pinned: left as it is, and agreed with (17 Dec 2021 21:17 +0100, 54c492d7-ddcd-dcd0-7209-efb2847adf7c@redhat.com)',
    write_protect_seq:
      'a lockless pin that overlaps fork gives up: left as it is, and relied on (18 Dec 2021 00:29 +0100, 0de1a3cb-8286-15bd-aec1-2b284bf8918a@redhat.com)',
    gup_must_unshare:
      'any reference for reading at an anonymous page with mapcount above 1 that is not KSM’s unshares it first (07/11)',
  },
  // 07/11: consistency is meant for references taken for a short time; for long ones write access is still to be
  // asked for. GUP before fork he calls another problem, solved in fork, for pins (17 Dec 2021 21:17 +0100).
  promises: ({ write, pin, longterm }, circumstance) =>
    write ? pin : !longterm && (pin || circumstance !== 'later-fork'),
})

/** As above, counting the places in swap too, as its author proposed on 18 and 19 December 2021. */
export const hildenbrand_v1_swap = extend(hildenbrand_v1, {
  name: 'hildenbrand-v1+swap',
  title: 'hildenbrand-v1, which counts swap entries as sharers too',
  belief: `${hildenbrand_v1.belief} Here a page whose place in swap is named by another process counts as shared as well.`,
  sources: [
    {
      what: 'active sharers (page tables) and inactive ones (swap entries)',
      where: 'David Hildenbrand, 18 Dec 2021 10:57 +0100, 40e7e0ab-0828-b2e7-339f-35f68a228b3d@redhat.com',
    },
  ],
  rules: { wp_can_reuse: write_or_unshare_swap, gup_must_unshare: gup_must_unshare_swap },
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1; an unsharing fault copies it if it has more than one mapping or swap entry (18 Dec 2021)',
    gup_must_unshare:
      'any reference for reading at an anonymous page with more than one mapping or swap entry unshares it first (18 Dec 2021)',
  },
  ours: hildenbrand_v1.ours,
})

function* write_or_unshare_swap(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  if (vmf.kind === 'write') return yield* page_count_is_one(k, vmf, pfn)
  if (yield* PageKsm(k, pfn)) return 'reuse'
  return (yield* page_anon_shared(k, pfn)) ? 'copy' : 'reuse'
}

function* gup_must_unshare_swap(k: Kernel, pfn: number, flags: GupFlags): Steps<boolean> {
  if (flags.write || (yield* PageKsm(k, pfn))) return false
  return yield* page_anon_shared(k, pfn)
}

/** Mappings first, then swap entries: two looks, between which a page can be swapped in. */
function* page_anon_shared(k: Kernel, pfn: number): Steps<boolean> {
  const mapped = yield* few_mappings(pfn)
  return mapped > 1 || (yield* swap_users_exceed(k, pfn, 1 - mapped))
}

function* write_or_unshare(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  if (vmf.kind === 'write') return yield* page_count_is_one(k, vmf, pfn)
  if (yield* PageKsm(k, pfn)) return 'reuse'
  return (yield* k.page[pfn]!.mapcount.exceeds(1)) ? 'copy' : 'reuse'
}

function* gup_must_unshare(k: Kernel, pfn: number, flags: GupFlags): Steps<boolean> {
  if (flags.write) return false
  if (yield* PageKsm(k, pfn)) return false
  return yield* k.page[pfn]!.mapcount.exceeds(1)
}
