/** KSM's page between ksmd, which finds it without a lock, and its last owner, who takes it back (v5.7, v5.8). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkCell, yardstickOf } from '../../src/check/index.ts'
import { v5_7 } from '../../src/designs/v5_7.ts'
import { atomic, type Response, type Steps, type View } from '../../src/engine/index.ts'
import { parse } from '../../src/litmus/index.ts'
import type { Kernel, Rules, WpDecision, WpFault } from '../../src/mm/kernel.ts'
import { PageKsm } from '../../src/mm/page_flags.ts'

const file = new URL('../../suite/ksm/ksm-reuse-races-merge.litmus', import.meta.url)
const { test: litmus } = parse(readFileSync(file, 'utf8'))

/** v5.7's rule, but a page of KSM's is taken back in two steps: its count is looked at, and not frozen. */
function* unfrozen(k: Kernel, vmf: WpFault, pfn: number): Steps<WpDecision> {
  const page = k.page[pfn]!
  if (!(yield* PageKsm(k, pfn))) return yield* v5_7.rules.wp_can_reuse(k, vmf, pfn)
  if (!(yield* page.lock.tryLock())) return 'copy'
  const alone = yield* page.refcount.is(1)
  if (alone) yield* atomic(take_back, vmf.mm, vmf.vpn, pfn)
  yield* page.lock.unlock()
  return alone ? 'reuse' : 'copy'
}

function take_back(view: View, k: Kernel, mm: number, vpn: number, pfn: number): Response {
  view.set(k.page[pfn]!.mapping.location, 1 + mm)
  view.set(k.page[pfn]!.index.location, vpn)
  return 0
}

function verdictWith(rules: Partial<Rules>): string {
  const design = { ...v5_7, rules: { ...v5_7.rules, ...rules } }
  return checkCell(litmus, design, yardstickOf(litmus)).verdict
}

test("a count that is frozen keeps ksmd from a page that becomes its owner's", { timeout: 60_000 }, () => {
  expect(verdictWith({})).toBe('right')
})

test('a count that is only looked at does not', { timeout: 60_000 }, () => {
  expect(verdictWith({ wp_can_reuse: unfrozen })).toBe('lost-write')
})
