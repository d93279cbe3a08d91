/**
 * Reductions change nothing that can be seen: under every design, the same outcomes by runs as
 * short, the same failures, and for the yardstick the same explanations.
 */
import { expect, test } from 'vitest'
import { runTest, yardstickOf } from '../../src/check/index.ts'
import { DESIGNS, designNamed, eager_all, relaxationsUsed } from '../../src/designs/index.ts'
import { REDUCTIONS, traceOfFailure, traceTo } from '../../src/engine/index.ts'
import { type Litmus, outcomeOf } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'
import { corpus } from './corpus.ts'
import { SharedRuns } from './shared_runs.ts'

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

interface Compared {
  readonly plain: number
  readonly reduced: number
}

/** A test with and without reductions; undefined if it is larger than `most`. */
function compare(litmus: Litmus, rules: Rules, most: number, explain: boolean): Compared | undefined {
  const plain = runTest(litmus, rules, { limits: { states: most } })
  if (plain.exploration.bounded !== undefined) return undefined
  const reduced = runTest(litmus, rules, { search: all })
  expect(reduced.exploration.bounded).toBeUndefined()
  expect({ test: litmus.name, ...seen(reduced, explain) }).toEqual({
    test: litmus.name,
    ...seen(plain, explain),
  })
  for (const failed of reduced.exploration.failures) traceOfFailure(reduced.explorer, failed)
  return { plain: plain.exploration.states, reduced: reduced.exploration.states }
}

const small = new SharedRuns((litmus, rules) => compare(litmus, rules, MOST, false))

test.each(DESIGNS)('under $name', { timeout: 400_000 }, ({ rules }) => {
  expectMany(SUITE.flatMap(({ test: litmus }) => small.of(litmus, rules).result ?? []))
})

test('under the yardstick, with what explains each outcome', { timeout: 400_000 }, () => {
  expectMany(SUITE.flatMap(({ test: litmus }) => compare(litmus, eager_all.rules, MOST, true) ?? []))
})

test.each(LARGER)('of $name under $design', ({ name, design }) => {
  const { test: litmus } = SUITE.find(({ test }) => test.name === name)!
  expect(compare(litmus, designNamed(design)!.rules, 100_000, false)).toBeDefined()
})

test('each end is reached by the run that is told of it, also where states can be renumbered in several ways', () => {
  const { test: litmus } = SUITE.find(({ test }) => test.name === 'swap-in-races-reclaim')!
  const { explorer, exploration, program } = runTest(litmus, designNamed('v5.18')!.rules, { search: all })
  const outcome = (bytes: Uint8Array): string =>
    outcomeOf(litmus, program.kernel, { get: (location) => bytes[location]! }).key
  for (const { bytes, state } of exploration.finals) {
    const { initial, steps } = traceTo(explorer, state)
    const end = initial.slice()
    for (const { location, after } of steps.flatMap(({ changes }) => changes)) end[location] = after
    expect(outcome(end)).toBe(outcome(bytes))
  }
})

/** Otherwise the comparison would prove little. */
function expectMany(compared: readonly Compared[]): void {
  expect(compared.length).toBeGreaterThan(30)
  const fewer = compared.filter(({ plain, reduced }) => reduced < plain)
  expect(fewer.length).toBeGreaterThan(compared.length / 2)
}

test('a yardstick is the same without them', () => {
  // It uses them where there are many states; by hand here, on one that has few.
  const { test: litmus } = SUITE.find(({ test }) => test.name === 'fast-pin')!
  const { exploration } = runTest(litmus, eager_all.rules)
  expect(yardstickOf(litmus).states).toBe(exploration.states)
})
