/**
 * The kernel: a machine and the rules that run it.
 *
 * `Rules` is what the kernel's generations and the proposals differ in, and nothing else. The
 * paths in this folder are common to all of them and take the kernel as their first argument;
 * where the generations part, they ask its rules, which are in `src/designs`.
 */
import { type Naming, naming, type Steps, type ThreadSpec, type View } from '../engine/index.ts'
import { type GupFlags, Machine, type MachineConfig } from './machine.ts'
import { NONE, PFN, PTE, WP_FAULT } from './names.ts'
import type { Pte } from './pte.ts'

/** A page fault being handled: `struct vm_fault`. */
export type Fault = {
  readonly mm: number
  /** The processor that handles it. */
  readonly cpu: number
  readonly vpn: number
  /** FAULT_FLAG_WRITE, FAULT_FLAG_UNSHARE, or neither. */
  readonly kind: 'read' | 'write' | 'unshare'
  /** Whether the area is writable (VM_WRITE); stable while mmap_lock is held. */
  readonly vm_write: boolean
}

/** A fault at a present, read-only entry, with the entry that was read before the lock was taken. */
export type WpFault = Fault & {
  readonly orig_pte: Pte
}

/**
 * What do_wp_page is to do:
 * `reuse` the page (the page-table lock is held), `copy` it (held), or return, since the entry
 * changed while the lock was dropped (`retry`, not held).
 */
export type WpDecision = 'reuse' | 'copy' | 'retry'

export interface Rules {
  /**
   * do_wp_page: may this write (or unshare) fault keep the anonymous page that it found?
   * Entered with mmap_lock held for reading, the page-table lock held and the entry verified.
   */
  wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision>

  /**
   * fork: may the child share this page? Raises the mapcount if it may; tells false if the
   * child must have a copy now. Entered with the parent's mmap_lock held for writing, both
   * page-table locks held, and a reference for the child's mapping already taken.
   */
  page_try_dup_rmap(k: Kernel, mm: number, pfn: number): Steps<boolean>

  /** fork write-protects the parent's entry before it raises the counts (to v5.8), not after (from v5.9). */
  readonly fork_protects_first: boolean

  /**
   * The yardstick only: fork copies every page instead of sharing it, and a lockless walk finds
   * and grabs its page in one step.
   */
  readonly shares_nothing: boolean

  /** get_user_pages: the flags that the page-table walks really use. */
  gup_flags(flags: GupFlags): GupFlags

  /**
   * get_user_pages at a read-only entry without FOLL_WRITE: must the owner get its own copy first?
   * Slow: under the page-table lock. Fast: after the page was grabbed and the entry read again.
   */
  gup_must_unshare(k: Kernel, pfn: number, flags: GupFlags): Steps<boolean>

  /**
   * No kernel's and no proposal's, but what the message of 17 December 2021 asks for: the page lock
   * is held while gup_must_unshare is asked and until the answer has been acted on.
   */
  readonly unshare_test_locks_page: boolean

  /**
   * A user's page fault holds the lock of its area for reading, and mmap_lock only where that cannot be
   * had (0bff0aaea03e, v6.4). Who changes an area locks it for writing.
   */
  readonly per_vma_locks: boolean

  /** fork locks each of the parent's areas before it copies its page table (fb49c455323f, v6.5, 6.4.3). */
  readonly fork_locks_vmas: boolean

  /** MADV_DONTNEED holds the lock of its area and not mmap_lock, where it can (a6fde7add78d, v6.17). */
  readonly dontneed_locks_vma: boolean

  /** FOLL_PIN marks the mm (`has_pinned`) before it looks at any page. */
  readonly marks_pinned_mm: boolean

  /** fork makes `write_protect_seq` odd around its walk, and a fast FOLL_PIN that overlaps it gives up. */
  readonly write_protect_seq: boolean

  /**
   * A fast FOLL_PIN raises the reference count and the pin count in two steps, so that for a
   * moment the page does not look pinned (c24d37322548, from v5.14), not in one.
   */
  readonly fast_pin_in_two_steps: boolean

  /**
   * Reclaim, before it gives an anonymous page a place in swap (`add_to_swap`): may it, or must a page
   * that may be pinned stay? Under the page lock.
   */
  may_add_to_swap(k: Kernel, pfn: number): Steps<boolean>

  /**
   * Reclaim and KSM, when they have emptied an entry that maps the page: may the page be shared from
   * now on? False if it may be pinned; then the entry is put back. Clears PageAnonExclusive, if
   * it was set. Under the page lock and the page-table lock.
   */
  page_try_share_anon_rmap(k: Kernel, pfn: number, exclusive: boolean): Steps<boolean>

  /** Reclaim does not put off the TLB flush of an exclusive page's entry (6c287605fd56; to v6.0, 088b8aa537c2). */
  readonly flushes_exclusive_at_once: boolean

  /** A swap entry remembers whether its page was exclusive (1493a1913e34). */
  readonly swp_exclusive: boolean

  /**
   * do_swap_page: may the process that swaps the page in have it to itself, to write to if it
   * wants to? Under the page lock and the page-table lock, the entry verified.
   * @param entry the swap entry
   * @param copied KSM has made it a copy that nobody else knows
   */
  swap_in_exclusive(k: Kernel, vmf: Fault, pfn: number, entry: Pte, copied: boolean): Steps<boolean>

  /**
   * do_swap_page gives up the entry's claim on the place in swap, and perhaps the place, before it
   * asks `swap_in_exclusive` (c145e0b47c77, v5.18), not after it has mapped the page.
   */
  readonly swap_freed_before_mapping: boolean

  /**
   * do_swap_page counts its mapping first, then gives up the entry's claim on the place in swap, sets
   * the entry, and lets a writer's page leave the swap cache last (4b34f1d82c65, v7.0).
   */
  readonly swap_freed_after_counting: boolean

  /**
   * do_swap_page lets a writer's page leave the swap cache if it is exclusive, whoever else may hold
   * it, not if the swap cache seems to be the only other one that does (v7.3).
   */
  readonly swap_cache_left_if_exclusive: boolean

  /** do_swap_page, when it finds that the page is not wanted any more, tries to free its place in swap (v7.0). */
  readonly swap_cache_left_on_giving_up: boolean

  /** do_swap_page maps an exclusive page writable when it is only read, too (c18160dba5ff, v6.11). */
  readonly swap_in_writable: boolean

  /** mprotect gives the entry of an exclusive page its write permission back, if it is dirty (64fe24a3e05e, v6.0). */
  readonly mprotect_restores_write: boolean

  /** mprotect does so at a clean entry, too (d84887739d5c, v6.2). */
  readonly mprotect_restores_clean: boolean

  /**
   * A long-term FOLL_PIN for reading at the zero page has it replaced by a page of the process's own
   * first (84209e87c696, 8d6a0ac09a16: v6.2).
   */
  readonly zero_page_unshared: boolean

  /** MADV_UNMERGEABLE gets its copies by unsharing faults, not by write faults (6cce3314b928, v6.2). */
  readonly unmerge_unshares: boolean

  /** A write fault that has copied a page tries to free the old one's place in swap (f4c4a3f48480, v5.14). */
  readonly swap_freed_after_copy: boolean

  /** clear_refs holds mmap_lock for writing, not for reading (29a951dfb3c3). */
  readonly clear_refs_excludes_faults: boolean

  /**
   * clear_refs flushes the TLBs before it returns. Until 912efa17e512 it only seemed to: the flush
   * was left out as nothing had been unmapped (0758cd830494).
   */
  readonly clear_refs_flushes: boolean

  /**
   * clear_refs at a writable page: may it take write permission away? Under the page-table lock.
   */
  clear_refs_may_protect(k: Kernel, mm: number, pfn: number): Steps<boolean>

  /** Pages carry PageAnonExclusive: set for a new page, cleared when it is shared. */
  readonly anon_exclusive: boolean

  /** A read fault at untouched anonymous memory maps the zero page. */
  readonly zero_page: boolean

  /** lru_add_drain at a write fault whose page waits in this processor's batch (v5.18). */
  readonly wp_drains_batch: boolean

  /** do_swap_page does not drain the batch any more, do_wp_page still does (v7.3). */
  readonly swap_in_keeps_batch: boolean

  /** What only the yardstick needs; see `src/designs/promise.ts`. */
  readonly hooks?: Hooks
}

/** Where a design may look on and add to what happens. Each runs as part of the step that it belongs to. */
export interface Hooks {
  /** Adds locations of its own, at the end of the layout. */
  layout?(k: Machine): void
  /** Threads that act beside the program's. */
  readonly daemons?: readonly ThreadSpec[]
  /** A page is grabbed for a reference, or let go. */
  grabbed?(view: View, k: Kernel, ref: number, pfn: number): void
  released?(view: View, k: Kernel, ref: number): void
  /** A child is born; everything has been copied for it. */
  forked?(view: View, k: Kernel, parent: number, child: number): void
  fork_done?(view: View, k: Kernel, parent: number): void
  /** The owner changes the protection of a page. */
  protected?(view: View, k: Kernel, mm: number, vpn: number): void
  /** A program stores to a page through its mapping. */
  user_stored?(view: View, k: Kernel, pfn: number, word: number, value: number): void
  /** A device stores to a page through a reference. */
  device_stored?(view: View, k: Kernel, ref: number, word: number, value: number): void
}

/** What the arguments of a design's rules name, whoever writes them. */
const RULE_ARGUMENTS = {
  wp_can_reuse: [WP_FAULT, PFN],
  page_try_dup_rmap: [NONE, PFN],
  gup_must_unshare: [PFN],
  may_add_to_swap: [PFN],
  page_try_share_anon_rmap: [PFN],
  swap_in_exclusive: [NONE, PFN, PTE],
  clear_refs_may_protect: [NONE, PFN],
} satisfies { readonly [rule in keyof Rules]?: readonly (Naming | undefined)[] }

export class Kernel extends Machine {
  constructor(
    config: MachineConfig,
    readonly rules: Rules,
  ) {
    super(config, rules.anon_exclusive, rules.per_vma_locks)
    for (const [rule, args] of Object.entries(RULE_ARGUMENTS))
      naming(rules[rule as keyof typeof RULE_ARGUMENTS], args)
    rules.hooks?.layout?.(this)
  }
}
