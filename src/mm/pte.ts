/**
 * Page-table entries, packed into one number: empty; the place in swap where the page is, with its
 * exclusive bit; or a frame that is mapped read-only and clean, read-only and dirty, or writable.
 * The numbers of the first places and of the first frames fit into a byte, which is all that a test has.
 *
 * A writable entry is always dirty, since it is made for a write; so the processor never sets
 * the dirty bit, and read-only entries alone come both ways. KSM and reclaim look at the bit.
 * The accessed bit is not kept. TLB entries have the same form.
 */
export type Pte = number

export const PTE_NONE: Pte = 0

/** Places in swap are numbered from 0; the machine of a test has at most this many. */
export const MAX_SWAP_SLOTS = 4

const FIRST_SWAP = 1
const FIRST_PRESENT = FIRST_SWAP + 2 * MAX_SWAP_SLOTS
/** Entries of places beyond those that a test can have, behind those of all frames. */
const FAR_SWAP = 2 ** 30

/** Frames are numbered up to this, far beyond any test. */
export const MAX_PFN = Math.floor((FAR_SWAP - FIRST_PRESENT) / 3) - 1
/** Places in swap are numbered up to this where there are very many. */
export const MAX_SWAP_SLOT = 2 ** 28

const CLEAN = 0
const DIRTY = 1
const WRITABLE = 2
const KINDS = 3

/** A writable entry is dirty, a read-only one clean. */
export function mk_pte(pfn: number, writable: boolean): Pte {
  return FIRST_PRESENT + KINDS * pfn + (writable ? WRITABLE : CLEAN)
}

export function pte_none(pte: Pte): boolean {
  return pte === PTE_NONE
}

/** Whether the entry maps a frame: it is neither empty nor in swap. */
export function pte_present(pte: Pte): boolean {
  return pte >= FIRST_PRESENT && pte < FAR_SWAP
}

/** The frame that a present entry maps. */
export function pte_pfn(pte: Pte): number {
  return Math.floor((pte - FIRST_PRESENT) / KINDS)
}

export function pte_write(pte: Pte): boolean {
  return pte_present(pte) && (pte - FIRST_PRESENT) % KINDS === WRITABLE
}

export function pte_dirty(pte: Pte): boolean {
  return pte_present(pte) && (pte - FIRST_PRESENT) % KINDS !== CLEAN
}

/** Takes write permission from a present entry; it stays as dirty as it was. */
export function pte_wrprotect(pte: Pte): Pte {
  return pte_write(pte) ? pte - WRITABLE + DIRTY : pte
}

export function pte_mkdirty(pte: Pte): Pte {
  return pte_present(pte) && !pte_dirty(pte) ? pte + DIRTY : pte
}

/** A read-only entry with its dirty bit cleared. */
export function pte_mkclean(pte: Pte): Pte {
  return pte_dirty(pte) && !pte_write(pte) ? pte - DIRTY : pte
}

/** The entry of a page that is in swap. `exclusive`: it belonged to this process alone (1493a1913e34). */
export function swp_entry_to_pte(slot: number, exclusive: boolean): Pte {
  const first = slot < MAX_SWAP_SLOTS ? FIRST_SWAP : FAR_SWAP - 2 * MAX_SWAP_SLOTS
  return first + 2 * slot + (exclusive ? 1 : 0)
}

export function is_swap_pte(pte: Pte): boolean {
  return !pte_none(pte) && !pte_present(pte)
}

/** The place in swap that a swap entry names. */
export function pte_swp_slot(pte: Pte): number {
  return pte < FAR_SWAP ? (pte - FIRST_SWAP) >> 1 : MAX_SWAP_SLOTS + ((pte - FAR_SWAP) >> 1)
}

export function pte_swp_exclusive(pte: Pte): boolean {
  return is_swap_pte(pte) && ((pte - (pte < FAR_SWAP ? FIRST_SWAP : FAR_SWAP)) & 1) === 1
}

export function pte_swp_clear_exclusive(pte: Pte): Pte {
  return pte_swp_exclusive(pte) ? pte - 1 : pte
}
