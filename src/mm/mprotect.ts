/** mprotect (mm/mprotect.c, f45ec5ff16a7 to 4a18419f71cd: v5.7 to v5.19; 64fe24a3e05e: v6.0, and later as below). */
import { atomic, call, naming, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE, VM_READ, VM_WRITE, ZERO_PFN } from './machine.ts'
import { mmap_write_unlock, vma_start_write } from './mmap_lock.ts'
import { NONE, PTE } from './names.ts'
import { ptep_get_and_clear } from './pgtable.ts'
import { type Pte, pte_dirty, pte_mkwrite, pte_pfn, pte_present, pte_wrprotect } from './pte.ts'
import { needs_soft_dirty_wp } from './soft_dirty.ts'
import { flush_tlb_batched_pending, flush_tlb_page } from './tlb.ts'

/**
 * Changes what the area permits. For private memory the entry loses its write permission in
 * both directions, so the next write faults, unless the page is exclusive (from v6.0 on).
 */
export function* mprotect_fixup(k: Kernel, cpu: number, vpn: number, writable: boolean): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  const prot = writable ? VM_WRITE : VM_READ
  yield* mmap_lock.writeLock()
  const before = yield* vma[vpn]!.read()
  if (before !== VM_NONE && before !== prot) {
    yield* vma_start_write(k, mm, vpn)
    yield* atomic(protect, mm, vpn, prot)
    if (yield* call(change_pte_range, mm, vpn, writable)) yield* flush_tlb_page(k, mm, vpn)
  }
  yield* mmap_write_unlock(k, mm)
}

function protect(view: View, k: Kernel, mm: number, vpn: number, prot: number): Response {
  view.set(k.mm[mm]!.vma[vpn]!.location, prot)
  k.rules.hooks?.protected?.(view, k, mm, vpn)
  return 0
}

/** Takes write permission from one entry, or gives it back; for a moment the entry is empty. Tells whether there was one. */
function* change_pte_range(k: Kernel, mm: number, vpn: number, writable: boolean): Steps<boolean> {
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  yield* call(flush_tlb_batched_pending, mm)
  const present = pte_present(yield* pte[vpn]!.read())
  if (present) {
    const old = yield* ptep_get_and_clear(pte[vpn]!)
    const now = pte_wrprotect(old)
    const restored = writable && (yield* call(can_change_pte_writable, mm, vpn, now))
    yield* pte[vpn]!.write(restored ? pte_mkwrite(now) : now)
  }
  yield* ptl.unlock()
  return present
}

/**
 * Whether a write fault at this entry would only make it writable, so that it can be spared
 * (64fe24a3e05e, v6.0; the area is writable). Until d84887739d5c (v6.2) a clean entry was left to the fault.
 */
function* can_change_pte_writable(k: Kernel, mm: number, vpn: number, now: Pte): Steps<boolean> {
  const { mprotect_restores_write, mprotect_restores_clean } = k.rules
  if (!mprotect_restores_write || pte_pfn(now) === ZERO_PFN) return false
  if (!pte_dirty(now) && !mprotect_restores_clean) return false
  if (yield* needs_soft_dirty_wp(k, mm, vpn)) return false
  return yield* k.page[pte_pfn(now)]!.exclusive.is(1)
}

naming(can_change_pte_writable, [NONE, NONE, PTE])
