/**
 * Mapping counts, and from a page to the entries that map it (mm/rmap.c).
 *
 * A mapcount is changed under the page-table lock of the entry concerned. `page->mapping`
 * changes under the page lock, but for a new page that nobody else can see; once a page is
 * anonymous it stays so until it is freed.
 */
import { atomic, call, naming, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { NONE, PFN, SLOT } from './names.ts'
import { put_page } from './page_alloc.ts'
import { set_page_dirty } from './page_flags.ts'
import { ptep_get_and_clear } from './pgtable.ts'
import { type Pte, pte_dirty, pte_pfn, pte_present, swp_entry_to_pte } from './pte.ts'
import { swap_duplicate, swap_free } from './swapfile.ts'
import { flush_tlb_page } from './tlb.ts'

/** A new page gets its first mapping; nobody else can see it yet. */
export function* page_add_new_anon_rmap(mm: number, vpn: number, pfn: number): Steps<void> {
  yield* atomic(add_new_anon_rmap, mm, vpn, pfn)
}

function add_new_anon_rmap(view: View, k: Kernel, mm: number, vpn: number, pfn: number): Response {
  const page = k.page[pfn]!
  view.set(page.mapcount.location, 1)
  if (k.rules.anon_exclusive) view.set(page.exclusive.location, 1)
  if (k.reverse_maps) {
    view.set(page.mapping.location, 1 + mm)
    view.set(page.index.location, vpn)
  }
  return 0
}

/** One more mapping of a page that is mapped. */
export function* page_dup_rmap(k: Kernel, pfn: number): Steps<void> {
  yield* k.page[pfn]!.mapcount.add(1)
}

/** One mapping less. */
export function* page_remove_rmap(k: Kernel, pfn: number): Steps<void> {
  yield* k.page[pfn]!.mapcount.add(-1)
}

/**
 * One more mapping of a page that others may know: swap-in, or a page that KSM has made. A page
 * that is not anonymous yet becomes so; unless it is exclusive it then belongs to the root of the
 * anon_vma tree, so that a walk finds everybody who may have it (__page_set_anon_rmap).
 */
export function* page_add_anon_rmap(mm: number, vpn: number, pfn: number, exclusive: boolean): Steps<void> {
  yield* atomic(add_anon_rmap, mm, vpn, pfn, exclusive)
}

function add_anon_rmap(
  view: View,
  k: Kernel,
  mm: number,
  vpn: number,
  pfn: number,
  exclusive: boolean,
): Response {
  const { mapcount, mapping, index, exclusive: bit } = k.page[pfn]!
  view.set(mapcount.location, view.get(mapcount.location) + 1)
  if (exclusive && k.rules.anon_exclusive) view.set(bit.location, 1)
  if (view.get(mapping.location) !== 0) return 0
  view.set(mapping.location, 1 + (exclusive ? mm : 0))
  view.set(index.location, vpn)
  return 0
}

/**
 * The sole owner of a page makes it its own again: a reverse-mapping walk need look nowhere
 * else. Sets PageAnonExclusive where there is one (6c287605fd56). The page lock is held.
 */
export function* page_move_anon_rmap(k: Kernel, mm: number, pfn: number): Steps<void> {
  if (k.rules.anon_exclusive || k.reverse_maps) yield* atomic(move_anon_rmap, mm, pfn)
}

function move_anon_rmap(view: View, k: Kernel, mm: number, pfn: number): Response {
  const { mapping, exclusive } = k.page[pfn]!
  if (k.reverse_maps) view.set(mapping.location, 1 + mm)
  if (k.rules.anon_exclusive) view.set(exclusive.location, 1)
  return 0
}

/**
 * Takes a page out of every page table that maps it and puts its place in swap there. The page
 * lock is held, so that the place stays the page's; the anon_vma lock keeps fork from adding
 * a process that the walk has passed.
 * @param cpu the processor that reclaims, -1 for kswapd's
 * @returns what is still to be flushed
 */
export function* try_to_unmap(k: Kernel, cpu: number, pfn: number, slot: number): Steps<Unflushed> {
  yield* k.anon_vma.readLock()
  const where = yield* atomic(read_rmap, pfn)
  let unflushed = FLUSHED
  for (const [mm, vpn] of mappingsOf(k, where)) {
    const outcome = yield* call(try_to_unmap_one, cpu, mm, vpn, pfn, slot)
    if (outcome === FAILED) break
    if (outcome !== DONE) {
      unflushed = {
        mms: unflushed.mms | (1 << mm),
        writable: unflushed.writable || outcome === DEFERRED_DIRTY,
      }
    }
  }
  yield* k.anon_vma.readUnlock()
  return unflushed
}

/** Flushes that reclaim has put off (`struct tlbflush_unmap_batch`). */
export type Unflushed = {
  /** The processes whose TLBs are to be flushed, a bit each. */
  readonly mms: number
  /** One of the entries was dirty, so there may still be stores through them. */
  readonly writable: boolean
}
/** Nothing is left to be flushed. */
export const FLUSHED: Unflushed = { mms: 0, writable: false }

/** `mapping` and `index` in one number; the page lock keeps them as they are. */
function read_rmap(view: View, k: Kernel, pfn: number): Response {
  const { mapping, index } = k.page[pfn]!
  const to = view.get(mapping.location)
  return to * k.config.pages.length + (to === k.KSM ? 0 : view.get(index.location))
}

/** Where a page may be mapped: in the process of its anon_vma and its descendants, the eldest first; KSM's page anywhere. */
function mappingsOf(k: Kernel, where: number): [number, number][] {
  const mapping = Math.floor(where / k.config.pages.length)
  const index = where % k.config.pages.length
  if (mapping === 0) return []
  if (mapping !== k.KSM) return k.mm[mapping - 1]!.descendants.map((mm) => [mm, index])
  return k.mm.flatMap((_, mm) => k.config.pages.map((_page, vpn): [number, number] => [mm, vpn]))
}

const DONE = 0
const DEFERRED = 1
const DEFERRED_DIRTY = 2
const FAILED = 3

/**
 * Empties one entry, if it maps the page, and looks only then whether that was right: nobody
 * can take a reference through it any more. If the page must stay, the entry is put back.
 */
function* try_to_unmap_one(
  k: Kernel,
  cpu: number,
  mm: number,
  vpn: number,
  pfn: number,
  slot: number,
): Steps<number> {
  const { ptl, pte, cpus, tlb_flush_batched } = k.mm[mm]!
  // Looked at without the lock (page_vma_mapped_walk): an entry that is empty for a moment is passed by.
  if (!(yield* atomic(maps, mm, vpn, pfn))) return DONE
  yield* ptl.lock()
  const found = yield* pte[vpn]!.read()
  if (!pte_present(found) || pte_pfn(found) !== pfn) {
    yield* ptl.unlock()
    return DONE
  }
  const exclusive = k.rules.anon_exclusive && (yield* k.page[pfn]!.exclusive.is(1))
  const old = yield* ptep_get_and_clear(pte[vpn]!)
  // should_defer_flush: where another processor may use the entry, one flush will do for many pages.
  const deferred = cpus.some((other) => other !== cpu) && !(exclusive && k.rules.flushes_exclusive_at_once)
  if (deferred) yield* tlb_flush_batched.write(1)
  else yield* flush_tlb_page(k, mm, vpn)
  if (pte_dirty(old)) yield* set_page_dirty(k, pfn)

  yield* swap_duplicate(slot)
  if (!(yield* call(k.rules.page_try_share_anon_rmap, pfn, exclusive))) {
    yield* swap_free(slot)
    yield* pte[vpn]!.write(old)
    yield* ptl.unlock()
    return FAILED
  }
  yield* pte[vpn]!.write(swp_entry_to_pte(slot, exclusive && k.rules.swp_exclusive))
  yield* page_remove_rmap(k, pfn)
  yield* put_page(pfn)
  yield* ptl.unlock()
  if (!deferred) return DONE
  return pte_dirty(old) ? DEFERRED_DIRTY : DEFERRED
}

function maps(view: View, k: Kernel, mm: number, vpn: number, pfn: number): Response {
  const entry: Pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  return pte_present(entry) && pte_pfn(entry) === pfn ? 1 : 0
}

naming(try_to_unmap, [NONE, PFN, SLOT])
naming(try_to_unmap_one, [NONE, NONE, NONE, PFN, SLOT])
