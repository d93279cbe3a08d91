// Without reductions as long as there are few states, with them beyond.

import { expect, it } from 'vitest'
import { Adaptive } from '../../src/engine/adaptive.ts'
import { explore, REDUCTIONS, traceTo } from '../../src/engine/index.ts'
import { lockedCounters } from './systems.ts'

const system = () => lockedCounters(3, 3)
const plain = explore(system())

it('are not made where they are not needed', () => {
  const search = new Adaptive(system(), {}, undefined, plain.states)
  expect(search.run()).toBe(true)
  expect(search.result()).toMatchObject({ states: plain.states, bounded: undefined })
  expect(search.result().search).toEqual({ mode: 'breadth-first' })
})

it('are made where there are many states, and lead to the same ends', () => {
  const search = new Adaptive(system(), {}, undefined, plain.states - 1)
  while (!search.run(1)) {
    // Until it is over, in slices.
  }
  const { states, bounded, finals, search: how } = search.result()
  expect(how).toEqual({ mode: 'breadth-first', reductions: REDUCTIONS })
  expect(bounded).toBeUndefined()
  expect(states).toBeLessThan(plain.states / 2)
  expect(finals.map(({ bytes }) => [...bytes])).toEqual(plain.finals.map(({ bytes }) => [...bytes]))
  for (const { state } of finals) expect(traceTo(search, state).steps.length).toBeGreaterThan(0)
})

it('are not tried if no more states are wanted than that', () => {
  const search = new Adaptive(system(), { states: 50 }, undefined, 100)
  expect(search.run()).toBe(true)
  expect(search.result()).toMatchObject({ bounded: 'states', search: { mode: 'breadth-first' } })
})
