/** Mapping counts (mm/rmap.c). Each is changed under the page-table lock of the entry concerned. */
import { atomic, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'

/** A new page gets its first mapping; nobody else can see it yet. */
export function* page_add_new_anon_rmap(pfn: number): Steps<void> {
  yield* atomic(add_new_anon_rmap, pfn)
}

function add_new_anon_rmap(view: View, k: Kernel, pfn: number): Response {
  const page = k.page[pfn]!
  view.set(page.mapcount.location, 1)
  if (k.rules.anon_exclusive) view.set(page.exclusive.location, 1)
  return 0
}

export function* page_dup_rmap(k: Kernel, pfn: number): Steps<void> {
  yield* k.page[pfn]!.mapcount.add(1)
}

export function* page_remove_rmap(k: Kernel, pfn: number): Steps<void> {
  yield* k.page[pfn]!.mapcount.add(-1)
}

/**
 * The sole owner of a page makes it its own again; sets PageAnonExclusive where there is one
 * (6c287605fd56). The page lock is held.
 */
export function* page_move_anon_rmap(k: Kernel, pfn: number): Steps<void> {
  if (k.rules.anon_exclusive) yield* k.page[pfn]!.exclusive.write(1)
}
