/**
 * Changing an entry that the processor may change too: it sets the dirty bit of a writable entry
 * that is clean, whoever holds the page-table lock (include/linux/pgtable.h). One step each.
 */
import { atomic, type Cell, naming, type Response, type Steps, type View } from '../engine/index.ts'
import { PTE } from './names.ts'
import { PTE_NONE, type Pte, pte_wrprotect } from './pte.ts'

/** Empties the entry; from then on the processor finds nothing to set a bit in. Returns what it was. */
export function* ptep_get_and_clear(entry: Cell): Steps<Pte> {
  return yield* atomic(get_and_clear, entry.location)
}

function get_and_clear(view: View, _k: unknown, entry: number): Response {
  const old = view.get(entry)
  view.set(entry, PTE_NONE)
  return old
}

/** Takes write permission from the entry, which stays as dirty as it is. */
export function* ptep_set_wrprotect(entry: Cell): Steps<void> {
  yield* atomic(set_wrprotect, entry.location)
}

function set_wrprotect(view: View, _k: unknown, entry: number): Response {
  view.set(entry, pte_wrprotect(view.get(entry)))
  return 0
}

naming(get_and_clear, [], PTE)
