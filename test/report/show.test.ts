// What `cowherd show` prints, to the letter, and what holds of it whatever it is about.

import { describe, expect, it } from 'vitest'
import { type Cell, witnessOf, witnessOfFailure } from '../../src/check/index.ts'
import { DESIGNS } from '../../src/designs/index.ts'
import { foldedSchedule } from '../../src/report/fold.ts'
import { renderShow } from '../../src/report/show.ts'
import type { Selection } from '../../src/report/why.ts'
import {
  BOTH_WRITE,
  CVE,
  cellOf,
  design,
  EMPTIES,
  FAST_PIN,
  FOUR_THREADS,
  FREES,
  LEAKS,
  LOCKS,
  MISCOUNTS,
  READ_PIN,
  selectionsOf,
  TWO_WORDS,
  UNSENT,
  worstOf,
} from './cells.ts'
import {
  BY_WAY_OF_SWAP,
  KSM_PIN,
  KSMD,
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

describe('show prints', () => {
  it.each([
    ['a missed COW', 'missed_cow', CVE, design('v5.7'), 80],
    ['a wrong COW by a race', 'wrong_cow_race', FAST_PIN, design('v5.9'), 120],
    ['a wrong COW by a pin of a shared page', 'wrong_cow_shared', READ_PIN, design('v5.18'), 80],
    ['a deadlock', 'deadlock', UNSENT, design('v5.9'), 80],
    ['four threads in a narrow place', 'four_threads', FOUR_THREADS, design('v5.19'), 60],
    ['a missed COW by swap', 'swap_leak', SWAP_LEAK, design('v5.9'), 80],
    ['a wrong COW by swap', 'swap_pin', SWAP_PIN, design('v5.9'), 80],
    ['a wrong COW by KSM', 'ksm_pin', KSM_PIN, design('v5.16'), 120],
    ['a broken promise by soft-dirty', 'soft_dirty', SOFT_DIRTY, design('v5.9'), 80],
    ['a race with kswapd', 'kswapd_race', KSWAPD_RACE, design('v5.11'), 120],
  ])('%s', async (_what, file, source, under, width) => {
    const cell = cellOf(source, under)
    const shown = renderShow(cell, worstOf(cell), { width, colour: false })
    await expect(shown).toMatchFileSnapshot(`snapshots/${file}.txt`)
  })

  it('a folded run', () => {
    const cell = cellOf(CVE, design('v5.7'))
    const trace = witnessOf(cell, cell.outcomes[0]!)
    expect(`\n${foldedSchedule(cell, trace, 15, 80)}\n`).toMatchInlineSnapshot(`
      "
        1–16  parent  fork child: page A shared, both read-only, mapcount 1 → 2
       17     child   begins
       18–25  child   pin p = x for read, get: p holds page A, refcount 2 → 3
       26–37  child   unmap x: page A mapcount 2 → 1, refcount 3 → 2, p still holds it
       38     child   signal unmapped
       39     parent  wait unmapped
       40–51  parent  do_wp_page: mapcount is 1, so page A is reused and made writable
       52–55  parent  x = 1: page A 0 → 1
       56     parent  signal written
       57     child   wait written
       58     child   r0 = p: 1, from page A
      "
    `)
  })

  it('a folded run in fewer lines, the most important ones', () => {
    const cell = cellOf(CVE, design('v5.7'))
    const trace = witnessOf(cell, cell.outcomes[0]!)
    expect(`\n${foldedSchedule(cell, trace, 6, 80)}\n`).toMatchInlineSnapshot(`
      "
        1–16  parent  fork child: page A shared, both read-only, mapcount 1 → 2
       18–25  child   pin p = x for read, get: p holds page A, refcount 2 → 3
       26–37  child   unmap x: page A mapcount 2 → 1, refcount 3 → 2, p still holds it
       40–51  parent  do_wp_page: mapcount is 1, so page A is reused and made writable
       52–55  parent  x = 1: page A 0 → 1
       58     child   r0 = p: 1, from page A
      "
    `)
  })
})

describe('a folded run tells of', () => {
  it.each([
    ['reclaim and swap-in', 'folded_swap', SWAP_LEAK, design('v5.9')],
    ['swap-in and KSM', 'folded_ksm', KSM_PIN, design('v5.16')],
    ['clear_refs', 'folded_soft_dirty', SOFT_DIRTY, design('v5.9')],
    ['what kswapd does in between', 'folded_kswapd', KSWAPD_RACE, design('v5.11')],
  ])('%s', async (_what, file, source, under) => {
    const cell = cellOf(source, under)
    const shown = renderShow(cell, worstOf(cell), { width: 80, colour: false, fold: 24 })
    await expect(shown).toMatchFileSnapshot(`snapshots/${file}.txt`)
  })
})

const cells: readonly (readonly [string, Cell])[] = [
  ...[CVE, FAST_PIN, READ_PIN, UNSENT, TWO_WORDS, BOTH_WRITE].flatMap((source) =>
    DESIGNS.map((under) => cellOf(source, under)),
  ),
  ...[SWAP_LEAK, SWAP_PIN, SOFT_DIRTY, KSWAPD_RACE].flatMap((source) =>
    DESIGNS.map((under) => cellOf(source, under)),
  ),
  ...[KSM_PIN, STRAY, STALE_READ, KSMD].flatMap((source) =>
    [design('v5.9'), design('v5.19')].map((under) => cellOf(source, under)),
  ),
  cellOf(SWAP_THEN_FORK, SWAPS_IN_ALL),
  cellOf(BY_WAY_OF_SWAP, REUSES_ALL),
  cellOf(FOUR_THREADS, design('v5.9')),
  ...[LEAKS, FREES, LOCKS, MISCOUNTS, EMPTIES].map((under) => cellOf(BOTH_WRITE, under)),
].map((cell) => [`${cell.test.name} under ${cell.design.name}`, cell] as const)

function stepsOf(cell: Cell, selection: Selection): number {
  const trace =
    'outcome' in selection ? witnessOf(cell, selection.outcome) : witnessOfFailure(cell, selection.failure)
  return trace.steps.length
}

/** The step numbers in the table, in their order. */
function numbersIn(shown: string): number[] {
  return shown
    .split('\n')
    .flatMap((line) => /^[ ▸] *(\d+) {2}/.exec(line)?.[1] ?? [])
    .map(Number)
}

describe.each(cells)('%s', (_name, cell) => {
  const selections = selectionsOf(cell)

  it('shows every step once', () => {
    for (const selection of selections) {
      const expected = Array.from({ length: stepsOf(cell, selection) }, (_, i) => i + 1)
      for (const width of [40, 80, 120]) {
        expect(numbersIn(renderShow(cell, selection, { width, colour: false }))).toEqual(expected)
      }
    }
  })

  it('keeps to the width', () => {
    for (const selection of selections) {
      for (const width of [40, 57, 80, 120, 200]) {
        for (const fold of [{}, { fold: 15 }]) {
          const lines = renderShow(cell, selection, { width, colour: false, ...fold }).split('\n')
          expect(lines.filter((line) => line.length > width)).toEqual([])
          expect(lines.filter((line) => line !== line.trimEnd())).toEqual([])
        }
      }
    }
  })

  it('is the same with colours, apart from them', () => {
    for (const selection of selections) {
      const plain = renderShow(cell, selection, { width: 80, colour: false })
      const coloured = renderShow(cell, selection, { width: 80, colour: true })
      expect(coloured).not.toBe(plain)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
      const bare = coloured.replace(/\u001b\[\d+m/g, '')
      const lines = (text: string): string[] => text.split('\n').map((line) => line.trimEnd())
      expect(lines(bare)).toEqual(lines(plain))
    }
  })

  it('folds to as many lines as are asked for', () => {
    for (const selection of selections) {
      const trace =
        'outcome' in selection
          ? witnessOf(cell, selection.outcome)
          : witnessOfFailure(cell, selection.failure)
      for (let lines = 1; lines <= 20; lines++) {
        expect(foldedSchedule(cell, trace, lines, 80).split('\n').length).toBeLessThanOrEqual(lines)
      }
    }
  })

  it('has no word of the machine in it', () => {
    for (const selection of selections) {
      const shown = renderShow(cell, selection, { width: 120, colour: false })
      expect(shown).not.toMatch(/undefined|NaN|\bpage \d|\[object|location \d/)
    }
  })
})
