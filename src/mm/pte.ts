/**
 * Page-table entries, packed into one number: empty; the place in swap where the page is, with its
 * exclusive bit; or a frame that is mapped read-only or writable, and clean or dirty. The numbers of
 * the first places and of the first frames fit into a byte, which is all that a test has.
 *
 * A writable entry is made for a write and dirty, until d84887739d5c (v6.2) and c18160dba5ff
 * (v6.11) make some writable before anybody writes; there the processor sets the dirty bit. KSM
 * and reclaim look at it. The accessed bit is not kept. TLB entries have the same form.
 */
export type Pte = number

/** The empty entry. */
export const PTE_NONE: Pte = 0

/** Places in swap are numbered from 0; the machine of a test has at most this many. */
export const MAX_SWAP_SLOTS = 4

const FIRST_SWAP = 1
const FIRST_PRESENT = FIRST_SWAP + 2 * MAX_SWAP_SLOTS
/** Entries of places beyond those that a test can have, behind those of all frames. */
const FAR_SWAP = 2 ** 30

/** Places in swap are numbered up to this where there are very many. */
export const MAX_SWAP_SLOT = 2 ** 28

const CLEAN = 0
const DIRTY = 1
const WRITABLE = 2
const WRITABLE_CLEAN = 3
const KINDS = 4

/** Frames are numbered up to this, far beyond any test. */
export const MAX_PFN = Math.floor((FAR_SWAP - FIRST_PRESENT) / KINDS) - 1

/** The largest entry of a machine with so many frames besides the zero page. */
export function maxPte(frames: number): Pte {
  return FIRST_PRESENT + KINDS * frames + WRITABLE_CLEAN
}

/** A writable entry is dirty, a read-only one clean. */
export function mk_pte(pfn: number, writable: boolean): Pte {
  return FIRST_PRESENT + KINDS * pfn + (writable ? WRITABLE : CLEAN)
}

/** Whether the entry is empty. */
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

/** Whether a present entry allows writing. */
export function pte_write(pte: Pte): boolean {
  return pte_present(pte) && (pte - FIRST_PRESENT) % KINDS >= WRITABLE
}

/** Whether a present entry is dirty. */
export function pte_dirty(pte: Pte): boolean {
  if (!pte_present(pte)) return false
  const kind = (pte - FIRST_PRESENT) % KINDS
  return kind === DIRTY || kind === WRITABLE
}

/** Takes write permission from a present entry; it stays as dirty as it was. */
export function pte_wrprotect(pte: Pte): Pte {
  return pte_write(pte) ? with_kind(pte, pte_dirty(pte) ? DIRTY : CLEAN) : pte
}

/** Gives write permission to a present entry; it stays as dirty as it was. */
export function pte_mkwrite(pte: Pte): Pte {
  return pte_present(pte) ? with_kind(pte, pte_dirty(pte) ? WRITABLE : WRITABLE_CLEAN) : pte
}

/** Makes a present entry dirty; it stays as writable as it was. */
export function pte_mkdirty(pte: Pte): Pte {
  return pte_present(pte) ? with_kind(pte, pte_write(pte) ? WRITABLE : DIRTY) : pte
}

function with_kind(pte: Pte, kind: number): Pte {
  return pte - ((pte - FIRST_PRESENT) % KINDS) + kind
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

/** Whether the entry names a place in swap. */
export function is_swap_pte(pte: Pte): boolean {
  return !pte_none(pte) && !pte_present(pte)
}

/** The place in swap that a swap entry names. */
export function pte_swp_slot(pte: Pte): number {
  return pte < FAR_SWAP ? (pte - FIRST_SWAP) >> 1 : MAX_SWAP_SLOTS + ((pte - FAR_SWAP) >> 1)
}

/** Whether a swap entry belongs to this process alone (1493a1913e34). */
export function pte_swp_exclusive(pte: Pte): boolean {
  return is_swap_pte(pte) && ((pte - (pte < FAR_SWAP ? FIRST_SWAP : FAR_SWAP)) & 1) === 1
}

/** A swap entry of which nothing says any more that it belongs to this process alone; others as they are. */
export function pte_swp_clear_exclusive(pte: Pte): Pte {
  return pte_swp_exclusive(pte) ? pte - 1 : pte
}

/** The same entry for another frame, or another place in swap. */
export function pte_renamed(pte: Pte, frame: (pfn: number) => number, slot: (slot: number) => number): Pte {
  if (pte_none(pte)) return pte
  if (!pte_present(pte)) return swp_entry_to_pte(slot(pte_swp_slot(pte)), pte_swp_exclusive(pte))
  return FIRST_PRESENT + KINDS * frame(pte_pfn(pte)) + ((pte - FIRST_PRESENT) % KINDS)
}
