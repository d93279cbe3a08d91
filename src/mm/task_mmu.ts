/** Watching for writes: soft-dirty (fs/proc/task_mmu.c). */
import { atomic, call, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { mmap_write_unlock, vma_start_write } from './mmap_lock.ts'
import { ptep_get_and_clear } from './pgtable.ts'
import { is_swap_pte, pte_pfn, pte_present, pte_write, pte_wrprotect } from './pte.ts'
import { set_soft_dirty, watch_mm } from './soft_dirty.ts'
import { flush_tlb_mm } from './tlb.ts'

/** "4" to /proc/self/clear_refs: all pages lose their write permission, so that the next write is noticed. */
export function* clear_refs_write(k: Kernel, cpu: number): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  const exclusive = k.rules.clear_refs_excludes_faults
  if (exclusive) yield* mmap_lock.writeLock()
  else yield* mmap_lock.readLock()
  for (let vpn = 0; exclusive && vpn < vma.length; vpn++) yield* vma_start_write(k, mm, vpn)
  yield* atomic(watch, mm)
  yield* watch_mm(k, mm)
  if (!k.rules.shares_nothing) {
    for (let vpn = 0; vpn < vma.length; vpn++) yield* call(clear_soft_dirty, mm, vpn)
    if (k.rules.clear_refs_flushes) yield* flush_tlb_mm(k, mm)
  }
  if (exclusive) yield* mmap_write_unlock(k, mm)
  else yield* mmap_lock.readUnlock()
}

/** To those who hold pages it is a change of protection. */
function watch(view: View, k: Kernel, mm: number): Response {
  for (let vpn = 0; vpn < k.config.pages.length; vpn++) k.rules.hooks?.protected?.(view, k, mm, vpn)
  return 0
}

/** For a moment the entry is empty. */
function* clear_soft_dirty(k: Kernel, mm: number, vpn: number): Steps<void> {
  const { ptl, pte } = k.mm[mm]!
  yield* ptl.lock()
  const found = yield* pte[vpn]!.read()
  if (
    pte_present(found) &&
    (!pte_write(found) || (yield* call(k.rules.clear_refs_may_protect, mm, pte_pfn(found))))
  ) {
    const old = yield* ptep_get_and_clear(pte[vpn]!)
    yield* pte[vpn]!.write(pte_wrprotect(old))
    yield* set_soft_dirty(k, mm, vpn, false)
  } else if (is_swap_pte(found)) {
    yield* set_soft_dirty(k, mm, vpn, false)
  }
  yield* ptl.unlock()
}
