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
  sources: [{ what: 'mm/gup: prevent gup_fast from racing with COW during fork', where: '57efa1fe5957' }],
  rules: { write_protect_seq: true, may_add_to_swap },
  because: {
    may_add_to_swap: 'reclaim leaves a page alone that may be pinned (feb889fb40fa)',
    write_protect_seq:
      'fork makes write_protect_seq odd around its walk, and a lockless FOLL_PIN that overlaps it gives up (57efa1fe5957)',
  },
})

/** shrink_page_list: a page that may be pinned is not given a place in swap. The pin may still come later. */
function* may_add_to_swap(k: Kernel, pfn: number): Steps<boolean> {
  return !(yield* k.page[pfn]!.pins.exceeds(0))
}
