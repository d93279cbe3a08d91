// The paragraph that says why, for what no kernel has ever done, and for what is right.

import { describe, expect, it } from 'vitest'
import { type Cell, witnessOf, witnessOfFailure } from '../../src/check/index.ts'
import { Story } from '../../src/report/story.ts'
import { explain, type Selection } from '../../src/report/why.ts'
import {
  BOTH_WRITE,
  CVE,
  cellOf,
  design,
  EMPTIES,
  FREES,
  LEAKS,
  LOCKS,
  MISCOUNTS,
  selectionsOf,
  worstOf,
} from './cells.ts'
import {
  BY_WAY_OF_SWAP,
  KSM_PIN,
  KSWAPD_RACE,
  REUSES_ALL,
  SOFT_DIRTY,
  STALE_READ,
  STRAY,
  SWAP_LEAK,
  SWAP_PIN,
  SWAP_THEN_FORK,
  SWAPS_IN_ALL,
} from './swap_cells.ts'

function why(cell: Cell, selection: Selection): string {
  const trace =
    'outcome' in selection ? witnessOf(cell, selection.outcome) : witnessOfFailure(cell, selection.failure)
  return explain(new Story(cell, trace), selection).text
}

describe('the explanation of', () => {
  it('a right outcome says that the yardstick has it', () => {
    const cell = cellOf(CVE, design('v5.9'))
    expect(cell.verdict).toBe('right')
    for (const selection of selectionsOf(cell)) expect(why(cell, selection)).toMatch(/yardstick has it too/)
  })

  it('a missed COW names the write, the read, the page, the decision and the commit', () => {
    const cell = cellOf(CVE, design('v5.7'))
    const text = why(cell, selectionsOf(cell)[0]!)
    for (const part of [
      'child reads 1 through p at step 58',
      'parent stored it (`x = 1`) at step 55',
      'Both use page A',
      "page A's mapcount, the number of page-table entries that map it, was 1 (step 48), although p still held it",
      'f45ec5ff16a7',
    ]) {
      expect(text).toContain(part)
    }
  })

  it.each([
    ['a leak', LEAKS, /page A has a reference count of 2, but (nobody uses it|only child's x uses it)/i],
    ['a use after free', FREES, /At step \d+, in `x = 2`, child does what no kernel may let happen/],
    ['a lock that is left locked', LOCKS, /page A is left locked\. parent took the lock \(step \d+\)/],
    [
      'a deadlock',
      LOCKS,
      /child waits at `x = 2`, in wp_can_reuse\(\), for the lock of page A, which parent took/,
    ],
    ['a broken count', MISCOUNTS, /page A has mapcount 3 and 2 page-table entries/],
  ])('%s tells what happened', (_what, under, expected) => {
    const cell = cellOf(BOTH_WRITE, under)
    expect(cell.failures.map((failure) => why(cell, { failure })).join('\n')).toMatch(expected)
  })

  it('memory that vanishes names where its page-table entry was emptied', () => {
    const cell = cellOf(BOTH_WRITE.replace('page x = 0', 'page x = 5').replace('  x = 2\n', ''), EMPTIES)
    const source = BOTH_WRITE.replace('page x = 0', 'page x: a = 5, b = 6')
      .replaceAll('x = 1', 'x.a = 1')
      .replaceAll('x = 2', 'x.a = 2')
      .replaceAll('= x', '= x.b')
    const lost = cellOf(source, EMPTIES)
    expect(cell.failures).toEqual([])
    const texts = lost.outcomes
      .filter(({ verdict }) => verdict === 'lost-write')
      .map((outcome) => why(lost, { outcome }))
    expect(texts.length).toBeGreaterThan(0)
    for (const text of texts) expect(text).toMatch(/finds 0 in x.*emptied at step \d+, in wp_can_reuse\(\)/)
  })

  it('a rule that a design has replaced does not quote the old one', () => {
    const cell = cellOf(BOTH_WRITE, {
      ...design('v5.7'),
      name: 'mine',
      rules: {
        ...design('v5.7').rules,
        *wp_can_reuse() {
          return 'reuse'
        },
      },
    })
    const outcome = cell.outcomes.find(({ verdict }) => verdict === 'missed-cow')!
    expect(why(cell, { outcome })).toMatch(/mine decides so in its rule wp_can_reuse, and does not say why/)
  })
})

describe('the explanation names what decided when', () => {
  it.each([
    ['a page that somebody holds is swapped in to be written', SWAP_LEAK, 'v5.9', 'mapcount and swap count'],
    ['a pinned page is swapped out', SWAP_PIN, 'v5.9', 'From v5.11 on reclaim leaves a page alone'],
    ['kswapd comes before the pin', KSWAPD_RACE, 'v5.11', 'It had looked before p was taken'],
    ['who kswapd is', KSWAPD_RACE, 'v5.11', "kswapd, the kernel's thread that swaps pages out, had given"],
    [
      'KSM does not look',
      KSM_PIN,
      'v5.16',
      'KSM asks who holds a page only if its entry is writable or dirty',
    ],
    ['clear_refs protects', SOFT_DIRTY, 'v5.9', 'clear_refs takes write permission from every page'],
    ['clear_refs looks for pins', SOFT_DIRTY, 'v5.11', 'clear_refs looks for pins (FOLL_PIN), but p is none'],
    ['a proposal says nothing', SWAP_LEAK, 'torvalds', 'torvalds states no rule for this'],
    ['a device’s page is another one too', STRAY, 'v5.9', "1 was stored to parent's x at step"],
    ['a flush is put off', STALE_READ, 'v5.9', 'had put off the flush'],
  ])('%s', (_what, source, name, expected) => {
    const cell = cellOf(source, design(name))
    expect(why(cell, worstOf(cell))).toContain(expected)
  })

  it.each([
    ['both have swapped it in', SWAP_THEN_FORK, SWAPS_IN_ALL, 'fork shared its place in swap'],
    ['it went by way of swap', BY_WAY_OF_SWAP, REUSES_ALL, /page A was written to swap 0 \(step \d+\)/],
  ])('%s', (_what, source, under, expected) => {
    const cell = cellOf(source, under)
    expect(why(cell, worstOf(cell))).toMatch(expected)
  })
})
