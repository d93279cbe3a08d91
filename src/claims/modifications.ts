/**
 * Changes to a design that claims speak of and that no design makes: the write rule that David
 * Hildenbrand left to a second part, a check left out, a lock taken.
 */
import { refuse_pinned } from '../designs/refuse_pinned.ts'
import { only_mapping, v5_7 } from '../designs/v5_7.ts'
import { choose, type Steps } from '../engine/index.ts'
import type { Kernel, Rules, WpDecision, WpFault } from '../mm/kernel.ts'
import type { GupFlags } from '../mm/machine.ts'
import { get_page, put_page } from '../mm/page_alloc.ts'
import { PageKsm, PageSwapCache } from '../mm/page_flags.ts'
import { few_mappings, reuse_swap_page, swap_users_exceed } from '../mm/swapfile.ts'

export interface Modification {
  /** What it does, to be read after a design's name. */
  readonly title: string
  rules(base: Rules): Partial<Rules>
}

export const MODIFICATIONS: Readonly<Record<string, Modification>> = {
  'mapcount-decides-writes': {
    title: 'write faults decided by mappings and swap entries',
    rules: (base) => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        if (vmf.kind === 'unshare') return yield* base.wp_can_reuse(k, vmf, pfn)
        return yield* only_mapping(k, vmf, pfn)
      },
      swap_in_exclusive: v5_7.rules.swap_in_exclusive,
      swap_freed_before_mapping: false,
    }),
  },
  'page-lock-in-test': {
    title: 'page lock held over the unsharing test',
    rules: () => ({ unshare_test_locks_page: true }),
  },
  'swap-entries-read-first': {
    title: 'swap entries counted before mappings',
    rules: () => ({
      *gup_must_unshare(k: Kernel, pfn: number, flags: GupFlags): Steps<boolean> {
        if (flags.write || (yield* PageKsm(k, pfn))) return false
        if (yield* swap_users_exceed(k, pfn, 0)) return true
        return (yield* few_mappings(pfn)) > 1
      },
    }),
  },
  'mapcount-alone': {
    title: 'write faults decided by the mapcount, and nothing else asked',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        return (yield* k.page[pfn]!.mapcount.is(1)) ? 'reuse' : 'copy'
      },
    }),
  },
  'no-second-look': {
    title: 'no second look under the page lock',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        if ((yield* PageKsm(k, pfn)) || !(yield* k.page[pfn]!.refcount.is(1))) return 'copy'
        if (!(yield* k.page[pfn]!.lock.tryLock())) return 'copy'
        yield* k.page[pfn]!.lock.unlock()
        return 'reuse'
      },
    }),
  },
  'second-look-without-ksm': {
    title: 'KSM not asked for again under the page lock',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        const page = k.page[pfn]!
        if ((yield* PageKsm(k, pfn)) || !(yield* page.refcount.is(1))) return 'copy'
        if (!(yield* page.lock.tryLock())) return 'copy'
        const alone = (yield* page.mapcount.is(1)) && (yield* page.refcount.is(1))
        yield* page.lock.unlock()
        return alone ? 'reuse' : 'copy'
      },
    }),
  },
  'no-mapcount-test': {
    title: 'the mapcount not asked',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        const page = k.page[pfn]!
        if ((yield* PageKsm(k, pfn)) || !(yield* page.refcount.is(1))) return 'copy'
        if (!(yield* page.lock.tryLock())) return 'copy'
        const alone = !(yield* PageKsm(k, pfn)) && (yield* page.refcount.is(1))
        yield* page.lock.unlock()
        return alone ? 'reuse' : 'copy'
      },
    }),
  },
  'no-page-lock': {
    title: 'the page lock not taken',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        if (yield* PageKsm(k, pfn)) return 'copy'
        return (yield* k.page[pfn]!.refcount.is(1)) ? 'reuse' : 'copy'
      },
    }),
  },
  'no-page-lock-ksm-last': {
    title: 'the page lock not taken, and KSM asked for after the count',
    rules: () => ({
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        if (!(yield* k.page[pfn]!.refcount.is(1))) return 'copy'
        return (yield* PageKsm(k, pfn)) ? 'copy' : 'reuse'
      },
    }),
  },
  'swap-cache-reused-by-mapcount': {
    title: 'reuse_swap_page asked of pages in the swap cache',
    rules: (base) => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        if (yield* PageSwapCache(k, pfn)) {
          if (!(yield* k.page[pfn]!.lock.tryLock())) return 'copy'
          const alone = yield* reuse_swap_page(k, pfn)
          yield* k.page[pfn]!.lock.unlock()
          if (alone) return 'reuse'
        }
        return yield* base.wp_can_reuse(k, vmf, pfn)
      },
    }),
  },
  'copy-never': {
    title: 'no write fault copies',
    rules: () => ({
      *wp_can_reuse(): Steps<WpDecision> {
        return 'reuse'
      },
    }),
  },
  'no-look-after-sleeping': {
    title: 'no second look after sleeping for the page lock',
    rules: () => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        const page = k.page[pfn]!
        if (!(yield* page.lock.tryLock())) {
          yield* get_page(k, pfn)
          yield* k.mm[vmf.mm]!.ptl.unlock()
          yield* page.lock.lock()
          yield* k.mm[vmf.mm]!.ptl.lock()
          yield* put_page(pfn)
        }
        const alone = yield* reuse_swap_page(k, pfn)
        yield* page.lock.unlock()
        return alone ? 'reuse' : 'copy'
      },
    }),
  },
  'locked-means-copy': {
    title: 'a write fault copies a page that is locked',
    rules: (base) => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        const { lock } = k.page[pfn]!
        if (!(yield* lock.tryLock())) return 'copy'
        yield* lock.unlock()
        return yield* base.wp_can_reuse(k, vmf, pfn)
      },
    }),
  },
  'locked-means-sleep': {
    title: 'a write fault sleeps for a page that is locked',
    rules: () => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        const page = k.page[pfn]!
        const { ptl } = k.mm[vmf.mm]!
        if ((yield* PageKsm(k, pfn)) || !(yield* page.refcount.is(1))) return 'copy'
        if (!(yield* page.lock.tryLock())) {
          yield* get_page(k, pfn)
          yield* ptl.unlock()
          yield* page.lock.lock()
          yield* page.lock.unlock()
          yield* put_page(pfn)
          return 'retry'
        }
        const alone = !(yield* PageKsm(k, pfn)) && (yield* page.refcount.is(1))
        yield* page.lock.unlock()
        return alone ? 'reuse' : 'copy'
      },
    }),
  },
  'early-copy-stays-read-only': {
    title: 'the copy that a pin for reading gets is mapped read-only',
    rules: () => ({
      gup_flags: (flags) => flags,
      *gup_must_unshare(k: Kernel, pfn: number, { write, pin }: GupFlags): Steps<boolean> {
        return pin && !write && !(yield* k.page[pfn]!.refcount.is(1))
      },
    }),
  },
  'pins-looked-at-when-unmapped': {
    title: 'reclaim looks for pins again when it has emptied the entry',
    rules: () => ({ page_try_share_anon_rmap: refuse_pinned }),
  },
  'copy-always': {
    title: 'every write fault copies',
    rules: () => ({
      *wp_can_reuse(): Steps<WpDecision> {
        return 'copy'
      },
      *swap_in_exclusive(): Steps<boolean> {
        return false
      },
    }),
  },
  'copy-at-will': {
    title: 'every write fault copies where it likes',
    rules: (base) => ({
      *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
        if ((yield* choose(2)) === 1) return 'copy'
        return yield* base.wp_can_reuse(k, vmf, pfn)
      },
    }),
  },
}
