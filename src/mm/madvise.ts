/** madvise (mm/madvise.c). */
import { call, type Steps } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE } from './machine.ts'
import { zap_page_range } from './mmap.ts'
import { lock_vma_under_rcu, vma_end_read } from './mmap_lock.ts'

/** MADV_DONTNEED: empties the page under mmap_lock for reading, or the area's lock; the next access finds zeros. */
export function* madvise_dontneed(k: Kernel, cpu: number, vpn: number): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  if (k.rules.dontneed_locks_vma && (yield* lock_vma_under_rcu(k, mm, vpn))) {
    yield* call(zap_page_range, cpu, mm, vpn)
    yield* vma_end_read(k, mm, vpn)
    return
  }
  yield* mmap_lock.readLock()
  if (!(yield* vma[vpn]!.is(VM_NONE))) yield* call(zap_page_range, cpu, mm, vpn)
  yield* mmap_lock.readUnlock()
}
