/**
 * Reductions change nothing that can be seen: under every design, the same outcomes by runs as
 * short, the same failures, and for the yardstick the same explanations.
 */
import { expect, test } from 'vitest'
import { runTest, yardstickOf } from '../../src/check/index.ts'
import { DESIGNS, eager_all, relaxationsUsed } from '../../src/designs/index.ts'
import { REDUCTIONS, traceOfFailure, traceTo } from '../../src/engine/index.ts'
import { corpus } from './corpus.ts'

const SUITE = corpus()

/** Cells up to so many states, so that all of them take seconds; and larger ones that once went wrong. */
const MOST = 400
const LARGER = [{ name: 'read-get-races-write', design: 'hildenbrand-v1' }]

const all = { mode: 'breadth-first', reductions: REDUCTIONS } as const

/** What a run of everything shows; numbers of pages aside. */
function seen({ explorer, exploration, ends, program }: ReturnType<typeof runTest>, explain: boolean) {
  return {
    outcomes: ends
      .map(({ outcome, state, memories }) => ({
        key: outcome.key,
        steps: traceTo(explorer, state).steps.length,
        explained: explain
          ? [
              ...new Set(memories.map((memory) => JSON.stringify(relaxationsUsed(program.kernel, memory)))),
            ].sort()
          : [],
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
    failures: [
      ...new Set(exploration.failures.map(({ kind, message }) => `${kind} ${message.replace(/\d+/g, 'n')}`)),
    ].sort(),
  }
}

test.each([...DESIGNS, eager_all])('under $name', { timeout: 400_000 }, (design) => {
  let compared = 0
  let fewer = 0
  for (const { test: litmus } of SUITE) {
    const larger = LARGER.some((cell) => cell.name === litmus.name && cell.design === design.name)
    const plain = runTest(litmus, design.rules, { limits: { states: larger ? 100_000 : MOST } })
    if (plain.exploration.bounded !== undefined) continue
    compared++
    const reduced = runTest(litmus, design.rules, { search: all })
    expect(reduced.exploration.bounded).toBeUndefined()
    const explain = design.name === eager_all.name
    expect({ test: litmus.name, ...seen(reduced, explain) }).toEqual({
      test: litmus.name,
      ...seen(plain, explain),
    })
    for (const failed of reduced.exploration.failures) traceOfFailure(reduced.explorer, failed)
    if (reduced.exploration.states < plain.exploration.states) fewer++
  }
  expect(compared).toBeGreaterThan(30)
  expect(fewer).toBeGreaterThan(compared / 2)
})

test('a yardstick is the same without them', () => {
  // It uses them where there are many states; by hand here, on one that has few.
  const { test: litmus } = SUITE.find(({ test }) => test.name === 'fast-pin')!
  const { exploration } = runTest(litmus, eager_all.rules)
  expect(yardstickOf(litmus).states).toBe(exploration.states)
})
