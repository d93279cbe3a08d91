/** v6.18: v6.12, as far as pages of the base size go. */
import { extend } from './design.ts'
import { v6_12 } from './v6_12.ts'

export const v6_18 = extend(v6_12, {
  name: 'v6.18',
  title: 'Linux v6.18 (November 2025): v6.12, with one lock fewer in MADV_DONTNEED',
  belief:
    'As v6.12. What changed since is about large folios and how the swap cache is stored; for a page of the base ' +
    'size the steps are the same, but that MADV_DONTNEED locks its area alone.',
  sources: [{ what: 'mm: use per_vma lock for MADV_DONTNEED (v6.17)', where: 'a6fde7add78d' }],
  rules: { dontneed_locks_vma: true },
  because: {
    dontneed_locks_vma: 'MADV_DONTNEED holds the lock of its area and not mmap_lock (a6fde7add78d)',
  },
})
