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

/** The naive explorer visits a few thousand states a second. */
const MANAGEABLE = 400

const SUITE = corpus()

test.each([...DESIGNS, eager_all])(
  'the naive explorer agrees under $name',
  { timeout: 1_200_000 },
  (design) => {
    let compared = 0
    for (const { test: litmus } of SUITE) {
      const { system } = compile(litmus, design.rules)
      const engine = explore(system, { states: MANAGEABLE })
      if (engine.bounded !== undefined) continue
      const naive = naiveExplore(system)
      const context = `${litmus.name} under ${design.name}`
      expect({ context, states: engine.states, transitions: engine.transitions }).toEqual({
        context,
        states: naive.states,
        transitions: naive.transitions,
      })
      expect(new Set(engine.finals.map(({ bytes }) => memoryKey(bytes)))).toEqual(naive.finals)
      expect(new Set(engine.failures.map(({ kind, message }) => `${kind} ${message}`))).toEqual(
        naive.failures,
      )
      compared++
    }
    // Most of the suite is this small; if it were not, this test would prove little.
    expect(compared).toBeGreaterThan(SUITE.length / 3)
  },
)
