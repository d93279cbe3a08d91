/** David Hildenbrand's first series of December 2021: unshare at pin time, by mapcount. */
import type { Steps } from '../engine/index.ts'
import type { Kernel, WpDecision, WpFault } from '../mm/kernel.ts'
import type { GupFlags } from '../mm/machine.ts'
import { PageKsm } from '../mm/page_flags.ts'
import { extend } from './design.ts'
import { page_count_is_one } from './v5_9.ts'
import { v5_16 } from './v5_16.ts'

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
  because: {
    wp_can_reuse:
      'a write fault reuses a page only if its reference count is 1 (v5.16, 09854ba94c6a); an unsharing fault copies it if its mapcount is above 1 (06/11)',
    gup_must_unshare:
      'any reference for reading at an anonymous page with mapcount above 1 unshares it first (07/11)',
  },
})

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
