/**
 * What numbers name: page frames and places in swap are interchangeable, and nothing in the
 * kernel depends on which one has which number. Each file here declares what of its functions'
 * arguments and results names one (`naming` in the engine).
 */
import { fields, type Naming, type Rename, Sort } from '../engine/index.ts'
import { type Pte, pte_renamed } from './pte.ts'

export const FRAMES = new Sort('page frame')
export const SLOTS = new Sort('place in swap')

/** Names neither. */
export const NONE = undefined
/** A frame, or a number that is none (NO_PAGE, the zero page). */
export const PFN: Naming = (pfn: number, to) => to(FRAMES, pfn)
/** 1 + a frame, or 0. */
export const PFN_OR_0: Naming = (held: number, to) => (held === 0 ? 0 : 1 + to(FRAMES, held - 1))
/** A place in swap, or NO_SLOT. */
export const SLOT: Naming = (slot: number, to) => to(SLOTS, slot)
/** 1 + a place in swap, or 0. */
export const SLOT_OR_0: Naming = (held: number, to) => (held === 0 ? 0 : 1 + to(SLOTS, held - 1))
/** A page-table entry. */
export const PTE: Naming = (pte: Pte, to: Rename) =>
  pte_renamed(
    pte,
    (pfn) => to(FRAMES, pfn),
    (slot) => to(SLOTS, slot),
  )
/** `WpFault`. */
export const WP_FAULT: Naming = fields({ orig_pte: PTE })
