/** v5.11: v5.9 without the race between pin and fork. */
import type { Steps } from '../engine/index.ts'
import type { Kernel } from '../mm/kernel.ts'
import { extend } from './design.ts'
import { v5_9 } from './v5_9.ts'

export const v5_11 = extend(v5_9, {
  name: 'v5.11',
  title: 'Linux v5.11 (February 2021): v5.9, with fork and lockless pins kept apart',
  belief:
    'As v5.9. A lockless pin could slip in between fork’s look at the pin count and its write protection; ' +
    'a sequence count around fork’s walk makes such a pin give up and wait for fork to end.',
  sources: [
    { what: 'mm/gup: prevent gup_fast from racing with COW during fork', where: '57efa1fe5957' },
    { what: 'mm: don’t put pinned pages into the swap cache', where: 'feb889fb40fa' },
    { what: 'mm: don’t play games with pinned pages in clear_page_refs', where: '9348b73c2e1b' },
    { what: 'mm: fix clear_refs_write locking', where: '29a951dfb3c3' },
  ],
  rules: {
    write_protect_seq: true,
    may_add_to_swap,
    clear_refs_excludes_faults: true,
    clear_refs_may_protect,
  },
  because: {
    may_add_to_swap: 'reclaim leaves a page alone that may be pinned (feb889fb40fa)',
    clear_refs_excludes_faults:
      'clear_refs holds mmap_lock for writing, so that no fault comes in between (29a951dfb3c3)',
    clear_refs_may_protect: 'clear_refs leaves a page writable that may be pinned (9348b73c2e1b)',
    write_protect_seq:
      'fork makes write_protect_seq odd around its walk, and a lockless FOLL_PIN that overlaps it gives up (57efa1fe5957)',
  },
})

/** shrink_page_list: a page that may be pinned is not given a place in swap. The pin may still come later. */
function* may_add_to_swap(k: Kernel, pfn: number): Steps<boolean> {
  return !(yield* k.page[pfn]!.pins.exceeds(0))
}

function* clear_refs_may_protect(k: Kernel, mm: number, pfn: number): Steps<boolean> {
  if (!(yield* k.mm[mm]!.has_pinned.is(1))) return true
  return !(yield* k.page[pfn]!.pins.exceeds(0))
}
