/** An entry that has been emptied is put back if the page may be pinned. */
import type { Steps } from '../engine/index.ts'
import type { Kernel } from '../mm/kernel.ts'

/** As page_try_share_anon_rmap of 6c287605fd56, for a design whose pages carry no PageAnonExclusive. */
export function* refuse_pinned(k: Kernel, pfn: number): Steps<boolean> {
  return !(yield* k.page[pfn]!.pins.exceeds(0))
}
