/**
 * The engine against an explorer that shares nothing with it but the requests: the same number
 * of states and transitions, the same final memories and failures, for every test of the suite
 * and every design that the naive explorer can manage.
 */
import { expect, test } from 'vitest'
import { DESIGNS, eager_all } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile } from '../../src/litmus/index.ts'
import { memoryKey, naiveExplore } from '../naive.ts'
import { corpus } from './corpus.ts'
import { SharedRuns } from './shared_runs.ts'

/** The naive explorer visits a few thousand states a second. */
const MANAGEABLE = 400

const SUITE = corpus()

/** Whether the two could be compared. */
const compared = new SharedRuns((litmus, rules) => {
  const { system } = compile(litmus, rules)
  const engine = explore(system, { states: MANAGEABLE })
  if (engine.bounded !== undefined) return false
  const naive = naiveExplore(system)
  const { name } = litmus
  expect({ name, states: engine.states, transitions: engine.transitions }).toEqual({
    name,
    states: naive.states,
    transitions: naive.transitions,
  })
  expect(new Set(engine.finals.map(({ bytes }) => memoryKey(bytes)))).toEqual(naive.finals)
  expect(new Set(engine.failures.map(({ kind, message }) => `${kind} ${message}`))).toEqual(naive.failures)
  return true
})

test.each([...DESIGNS, eager_all])(
  'the naive explorer agrees under $name',
  { timeout: 1_200_000 },
  ({ rules }) => {
    const count = SUITE.filter(({ test: litmus }) => compared.of(litmus, rules).result).length
    // Most of the suite is this small; if it were not, this test would prove little.
    expect(count).toBeGreaterThan(SUITE.length / 3)
  },
)
