/** Whether a write fault can tell by looking at a page whose the references to it are. */
import { type Memory, pendingIn, type States } from '../engine/index.ts'
import type { Kernel, WpFault } from '../mm/kernel.ts'
import { pte_dirty } from '../mm/pte.ts'

/** An exploration, and the kernel that was explored. */
export interface Explored {
  readonly explorer: States
  readonly kernel: Kernel
}

/**
 * A state here in which all references to the page of a write fault are the writer's own, such that in the
 * other exploration a write fault sees the very same of a page to which others have references.
 */
export function alikeAtWriteFault(here: Explored, there: Explored): number | undefined {
  const own = looksOf(here, true)
  const foreign = looksOf(there, false)
  for (const [look, state] of own) if (foreign.has(look)) return state
  return undefined
}

/** What write faults see that begin to ask, each once, with the first state in which they do. */
function looksOf({ explorer, kernel: k }: Explored, own: boolean): Map<string, number> {
  const looks = new Map<string, number>()
  for (let state = 0; state < explorer.count; state++) {
    for (const { stack } of pendingIn(explorer, state)) {
      const asking = stack.find(
        ({ procedure, position }) => procedure === k.rules.wp_can_reuse && position === 0,
      )
      if (asking === undefined) continue
      const [vmf, pfn] = asking.args as unknown as [WpFault, number]
      if (vmf.kind !== 'write') continue
      const memory = explorer.memories.reader(explorer.memoryOf(state))
      const holders = k.ref.filter(({ page }) => memory.get(page.location) === 1 + pfn)
      if (holders.length === 0 || holders.every(({ mm }) => mm === vmf.mm) !== own) continue
      const look = lookOf(k, memory, vmf, pfn)
      if (!looks.has(look)) looks.set(look, state)
    }
  }
  return looks
}

/** All that the page and the entry show. */
function lookOf(k: Kernel, memory: Memory, vmf: WpFault, pfn: number): string {
  const page = k.page[pfn]!
  const { mapcount, refcount, pins, exclusive, lock, lru, mapping, dirty, writeback, swap } = page
  const slot = memory.get(swap.location) - 1
  return [
    ...[mapcount, refcount, pins, exclusive, lock, lru, mapping, dirty, writeback].map(({ location }) =>
      memory.get(location),
    ),
    slot < 0 ? 'in memory' : memory.get(k.slot[slot]!.count.location),
    pte_dirty(vmf.orig_pte),
  ].join()
}
