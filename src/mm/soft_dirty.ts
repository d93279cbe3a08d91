/**
 * Whether the next write to a page must fault so that soft-dirty notices it (mm/internal.h,
 * 76aefad628aa). Until v6.0 nothing but a write fault made an entry writable, so nobody asked.
 *
 * Soft-dirty is a bit of the entry; here it has a location of its own, which changes under the
 * page-table lock as the entry does.
 */
import { atomic, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'

/** Whether anybody asks: somebody watches, and the kernel makes entries writable before they are written. */
function asked(k: Kernel): boolean {
  return k.config.softDirty && (k.rules.mprotect_restores_write || k.rules.swap_in_writable)
}

/** pte_needs_soft_dirty_wp. The page-table lock is held. */
export function* needs_soft_dirty_wp(k: Kernel, mm: number, vpn: number): Steps<boolean> {
  return asked(k) && (yield* atomic(untouched_since, mm, vpn)) === 1
}

function untouched_since(view: View, k: Kernel, mm: number, vpn: number): Response {
  const { watched, soft_dirty } = k.mm[mm]!
  return view.get(watched!.location) === 1 && view.get(soft_dirty[vpn]!.location) === 0 ? 1 : 0
}

/** The entry has been written, or is one that has not. The page-table lock is held. */
export function* set_soft_dirty(k: Kernel, mm: number, vpn: number, dirty: boolean): Steps<void> {
  if (asked(k)) yield* k.mm[mm]!.soft_dirty[vpn]!.write(dirty ? 1 : 0)
}

/** The areas are watched from now on (VM_SOFTDIRTY is taken away). mmap_lock is held for writing. */
export function* watch_mm(k: Kernel, mm: number): Steps<void> {
  if (asked(k)) yield* k.mm[mm]!.watched!.write(1)
}

/** fork: the child's entry is as soft-dirty as its parent's, and its areas are watched too. */
export function* copy_soft_dirty(k: Kernel, parent: number, child: number, vpn: number): Steps<void> {
  if (asked(k)) yield* atomic(inherit, parent, child, vpn)
}

function inherit(view: View, k: Kernel, parent: number, child: number, vpn: number): Response {
  const [from, to] = [k.mm[parent]!, k.mm[child]!]
  view.set(to.watched!.location, view.get(from.watched!.location))
  view.set(to.soft_dirty[vpn]!.location, view.get(from.soft_dirty[vpn]!.location))
  return 0
}
