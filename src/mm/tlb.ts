/**
 * The translation caches (arch/x86/mm/tlb.c), one per processor.
 *
 * A user's access is two steps of hardware: the cache is looked up and the word is accessed
 * in one go; if the entry is missing or does not permit the access, the page table is walked
 * and the entry filled, and then the access is tried again. Between the two a flush may come,
 * and entries may be filled long before they are used. A walk for a store sets the dirty bit in
 * the page table, in the same step, if the entry is writable and clean.
 *
 * A processor may drop an entry whenever it likes. That matters only where a flush that should
 * have come does not, as after clear_refs before v5.12: so only there it is tried, when a store
 * is about to use an entry that permits more than the page table does.
 *
 * A flush is one step for each processor that runs the mm, in any interleaving with what the
 * others do, as an interrupt to each is; it has returned after the last. A lockless page-table
 * walk with interrupts off does not hold it up, as it does not on processors that broadcast
 * the invalidation.
 */
import { atomic, type Response, type Steps, type View } from '../engine/index.ts'
import type { Kernel } from './kernel.ts'
import { FAULTED, ZERO_PFN } from './machine.ts'
import { is_free } from './page_alloc.ts'
import {
  PTE_NONE,
  type Pte,
  pte_dirty,
  pte_mkdirty,
  pte_none,
  pte_pfn,
  pte_present,
  pte_write,
} from './pte.ts'

const MISS = 0
const HIT = 1

/** Loads a word into a register through the TLB; false if there is no entry for it. */
export function* tlb_load(cpu: number, vpn: number, word: number, register: number): Steps<boolean> {
  return (yield* atomic(load, cpu, vpn, word, register)) === HIT
}

/** Stores to a word through the TLB; false if there is no entry that permits it. */
export function* tlb_store(cpu: number, vpn: number, word: number, value: number): Steps<boolean> {
  return (yield* atomic(store, cpu, vpn, word, value)) === HIT
}

/** Walks the page table and fills the TLB; false if the walk ends in a page fault. */
export function* hardware_walk(cpu: number, vpn: number, write: boolean): Steps<boolean> {
  return (yield* atomic(walk, cpu, vpn, write)) === HIT
}

/** A processor loads a word through its TLB into a register; MISS if there is no entry. The run fails if the page is free. */
export function load(
  view: View,
  k: Kernel,
  cpu: number,
  vpn: number,
  word: number,
  register: number,
): Response {
  const entry = view.get(k.cpu[cpu]!.tlb[vpn]!.location)
  if (pte_none(entry)) return MISS
  if (is_free(view, k, pte_pfn(entry))) return view.fail(STALE)
  const page = k.page[pte_pfn(entry)]!
  view.set(k.register[register]!.location, view.get(page.word[word]!.location))
  return HIT
}

/** A processor stores a word through its TLB; MISS if it has to walk the page table first. The run fails if the page is free. */
export function store(
  view: View,
  k: Kernel,
  cpu: number,
  vpn: number,
  word: number,
  value: number,
): Response {
  const { mm, tlb } = k.cpu[cpu]!
  const entry = view.get(tlb[vpn]!.location)
  // With a clean entry the processor walks the page table again, to set the dirty bit there.
  if (!pte_write(entry) || !pte_dirty(entry)) return MISS
  if (k.config.softDirty && !pte_write(view.get(k.mm[mm]!.pte[vpn]!.location)) && view.choose(2) === 1) {
    view.set(tlb[vpn]!.location, PTE_NONE)
    return MISS
  }
  k.rules.hooks?.user_stored?.(view, k, pte_pfn(entry), word, value)
  return store_word(view, k, pte_pfn(entry), word, value)
}

/** Changes a word of a page, as part of a larger step. */
export function store_word(view: View, k: Kernel, pfn: number, word: number, value: number): Response {
  if (pfn === ZERO_PFN) return view.fail('the zero page is written')
  if (is_free(view, k, pfn)) return view.fail(STALE)
  view.set(k.page[pfn]!.word[word]!.location, value)
  return HIT
}

const STALE = 'use after free: a free page is accessed through a stale TLB entry'

function walk(view: View, k: Kernel, cpu: number, vpn: number, write: boolean): Response {
  const { mm, tlb } = k.cpu[cpu]!
  const used = walked(view, k, mm, vpn, write)
  if (pte_none(used)) return MISS
  view.set(tlb[vpn]!.location, used)
  return HIT
}

/** What a walk finds in the page table, where it may set the dirty bit; PTE_NONE if it ends in a page fault. */
export function walked(view: View, k: Kernel, mm: number, vpn: number, write: boolean): Pte {
  const pte: Pte = view.get(k.mm[mm]!.pte[vpn]!.location)
  if (!pte_present(pte) || (write && !pte_write(pte))) return PTE_NONE
  const used = write ? pte_mkdirty(pte) : pte
  if (used !== pte) view.set(k.mm[mm]!.pte[vpn]!.location, used)
  return used
}

/** Notes in a register that an access got SIGSEGV. */
export function* raise_segv(k: Kernel, register: number): Steps<void> {
  yield* k.register[register]!.write(FAULTED)
}

/** Flushes one page from the TLBs of all processors that run the mm. */
export function* flush_tlb_page(k: Kernel, mm: number, vpn: number): Steps<void> {
  for (const cpu of k.mm[mm]!.cpus) yield* k.cpu[cpu]!.tlb[vpn]!.write(PTE_NONE)
}

/** Flushes everything from the TLBs of all processors that run the mm. */
export function* flush_tlb_mm(k: Kernel, mm: number): Steps<void> {
  for (const cpu of k.mm[mm]!.cpus) yield* atomic(flush_all, cpu)
}

/**
 * Makes up for a flush that reclaim has put off, before this mm's entries are changed on the
 * strength of what they are now. The page-table lock is held.
 */
export function* flush_tlb_batched_pending(k: Kernel, mm: number): Steps<void> {
  const { tlb_flush_batched } = k.mm[mm]!
  if (k.slot.length === 0 || !(yield* tlb_flush_batched.is(1))) return
  yield* flush_tlb_mm(k, mm)
  yield* tlb_flush_batched.write(0)
}

function flush_all(view: View, k: Kernel, cpu: number): Response {
  for (const entry of k.cpu[cpu]!.tlb) view.set(entry.location, PTE_NONE)
  return 0
}
