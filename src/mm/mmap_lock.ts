/**
 * The lock of one area, which a user's page fault takes for reading in the place of mmap_lock
 * (include/linux/mmap_lock.h; 0bff0aaea03e, v6.4). Where the rules know no such locks these
 * functions take no steps, or are those of mmap_lock.
 *
 * Who changes an area holds mmap_lock for writing and then locks the area, which waits for the
 * faults that are under way there. Letting go of mmap_lock, or keeping it for reading only,
 * unlocks all areas at once.
 */
import { atomic, BLOCKED, type Response, type Steps, type View, WRITER } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { VM_NONE } from './machine.ts'

/** Locks the area for reading, if there is one and nobody changes it; else mmap_lock is needed. */
export function* lock_vma_under_rcu(k: Kernel, mm: number, vpn: number): Steps<boolean> {
  return k.rules.per_vma_locks && (yield* atomic(try_read_vma, mm, vpn)) === 1
}

function try_read_vma(view: View, k: Kernel, mm: number, vpn: number): Response {
  const { vma, vma_lock } = k.mm[mm]!
  const { location } = vma_lock[vpn]!
  const held = view.get(location)
  if (held >= WRITER || view.get(vma[vpn]!.location) === VM_NONE) return 0
  view.set(location, held + 1)
  return 1
}

/** The fault that has begun with `vma_start_read` is over. */
export function* vma_end_read(k: Kernel, mm: number, vpn: number): Steps<void> {
  yield* k.mm[mm]!.vma_lock[vpn]!.readUnlock()
}

/** Waits until no fault is under way in the area, and keeps new ones out. mmap_lock is held for writing. */
export function* vma_start_write(k: Kernel, mm: number, vpn: number): Steps<void> {
  if (k.rules.per_vma_locks) yield* atomic(write_vma, mm, vpn)
}

function write_vma(view: View, k: Kernel, mm: number, vpn: number): Response {
  const { location } = k.mm[mm]!.vma_lock[vpn]!
  if (view.get(location) > 0) return BLOCKED
  view.set(location, WRITER + view.thread)
  return 0
}

/** Lets faults into the areas again (vma_end_write_all), and drops the lock. */
export function* mmap_write_unlock(k: Kernel, mm: number): Steps<void> {
  yield* vma_end_write_all(k, mm)
  yield* k.mm[mm]!.mmap_lock.writeUnlock()
}

/** Lets faults into the areas again, and turns the write lock into a read lock. */
export function* mmap_write_downgrade(k: Kernel, mm: number): Steps<void> {
  yield* vma_end_write_all(k, mm)
  yield* k.mm[mm]!.mmap_lock.downgrade()
}

function* vma_end_write_all(k: Kernel, mm: number): Steps<void> {
  if (k.rules.per_vma_locks) yield* atomic(end_write_all, mm)
}

function end_write_all(view: View, k: Kernel, mm: number): Response {
  for (const { location } of k.mm[mm]!.vma_lock) if (view.get(location) >= WRITER) view.set(location, 0)
  return 0
}
