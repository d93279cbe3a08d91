/** v5.19: the page itself says whether it is exclusive. */
import type { Steps } from '../engine/index.ts'
import type { Fault, Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import type { GupFlags } from '../mm/machine.ts'
import { PageKsm } from '../mm/page_flags.ts'
import { type Pte, pte_swp_exclusive } from '../mm/pte.ts'
import { page_dup_rmap } from '../mm/rmap.ts'
import { type Circumstance, extend } from './design.ts'
import { count_after_draining, v5_18 } from './v5_18.ts'

export const v5_19 = extend(v5_18, {
  name: 'v5.19',
  title: 'Linux v5.19 (July 2022): PageAnonExclusive',
  belief:
    'A bit on the page says that it belongs to one process alone. While it is set, write faults reuse the ' +
    'page whatever its reference count; only such a page may be pinned, and a pin keeps the bit from being ' +
    'cleared, so fork copies instead. A FOLL_PIN at a shared page first gives the process its own copy. ' +
    'FOLL_GET is promised nothing once its owner forks.',
  sources: [
    { what: 'mm: remember exclusively mapped anonymous pages with PG_anon_exclusive', where: '6c287605fd56' },
    { what: 'mm/swap: remember PG_anon_exclusive via a swp pte bit', where: '1493a1913e34' },
    { what: 'mm: support GUP-triggered unsharing of anonymous pages', where: 'c89357e27f20' },
    {
      what: 'mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared anonymous page',
      where: 'a7f226604170',
    },
  ],
  rules: {
    wp_can_reuse: exclusive_or_alone,
    page_try_dup_rmap: page_try_dup_anon_rmap,
    gup_must_unshare,
    anon_exclusive: true,
    page_try_share_anon_rmap,
    flushes_exclusive_at_once: true,
    swp_exclusive: true,
    swap_in_exclusive: exclusive_entry_or_alone,
  },
  because: {
    wp_can_reuse:
      'a write fault reuses an exclusive page whatever its reference count, and any other only if that is 1 (6c287605fd56)',
    page_try_dup_rmap:
      'fork clears the exclusive bit when it shares a page, and copies an exclusive page that may be pinned (6c287605fd56)',
    gup_must_unshare:
      'a FOLL_PIN for reading at a page that is not exclusive unshares it first (a7f226604170)',
    anon_exclusive: 'new pages are exclusive (6c287605fd56)',
    page_try_share_anon_rmap:
      'reclaim and KSM leave an exclusive page mapped if it may be pinned, which they ask when its entry is empty already (6c287605fd56)',
    flushes_exclusive_at_once:
      'reclaim flushes at once when it has emptied the entry of an exclusive page (6c287605fd56)',
    swp_exclusive: 'a swap entry remembers that its page was exclusive (1493a1913e34)',
    swap_in_exclusive:
      'a swapped-in page is exclusive if its entry says so, or if its reference count is 1 (1493a1913e34)',
  },
  promises: (reference: GupFlags, circumstance: Circumstance) =>
    reference.pin || (reference.write && circumstance !== 'later-fork'),
})

function* exclusive_or_alone(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  if (yield* k.page[pfn]!.exclusive.is(1)) return 'reuse'
  return yield* count_after_draining(k, vmf, pfn)
}

function* page_try_dup_anon_rmap(k: Kernel, mm: number, pfn: number): Steps<boolean> {
  const page = k.page[pfn]!
  if (yield* page.exclusive.is(1)) {
    if (yield* k.mm[mm]!.has_pinned.is(1)) {
      if (yield* page.pins.exceeds(0)) return false
    }
    yield* page.exclusive.write(0)
  }
  yield* page_dup_rmap(k, pfn)
  return true
}

function* gup_must_unshare(k: Kernel, pfn: number, flags: GupFlags): Steps<boolean> {
  if (!flags.pin || flags.write) return false
  return !(yield* k.page[pfn]!.exclusive.is(1))
}

/** The entry is empty already: a pin that is not counted yet will find that out. */
function* page_try_share_anon_rmap(k: Kernel, pfn: number, exclusive: boolean): Steps<boolean> {
  if (!exclusive) return true
  const page = k.page[pfn]!
  if (yield* page.pins.exceeds(0)) return false
  yield* page.exclusive.write(0)
  return true
}

function* exclusive_entry_or_alone(
  k: Kernel,
  _vmf: Fault,
  pfn: number,
  entry: Pte,
  copied: boolean,
): Steps<boolean> {
  if (yield* PageKsm(k, pfn)) return false
  return copied || pte_swp_exclusive(entry) || (yield* k.page[pfn]!.refcount.is(1))
}
