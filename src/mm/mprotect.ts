/** mprotect (mm/mprotect.c, f45ec5ff16a7 to 4a18419f71cd: v5.7 to v5.19). */
import { atomic, call, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE, VM_READ, VM_WRITE } from './machine.ts'
import { PTE_NONE, pte_present, pte_wrprotect } from './pte.ts'
import { flush_tlb_batched_pending, flush_tlb_page } from './tlb.ts'

/**
 * Changes what the area permits. For private memory the entry loses its write permission in
 * both directions, so the next write faults; to v5.19 nothing gives it back early.
 */
export function* mprotect_fixup(k: Kernel, cpu: number, vpn: number, writable: boolean): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  const prot = writable ? VM_WRITE : VM_READ
  yield* mmap_lock.writeLock()
  const before = yield* vma[vpn]!.read()
  if (before !== VM_NONE && before !== prot) {
    yield* atomic(protect, mm, vpn, prot)
    if (yield* call(change_pte_range, mm, vpn)) yield* flush_tlb_page(k, mm, vpn)
  }
  yield* mmap_lock.writeUnlock()
}

function protect(view: View, k: Kernel, mm: number, vpn: number, prot: number): Response {
  view.set(k.mm[mm]!.vma[vpn]!.location, prot)
  k.rules.hooks?.protected?.(view, k, mm, vpn)
  return 0
}

/** Takes write permission from one entry; for a moment the entry is empty. Tells whether there was one. */
function* change_pte_range(k: Kernel, mm: number, vpn: number): Steps<boolean> {
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  yield* call(flush_tlb_batched_pending, mm)
  const old = yield* pte[vpn]!.read()
  if (pte_present(old)) {
    yield* pte[vpn]!.write(PTE_NONE)
    yield* pte[vpn]!.write(pte_wrprotect(old))
  }
  yield* ptl.unlock()
  return pte_present(old)
}
