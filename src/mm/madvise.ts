/** madvise (mm/madvise.c). */
import { call, type Steps } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE } from './machine.ts'
import { zap_page_range } from './mmap.ts'

/** MADV_DONTNEED: empties the page under mmap_lock for reading; the next access finds zeros. */
export function* madvise_dontneed(k: Kernel, cpu: number, vpn: number): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  yield* mmap_lock.readLock()
  if (!(yield* vma[vpn]!.is(VM_NONE))) yield* call(zap_page_range, cpu, mm, vpn)
  yield* mmap_lock.readUnlock()
}
