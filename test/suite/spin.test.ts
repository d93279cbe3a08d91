/**
 * SPIN on the exported program agrees with the engine, for every test of the suite: on the
 * number of states and transitions, on deadlocks and failures, and on the test's conditions,
 * which SPIN evaluates itself.
 */
import { expect, test, vi } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { conditionHolds, type Litmus } from '../../src/litmus/index.ts'
import { runClaims, runSpin, spinAvailable } from '../spin.ts'
import { corpus } from './corpus.ts'
import { asSmallProgram } from './small_program.ts'

// A C compiler for each of a small machine's processors.
vi.setConfig({ maxConcurrency: 2 })

/**
 * Each test meets two designs: one that violates its conditions, where there is one, and
 * another. Which ones changes from test to test, so that every design meets many.
 */
const PAIRS = corpus().flatMap(({ test: litmus }, i) => {
  const turned = [...DESIGNS.slice(i % DESIGNS.length), ...DESIGNS.slice(0, i % DESIGNS.length)]
  const first = turned.find(({ name }) => violates(litmus, name)) ?? turned[0]!
  const others = turned.filter((design) => design !== first)
  const second = others.find(({ name }) => !violates(litmus, name)) ?? others[0]!
  // Where no design violates a condition, a second answer would only be the first one again.
  return [
    { litmus, design: first, asked: true },
    { litmus, design: second, asked: violates(litmus, first.name) },
  ]
})

function violates({ expectations }: Litmus, design: string): boolean {
  return expectations.some(
    ({ designs, conditions }) =>
      conditions === 'violated' && designs.some((expected) => expected.name === design),
  )
}

let compared = 0

test.runIf(spinAvailable()).concurrent.for(PAIRS)(
  'SPIN agrees on $litmus.name under $design.name',
  { timeout: 1_200_000 },
  async ({ litmus, design, asked }, { skip }) => {
    const small = asSmallProgram(litmus, design)
    if (small === undefined) return skip('too large a program')
    const { promela, exploration, ends } = small
    compared++

    const spin = await runSpin(promela)
    expect({ states: spin.states, transitions: spin.transitions }).toEqual({
      states: exploration.states,
      transitions: exploration.transitions,
    })
    const kinds = exploration.failures.map(({ kind }) => kind)
    expect(spin.messages.includes('invalid end state')).toBe(kinds.includes('deadlock'))
    expect(spin.messages.includes('assertion violated')).toBe(kinds.includes('failure'))

    if (!asked) return
    const outcomes = ends.map(({ outcome }) => outcome)
    const found = await runClaims(
      promela,
      litmus.conditions.map((_, i) => `CONDITION_${i + 1}`),
    )
    expect(found).toEqual(
      litmus.conditions.map(
        (condition) => conditionHolds(litmus, condition, outcomes) === (condition.quantifier === 'sometimes'),
      ),
    )
  },
)

test.runIf(spinAvailable())('most of the suite is small enough for SPIN', () => {
  expect(compared).toBeGreaterThan((PAIRS.length * 2) / 3)
})
