/** What each location of a machine is part of. */
import type { Kernel } from '../mm/kernel.ts'
import { is_swap_pte, type Pte, pte_pfn, pte_present, pte_swp_slot } from '../mm/pte.ts'

/** What a location is part of. `other` is a location that a design has added. */
export type Place =
  | { readonly kind: OfProcess; readonly mm: number }
  | { readonly kind: 'vma' | 'pte' | 'vma_lock'; readonly mm: number; readonly vpn: number }
  | { readonly kind: OfPage | 'page_lock'; readonly pfn: number }
  | { readonly kind: 'word'; readonly pfn: number; readonly word: number }
  | { readonly kind: 'slot_count' | 'slot_cache'; readonly slot: number }
  | { readonly kind: 'slot_word'; readonly slot: number; readonly word: number }
  | { readonly kind: 'ended'; readonly cpu: number }
  | { readonly kind: 'tlb'; readonly cpu: number; readonly vpn: number }
  | { readonly kind: 'ref'; readonly ref: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'anon_vma' | 'ksm_thread_mutex' | 'bookkeeping' | 'other' }

type OfProcess = (typeof OF_PROCESS)[number]
type OfPage = (typeof OF_PAGE)[number]

const OF_PROCESS = [
  'state',
  'mmap_lock',
  'ptl',
  'has_pinned',
  'write_protect_seq',
  'tlb_flush_batched',
] as const

const OF_PAGE = [
  'refcount',
  'mapcount',
  'pins',
  'exclusive',
  'lru',
  'mapping',
  'index',
  'dirty',
  'writeback',
  'swap',
] as const

const LOCKS: ReadonlySet<Place['kind']> = new Set([
  'mmap_lock',
  'vma_lock',
  'ptl',
  'page_lock',
  'anon_vma',
  'ksm_thread_mutex',
])

export function isLock({ kind }: Place): boolean {
  return LOCKS.has(kind)
}

/** Whether a page-table entry maps a frame. */
export function mapsFrame(pte: Pte, pfn: number): boolean {
  return pte_present(pte) && pte_pfn(pte) === pfn
}

/** Whether it is of a page that is in swap, at this place. */
export function namesSlot(pte: Pte, slot: number): boolean {
  return is_swap_pte(pte) && pte_swp_slot(pte) === slot
}

/** By location. */
export function placesOf(k: Kernel): Map<number, Place> {
  const places = new Map<number, Place>()
  const note = (cell: { location: number }, place: Place): void => {
    places.set(cell.location, place)
  }
  k.mm.forEach((m, mm) => {
    for (const kind of OF_PROCESS) note(m[kind], { kind, mm })
    for (const kind of ['vma', 'pte', 'vma_lock'] as const)
      m[kind].forEach((cell, vpn) => {
        note(cell, { kind, mm, vpn })
      })
  })
  k.page.forEach((page, pfn) => {
    for (const kind of OF_PAGE) note(page[kind], { kind, pfn })
    note(page.lock, { kind: 'page_lock', pfn })
    page.word.forEach((cell, word) => {
      note(cell, { kind: 'word', pfn, word })
    })
  })
  k.slot.forEach(({ count, cache, word: words }, slot) => {
    note(count, { kind: 'slot_count', slot })
    note(cache, { kind: 'slot_cache', slot })
    words.forEach((cell, word) => {
      note(cell, { kind: 'slot_word', slot, word })
    })
  })
  k.cpu.forEach(({ ended, tlb }, cpu) => {
    note(ended, { kind: 'ended', cpu })
    tlb.forEach((cell, vpn) => {
      note(cell, { kind: 'tlb', cpu, vpn })
    })
  })
  k.ref.forEach(({ page }, ref) => {
    note(page, { kind: 'ref', ref })
  })
  k.register.forEach((cell, register) => {
    note(cell, { kind: 'register', register })
  })
  k.signal.forEach((cell, signal) => {
    note(cell, { kind: 'signal', signal })
  })
  note(k.anon_vma, { kind: 'anon_vma' })
  note(k.ksm_thread_mutex, { kind: 'ksm_thread_mutex' })
  for (const cell of [k.framesUsed, k.slotsUsed, k.copies]) note(cell, { kind: 'bookkeeping' })
  return places
}
