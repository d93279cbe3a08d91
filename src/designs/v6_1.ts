/** v6.1: v5.19, with fewer flushes and fewer faults. */
import { extend } from './design.ts'
import { v5_19 } from './v5_19.ts'

export const v6_1 = extend(v5_19, {
  name: 'v6.1',
  title: 'Linux v6.1 (December 2022): PageAnonExclusive, trusted by mprotect too',
  belief:
    'As v5.19. Since an exclusive page would be reused whatever its reference count, mprotect may give its ' +
    'entry write permission back and spare the fault; and barriers, where needed, make up for the TLB flush ' +
    'that reclaim owed exclusive pages. Read in 6.1.176.',
  sources: [
    {
      what: 'mm/mprotect: try avoiding write faults for exclusive anonymous pages when changing protection (v6.0)',
      where: '64fe24a3e05e',
    },
    {
      what: 'mm: fix PageAnonExclusive clearing racing with concurrent RCU GUP-fast (v6.1)',
      where: '088b8aa537c2',
    },
  ],
  rules: { mprotect_restores_write: true, flushes_exclusive_at_once: false },
  because: {
    mprotect_restores_write:
      'mprotect makes the dirty entry of an exclusive page writable again, as a write fault would (64fe24a3e05e, v6.0)',
    flushes_exclusive_at_once:
      'reclaim may put off the flush of an exclusive page’s entry too: a lockless pin looks at the entry again (088b8aa537c2)',
  },
})
