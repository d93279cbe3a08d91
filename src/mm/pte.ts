/**
 * Page-table entries, packed into one byte: 0 is empty, else 1 + 2 × frame + writable.
 *
 * Accessed and dirty bits are not kept: for anonymous memory that is neither swapped nor
 * merged, nothing looks at them. TLB entries have the same form.
 */
export type Pte = number

export const PTE_NONE: Pte = 0

export function mk_pte(pfn: number, writable: boolean): Pte {
  return 1 + 2 * pfn + (writable ? 1 : 0)
}

export function pte_none(pte: Pte): boolean {
  return pte === PTE_NONE
}

export function pte_pfn(pte: Pte): number {
  return (pte - 1) >> 1
}

export function pte_write(pte: Pte): boolean {
  return pte !== PTE_NONE && ((pte - 1) & 1) === 1
}

export function pte_wrprotect(pte: Pte): Pte {
  return pte_none(pte) ? pte : mk_pte(pte_pfn(pte), false)
}
