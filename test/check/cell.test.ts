/** Verdicts of single cells, for designs that are wrong in one particular way each. */
import { describe, expect, test } from 'vitest'
import { checkCell, countCopies, yardstickOf } from '../../src/check/index.ts'
import { type Design, extend, NO_RULES } from '../../src/designs/index.ts'
import { v5_9 } from '../../src/designs/v5_9.ts'
import { v5_19 } from '../../src/designs/v5_19.ts'
import type { Steps } from '../../src/engine/index.ts'
import { parse } from '../../src/litmus/index.ts'
import type { Kernel, Rules, WpDecision, WpFault } from '../../src/mm/kernel.ts'
import { get_page, put_page } from '../../src/mm/page_alloc.ts'

function variant(name: string, base: Design, rules: Partial<Rules>): Design {
  return extend(base, { name, title: name, belief: name, sources: [], rules, because: {} })
}

function verdictOf(source: string, design: Design): string {
  const { test: litmus } = parse(source)
  return checkCell(litmus, design, yardstickOf(litmus)).verdict
}

const CHILD_WRITES = `
test child-writes
page x = 0
process parent { fork child; r0 = x }
process child { x = 1 }
never parent.r0 == 1`

const PIN_THEN_FORK = `
test pin-then-fork
page x = 0
process parent { pin p = x for write, pin; fork child; x = 1; r0 = p }
process child { r0 = x }`

const GET_THEN_FORK = PIN_THEN_FORK.replace('write, pin', 'write, get')

const TWO_THREADS = `
test two-threads
page x = 0
process parent { thread a { fork child; x = 1; r0 = x } thread b { x = 2 } }
process child { r0 = x }`

const MERGED_AGAIN = `
test merged-again
page x = 3
page y = 3
page z = 3
process parent {
  thread main { merge x with y; unmap y; signal alone; x = 5 }
  thread ksm { wait alone; merge x with z }
}`

describe('what a wrong design is found to be', () => {
  test('always reusing a shared page: missed COW', () => {
    const design = variant('reuses', v5_9, { wp_can_reuse: NO_RULES.wp_can_reuse })
    expect(verdictOf(CHILD_WRITES, design)).toBe('missed-cow')
    expect(verdictOf(CHILD_WRITES, v5_9)).toBe('right')
  })

  test('sharing a pinned page at fork: wrong COW for a pin, not promised for a get', () => {
    const design = variant('shares', v5_9, { page_try_dup_rmap: NO_RULES.page_try_dup_rmap })
    expect(verdictOf(PIN_THEN_FORK, design)).toBe('wrong-cow')
    expect(verdictOf(PIN_THEN_FORK, v5_9)).toBe('right')
    expect(verdictOf(GET_THEN_FORK, v5_9)).toBe('not-promised')
  })

  test('losing the entry that another thread has changed: lost write', () => {
    // Forgets, after having slept, that the entry may have changed: whoever copies next undoes a store.
    const design = variant('forgets', v5_9, {
      *wp_can_reuse(k: Kernel, vmf: WpFault): Steps<WpDecision> {
        const { ptl, pte } = k.mm[vmf.mm]!
        yield* ptl.unlock()
        yield* ptl.lock()
        yield* pte[vmf.vpn]!.write(vmf.orig_pte)
        return 'copy'
      },
    })
    expect(['lost-write', 'broken-invariant', 'use-after-free']).toContain(verdictOf(TWO_THREADS, design))
    expect(verdictOf(TWO_THREADS, v5_9)).toBe('right')
  })

  test('a store that shows at another address, too: a lost write that says so', () => {
    // Nobody asks for KSM, and its page of one mapping is written in place while ksmd puts it in a third's.
    const design = variant('asks nothing', v5_9, {
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        return (yield* k.page[pfn]!.mapcount.is(1)) ? 'reuse' : 'copy'
      },
    })
    const test = parse(MERGED_AGAIN).test
    const { verdict, outcomes } = checkCell(test, design, yardstickOf(test))
    expect(verdict).toBe('lost-write')
    const wrong = outcomes.filter((one) => one.verdict === 'lost-write')
    expect(wrong.map(({ outcome, stray }) => [outcome.key, stray])).toEqual([['parent.x=5 parent.z=5', true]])
    expect(outcomes.filter((one) => one.verdict === 'right').some(({ stray }) => stray)).toBe(false)
  })

  test('taking a reference too many: leak', () => {
    const design = variant('leaks', v5_9, {
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        yield* get_page(k, pfn)
        return 'copy'
      },
    })
    expect(verdictOf(CHILD_WRITES, design)).toBe('leak')
  })

  test('dropping a reference too many: use after free', () => {
    const design = variant('drops', v5_9, {
      *wp_can_reuse(_k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        yield* put_page(pfn)
        yield* put_page(pfn)
        return 'copy'
      },
    })
    expect(['use-after-free', 'broken-invariant']).toContain(verdictOf(CHILD_WRITES, design))
  })

  test('trying again for ever: livelock', () => {
    const design = variant('retries', v5_19, {
      *wp_can_reuse(k: Kernel, vmf: WpFault): Steps<WpDecision> {
        yield* k.mm[vmf.mm]!.ptl.unlock()
        return 'retry'
      },
    })
    expect(verdictOf(CHILD_WRITES, design)).toBe('livelock')
  })

  test('keeping the page lock: broken invariant', () => {
    const design = variant('keeps', v5_9, {
      *wp_can_reuse(k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
        yield* k.page[pfn]!.lock.tryLock()
        return 'copy'
      },
    })
    expect(verdictOf(CHILD_WRITES, design)).toBe('broken-invariant')
  })

  test('a signal that nobody sends: deadlock, of the program and not of the design', () => {
    const source = 'test stuck\npage x = 0\nprocess parent { wait never_sent }'
    expect(verdictOf(source, v5_9)).toBe('deadlock')
  })
})

describe('bounds', () => {
  test('a verdict that is not exhaustive says so, and meets no expectation', () => {
    const { test: litmus } = parse(`${CHILD_WRITES}\nexpect all: right, holds "x"`)
    const cell = checkCell(litmus, v5_9, yardstickOf(litmus), { limits: { states: 20 } })
    expect(cell.exploration.bounded).toBe('states')
    expect(cell.exhaustive).toBe(false)
    expect(cell.expectation?.met).toBe(false)
    expect(checkCell(litmus, v5_9, yardstickOf(litmus)).expectation?.met).toBe(true)
  })
})

describe('copies', () => {
  test('one write to a shared page costs one copy, and one to an own page none', () => {
    const { test: shared } = parse(
      'test s\npage x = 0\nprocess p { fork c; x = 1; r0 = x }\nprocess c { wait nobody }',
    )
    const { test: own } = parse('test o\npage x = 0\nprocess p { x = 1 }')
    expect(countCopies(own, v5_9)).toMatchObject({ least: 0, most: 0, exhaustive: true })
    // The child never ends, so no run does: nothing is counted, and that is said.
    expect(countCopies(shared, v5_9)).toMatchObject({ exhaustive: false })
    const { test: ends } = parse(
      'test e\npage x = 0\nprocess p { fork c; x = 1; signal s }\nprocess c { wait s; r0 = x }',
    )
    expect(countCopies(ends, v5_9)).toMatchObject({ least: 1, most: 1, exhaustive: true })
  })
})
