/** A run that is shared is the run that would have been made. */
import { expect, test } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile, type Litmus } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'
import { corpus } from './corpus.ts'
import { SharedRuns } from './shared_runs.ts'

const SUITE = corpus()

/** The beginning of what the engine finds, in much detail. */
function beginning(litmus: Litmus, rules: Rules) {
  const { states, transitions, depth, finals, failures } = explore(compile(litmus, rules).system, {
    states: 300,
  })
  return JSON.stringify([states, transitions, depth, finals.map(({ bytes }) => [...bytes]), failures])
}

test('of every test under every design', { timeout: 300_000 }, () => {
  let made = 0
  const shared = new SharedRuns((litmus, rules) => {
    made++
    return beginning(litmus, rules)
  })
  for (const { test: litmus } of SUITE) {
    for (const { name, rules } of DESIGNS) {
      const found = { test: litmus.name, design: name, found: shared.of(litmus, rules).result }
      expect(found).toEqual({ ...found, found: beginning(litmus, rules) })
    }
  }
  // Otherwise nothing is shared.
  expect(made).toBeLessThan(0.9 * SUITE.length * DESIGNS.length)
})

test('and it is not shared with rules that differ in what it asks for', () => {
  const [{ test: litmus }] = SUITE as [(typeof SUITE)[number]]
  const [, { rules }] = DESIGNS as [unknown, (typeof DESIGNS)[number]]
  const asks = new SharedRuns((_, { shares_nothing }) => ({ shares_nothing }))
  const first = asks.of(litmus, rules).result
  expect(asks.of(litmus, { ...rules, fork_protects_first: !rules.fork_protects_first }).result).toBe(first)
  expect(asks.of(litmus, { ...rules, shares_nothing: !rules.shares_nothing }).result).toEqual({
    shares_nothing: !rules.shares_nothing,
  })
})
