/**
 * KSM: pages that hold the same become one page, read-only for all (mm/ksm.c).
 *
 * A page is made KSM's, or given up for one that is, only after its own entry has been made
 * read-only and its reference count has shown that nobody but its mappings, the swap cache
 * and ksmd holds it. ksmd holds both pages by references of its own throughout.
 */
import { atomic, BLOCKED, call, naming, type Response, type Steps, tail, type View } from '../engine/index.ts'
import type { Kernel, WpFault } from './kernel.ts'
import { EXITED, VM_NONE, VM_WRITE, ZERO_PFN } from './machine.ts'
import { handle_mm_fault } from './memory.ts'
import { mmap_write_unlock, vma_start_write } from './mmap_lock.ts'
import { NONE, PFN, PFN_OR_0, PTE, WP_FAULT } from './names.ts'
import { get_page, lru_add_drain_all, put_page, take_reference } from './page_alloc.ts'
import { PageKsm, PageSwapCache, set_page_dirty } from './page_flags.ts'
import { ptep_get_and_clear } from './pgtable.ts'
import {
  mk_pte,
  PTE_NONE,
  type Pte,
  pte_dirty,
  pte_mkclean,
  pte_pfn,
  pte_present,
  pte_write,
  pte_wrprotect,
} from './pte.ts'
import { page_add_anon_rmap, page_remove_rmap } from './rmap.ts'
import { set_soft_dirty } from './soft_dirty.ts'
import { try_to_free_swap } from './swapfile.ts'
import { flush_tlb_page } from './tlb.ts'

/** No page: not mapped, not anonymous, or none wanted. */
const NO_PAGE = -1
/** ksmd has no processor of its own among those that run processes. */
const NO_CPU = -1

/** A virtual page of a process. */
type Spot = { readonly mm: number; readonly vpn: number }

/** ksmd: so many times at most, it merges two pages that hold the same, at any moment. */
export function* ksmd(k: Kernel, times: number, vpns: readonly number[]): Steps<void> {
  if (times === 0) return
  const chosen = yield* atomic(choose_two, vpns)
  if (chosen === 0) return
  const spots = k.mm.length * k.config.pages.length
  const [a, b] = [Math.floor((chosen - 1) / spots), (chosen - 1) % spots].map((spot) => spotOf(k, spot))
  yield* call(cmp_and_merge, a!, b!)
  return yield* tail(ksmd, times - 1, vpns)
}

function spotOf(k: Kernel, number: number): Spot {
  const pages = k.config.pages.length
  return { mm: Math.floor(number / pages), vpn: number % pages }
}

/** Any two mapped pages that hold the same now; 0 for giving up, which is always possible. */
function choose_two(view: View, k: Kernel, vpns: readonly number[]): Response {
  const { pages } = k.config
  const spots = k.mm.flatMap(({ pte }, mm) =>
    vpns.flatMap((vpn) => {
      const entry = view.get(pte[vpn]!.location)
      if (!pte_present(entry) || pte_pfn(entry) === ZERO_PFN) return []
      return [{ number: mm * pages.length + vpn, pfn: pte_pfn(entry), words: pages[vpn]!.words.length }]
    }),
  )
  const pairs = spots.flatMap((a) =>
    spots.flatMap((b) =>
      // Pages of a test that have different words are not meant to be alike.
      a.pfn !== b.pfn && a.words === b.words && identical(view, k, a.pfn, b.pfn)
        ? [[a.number, b.number]]
        : [],
    ),
  )
  const chosen = view.choose(1 + pairs.length)
  if (chosen === 0) return 0
  const [a, b] = pairs[chosen - 1]!
  return 1 + a! * k.mm.length * pages.length + b!
}

function identical(view: View, k: Kernel, a: number, b: number): boolean {
  return k.page[a]!.word.every(
    (word, w) => view.get(word.location) === view.get(k.page[b]!.word[w]!.location),
  )
}

/** ksmd comes by two pages, of which the first stays: one of the process that is running there, one of any. */
export function* merge(k: Kernel, cpu: number, vpn: number, other: Spot): Steps<void> {
  if (k.rules.shares_nothing) return
  const { mm } = k.cpu[cpu]!
  yield* call(cmp_and_merge, { mm, vpn }, other)
}

/**
 * Merges two pages that look alike (cmp_and_merge_page). If one is KSM's already, ksmd scans the
 * other, finds that one in its stable tree and puts it in the other's place. If neither is, the
 * first becomes so, and if then the second cannot be replaced, that is undone. Two pages of KSM's
 * are never merged.
 */
function* cmp_and_merge(k: Kernel, scanned: Spot, like: Spot): Steps<void> {
  yield* k.ksm_thread_mutex.lock()
  yield* lru_add_drain_all(k)
  switch (yield* atomic(which_is_stable, scanned, like)) {
    case FIRST:
      yield* call(merge_with_stable, like, scanned)
      break
    case SECOND:
      yield* call(merge_with_stable, scanned, like)
      break
    default:
      yield* call(merge_with_unstable, scanned, like)
  }
  yield* k.ksm_thread_mutex.unlock()
}

const [FIRST, SECOND] = [1, 2]

/** Which of two pages ksmd will come upon in its stable tree, if any. It knows them by their frames and takes no lock. */
function which_is_stable(view: View, k: Kernel, scanned: Spot, like: Spot): Response {
  if (ksm_page_at(view, k, scanned) !== NO_PAGE) return FIRST
  return ksm_page_at(view, k, like) !== NO_PAGE ? SECOND : 0
}

function ksm_page_at(view: View, k: Kernel, { mm, vpn }: Spot): number {
  const entry: Pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  if (!pte_present(entry) || pte_pfn(entry) === ZERO_PFN) return NO_PAGE
  return view.get(k.page[pte_pfn(entry)]!.mapping.location) === k.KSM ? pte_pfn(entry) : NO_PAGE
}

/** Puts a page of the stable tree in the place of the scanned one. A page that is KSM's finds only itself there. */
function* merge_with_stable(k: Kernel, scanned: Spot, stable: Spot): Steps<void> {
  const page = yield* call(get_mergeable_page, scanned)
  if (page === NO_PAGE) return
  if (!(yield* PageKsm(k, page))) {
    const kpage = yield* call(stable_tree_search, stable)
    if (kpage !== NO_PAGE) {
      if (yield* call(pages_identical, page, kpage)) {
        yield* call(try_to_merge_with_ksm_page, scanned, page, kpage)
      }
      yield* put_page(kpage)
    }
  }
  yield* put_page(page)
}

/**
 * The page of a node in the stable tree, with a reference (get_ksm_page, GET_KSM_PAGE_NOLOCK). The tree
 * holds no reference, and neither mmap_lock nor a page-table lock is taken: the page may have been
 * freed, or be KSM's no more, which shows in its mapping once there is a reference.
 */
function* stable_tree_search(k: Kernel, stable: Spot): Steps<number> {
  const page = (yield* atomic(find_node, stable)) - 1
  if (page === NO_PAGE || (yield* atomic(get_page_unless_zero, page)) === 0) return NO_PAGE
  if (yield* PageKsm(k, page)) return page
  yield* put_page(page)
  return NO_PAGE
}

/** The node whose page is mapped there now. */
function find_node(view: View, k: Kernel, stable: Spot): Response {
  return 1 + ksm_page_at(view, k, stable)
}

/** Waits as long as reclaim has frozen the count of a page that is in the swap cache. */
function get_page_unless_zero(view: View, k: Kernel, pfn: number): Response {
  const { refcount, swap } = k.page[pfn]!
  const count = view.get(refcount.location)
  if (count === 0) return k.slot.length > 0 && view.get(swap.location) !== 0 ? BLOCKED : 0
  view.set(refcount.location, count + 1)
  return 1
}

/** Merges two pages of which neither is KSM's. */
function* merge_with_unstable(k: Kernel, scanned: Spot, like: Spot): Steps<void> {
  const page = yield* call(get_mergeable_page, scanned)
  if (page === NO_PAGE) return
  const other = yield* call(get_mergeable_page, like)
  if (other !== NO_PAGE) {
    // The same page for both: fork made them share it.
    if (other !== page && (yield* call(pages_identical, page, other))) {
      if (!(yield* PageKsm(k, page)) && !(yield* PageKsm(k, other))) {
        yield* call(try_to_merge_two_pages, scanned, page, like, other)
      }
    }
    yield* put_page(other)
  }
  yield* put_page(page)
}

/** The anonymous page that is mapped there, with a reference (follow_page with FOLL_GET). */
function* get_mergeable_page(k: Kernel, { mm, vpn }: Spot): Steps<number> {
  const { mmap_lock } = k.mm[mm]!
  yield* mmap_lock.readLock()
  const page = (yield* find_mergeable_vma(mm, vpn)) ? yield* call(follow_page_get, mm, vpn) : NO_PAGE
  yield* mmap_lock.readUnlock()
  return page
}

/** Whether the page may be looked at: there is an area, and the process is not about to exit. mmap_lock is held. */
function* find_mergeable_vma(mm: number, vpn: number): Steps<boolean> {
  return (yield* atomic(is_mergeable, mm, vpn)) === 1
}

function is_mergeable(view: View, k: Kernel, mm: number, vpn: number): Response {
  const { state, vma } = k.mm[mm]!
  return view.get(state.location) < EXITED && view.get(vma[vpn]!.location) !== VM_NONE ? 1 : 0
}

function* follow_page_get(k: Kernel, mm: number, vpn: number): Steps<number> {
  const { ptl } = k.mm[mm]!
  yield* ptl.lock()
  const page = (yield* atomic(get_mapped, mm, vpn)) - 1
  yield* ptl.unlock()
  return page
}

function get_mapped(view: View, k: Kernel, mm: number, vpn: number): Response {
  const entry: Pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  if (!pte_present(entry) || pte_pfn(entry) === ZERO_PFN) return 0
  const taken = take_reference(view, k, pte_pfn(entry))
  return taken < 0 ? taken : 1 + pte_pfn(entry)
}

function* pages_identical(_k: Kernel, a: number, b: number): Steps<boolean> {
  return (yield* atomic(compare_pages, a, b)) === 1
}

function compare_pages(view: View, k: Kernel, a: number, b: number): Response {
  return identical(view, k, a, b) ? 1 : 0
}

function* try_to_merge_two_pages(
  _k: Kernel,
  scanned: Spot,
  page: number,
  like: Spot,
  other: number,
): Steps<void> {
  if (!(yield* call(try_to_merge_with_ksm_page, scanned, page, NO_PAGE))) return
  if (yield* call(try_to_merge_with_ksm_page, like, other, page)) return
  yield* call(break_cow, scanned)
}

/** Replaces a page by KSM's, or makes it KSM's if there is none yet. */
function* try_to_merge_with_ksm_page(k: Kernel, spot: Spot, page: number, kpage: number): Steps<boolean> {
  const { mmap_lock } = k.mm[spot.mm]!
  yield* mmap_lock.readLock()
  const merged =
    (yield* find_mergeable_vma(spot.mm, spot.vpn)) && (yield* call(try_to_merge_one_page, spot, page, kpage))
  yield* mmap_lock.readUnlock()
  return merged
}

function* try_to_merge_one_page(k: Kernel, spot: Spot, page: number, kpage: number): Steps<boolean> {
  const { lock, mapping } = k.page[page]!
  if (!(yield* lock.tryLock())) return false
  const entry = yield* call(write_protect_page, spot, page)
  let merged = false
  if (entry !== PTE_NONE) {
    if (kpage === NO_PAGE) {
      // set_page_stable_node. From here on reclaim must not take it for a page that can be dropped.
      yield* mapping.write(k.KSM)
      yield* set_page_dirty(k, page)
      merged = true
    } else if (yield* call(pages_identical, page, kpage)) {
      merged = yield* call(replace_page, spot, page, kpage, entry)
    }
  }
  yield* lock.unlock()
  return merged
}

/**
 * Makes the entry read-only and clean, unless somebody else may be using the page: looked at when
 * the entry is empty and flushed, so that nobody can take a reference through it any more.
 * An entry that is read-only and clean already is left as it is, *without looking at the count*;
 * from 6c287605fd56 on (v5.19) only if the page is not exclusive.
 * @returns the entry as it is now, or PTE_NONE if the page cannot be merged
 */
function* write_protect_page(k: Kernel, { mm, vpn }: Spot, page: number): Steps<Pte> {
  const { ptl, pte } = k.mm[mm]!
  const entry = pte[vpn]!
  yield* ptl.lock()
  const found = yield* entry.read()
  if (!pte_present(found) || pte_pfn(found) !== page) {
    yield* ptl.unlock()
    return PTE_NONE
  }
  const exclusive = k.rules.anon_exclusive && (yield* k.page[page]!.exclusive.is(1))
  let now = found
  if (pte_write(found) || pte_dirty(found) || exclusive) {
    const swapped = yield* PageSwapCache(k, page)
    const old = yield* ptep_get_and_clear(entry)
    yield* flush_tlb_page(k, mm, vpn)
    const mapped = yield* k.page[page]!.mapcount.read()
    const inUse = !(yield* k.page[page]!.refcount.is(mapped + 1 + (swapped ? 1 : 0)))
    if (inUse || !(yield* call(k.rules.page_try_share_anon_rmap, page, exclusive))) {
      yield* entry.write(old)
      yield* ptl.unlock()
      return PTE_NONE
    }
    if (pte_dirty(old)) yield* set_page_dirty(k, page)
    now = pte_mkclean(pte_wrprotect(old))
    yield* entry.write(now)
  }
  yield* ptl.unlock()
  return now
}

/** Maps KSM's page in the place of another, if the entry is still the one that was write-protected. */
function* replace_page(
  k: Kernel,
  { mm, vpn }: Spot,
  page: number,
  kpage: number,
  orig_pte: Pte,
): Steps<boolean> {
  const { ptl, pte } = k.mm[mm]!
  const entry = pte[vpn]!
  yield* ptl.lock()
  if (!(yield* entry.is(orig_pte))) {
    yield* ptl.unlock()
    return false
  }
  yield* get_page(k, kpage)
  yield* page_add_anon_rmap(mm, vpn, kpage, false)
  yield* entry.write(PTE_NONE)
  yield* flush_tlb_page(k, mm, vpn)
  yield* set_soft_dirty(k, mm, vpn, false)
  yield* entry.write(mk_pte(kpage, false))
  yield* page_remove_rmap(k, page)
  if (!(yield* k.page[page]!.mapcount.exceeds(0))) yield* try_to_free_swap(k, page)
  yield* put_page(page)
  yield* ptl.unlock()
  return true
}

/** Undoes what merging has begun: the process gets a copy of its own. */
function* break_cow(k: Kernel, spot: Spot): Steps<void> {
  const { mmap_lock } = k.mm[spot.mm]!
  yield* mmap_lock.readLock()
  if (yield* find_mergeable_vma(spot.mm, spot.vpn)) yield* call(break_ksm, NO_CPU, spot)
  yield* mmap_lock.readUnlock()
}

/** MADV_UNMERGEABLE: every page that KSM has made is replaced by a copy. */
export function* madvise_unmergeable(k: Kernel, cpu: number, vpn: number): Steps<void> {
  if (k.rules.shares_nothing) return
  const { mm } = k.cpu[cpu]!
  const { mmap_lock, vma } = k.mm[mm]!
  yield* mmap_lock.writeLock()
  if (!(yield* vma[vpn]!.is(VM_NONE))) {
    yield* vma_start_write(k, mm, vpn)
    yield* call(break_ksm, cpu, { mm, vpn })
  }
  yield* mmap_write_unlock(k, mm)
}

/**
 * A write fault, until the page is not KSM's. The reference held meanwhile makes the fault copy.
 * From 6cce3314b928 (v6.2) on an unsharing fault, and no reference.
 */
function* break_ksm(k: Kernel, cpu: number, spot: Spot): Steps<void> {
  const { mm, vpn } = spot
  if (k.rules.unmerge_unshares) return yield* tail(unshare_ksm, cpu, spot)
  const page = yield* call(follow_page_get, mm, vpn)
  if (page === NO_PAGE) return
  let broken = true
  if (yield* PageKsm(k, page)) {
    const vm_write = yield* k.mm[mm]!.vma[vpn]!.is(VM_WRITE)
    broken = yield* call(handle_mm_fault, { mm, cpu, vpn, kind: 'write', vm_write } as const)
  }
  yield* put_page(page)
  if (!broken) return yield* tail(break_ksm, cpu, spot)
}

function* unshare_ksm(k: Kernel, cpu: number, spot: Spot): Steps<void> {
  const { mm, vpn } = spot
  const { ptl, vma } = k.mm[mm]!
  yield* ptl.lock()
  const merged = (yield* atomic(maps_ksm_page, mm, vpn)) === 1
  yield* ptl.unlock()
  if (!merged) return
  const vm_write = yield* vma[vpn]!.is(VM_WRITE)
  yield* call(handle_mm_fault, { mm, cpu, vpn, kind: 'unshare', vm_write } as const)
  return yield* tail(unshare_ksm, cpu, spot)
}

function maps_ksm_page(view: View, k: Kernel, mm: number, vpn: number): Response {
  const entry: Pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  return pte_present(entry) && view.get(k.page[pte_pfn(entry)]!.mapping.location) === k.KSM ? 1 : 0
}

/**
 * v5.7 and v5.8: a write fault may keep a page of KSM's that nobody else holds. The count is frozen
 * while the page becomes anonymous again. Whoever tries to take a reference just then gets none: a
 * lockless walk takes the slow path and comes later, and ksmd finds its node stale, as it does by the
 * mapping if it comes later; so this is one step. Page lock and page-table lock are held.
 */
export function* reuse_ksm_page(_k: Kernel, vmf: WpFault, pfn: number): Steps<boolean> {
  return (yield* atomic(rehome, vmf.mm, vmf.vpn, pfn)) === 1
}

function rehome(view: View, k: Kernel, mm: number, vpn: number, pfn: number): Response {
  const { refcount, swap, mapping, index } = k.page[pfn]!
  if (view.get(swap.location) !== 0 || view.get(refcount.location) !== 1) return 0
  view.set(mapping.location, 1 + mm)
  view.set(index.location, vpn)
  return 1
}

naming(find_node, [], PFN_OR_0)
naming(stable_tree_search, [], PFN)
naming(get_mergeable_page, [], PFN)
naming(follow_page_get, [], PFN)
naming(get_mapped, [], PFN_OR_0)
naming(pages_identical, [PFN, PFN])
naming(try_to_merge_two_pages, [NONE, PFN, NONE, PFN])
naming(try_to_merge_with_ksm_page, [NONE, PFN, PFN])
naming(try_to_merge_one_page, [NONE, PFN, PFN])
naming(write_protect_page, [NONE, PFN], PTE)
naming(replace_page, [NONE, PFN, PFN, PTE])
naming(reuse_ksm_page, [WP_FAULT, PFN])
