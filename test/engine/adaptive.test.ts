// Without reductions as long as there are few states, with them beyond.

import { expect, it } from 'vitest'
import { Adaptive } from '../../src/engine/adaptive.ts'
import { type Exploration, explore, REDUCTIONS, searchOf, traceTo } from '../../src/engine/index.ts'
import { lockedCounters } from './systems.ts'
import { buildThings, TAKE_TURNS } from './things.ts'

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

it.each([
  ['few', plain.states, undefined],
  ['many', plain.states - 1, REDUCTIONS],
] as const)(
  'are made or not where several threads explore as where one does: %s states',
  (_, small, reductions) => {
    let called = 0
    const team = { size: 2, from: 2, call: () => void called++ }
    const [alone, together] = [undefined, team].map((helpers) => {
      called = 0
      const search = new Adaptive(system(), {}, undefined, small, helpers)
      search.run()
      expect(called).toBe(helpers === undefined ? 0 : 1)
      const { states, transitions, depth, bounded, search: how } = search.result()
      return { states, transitions, depth, bounded, how }
    })
    expect(alone!.how).toEqual({ mode: 'breadth-first', ...(reductions && { reductions }) })
    expect(together).toEqual(alone)
  },
)

it('do without symmetry where things are ordered by their numbers, and lose nothing', () => {
  const ordered = () => buildThings({ ...TAKE_TURNS, forbidden: 1 }, 'ordered')
  const all = explore(ordered())
  const asked = searchOf(ordered(), { mode: 'breadth-first', reductions: REDUCTIONS })
  expect(() => asked.run()).toThrow(/^lowest does something else/)

  const search = new Adaptive(ordered(), {}, undefined, all.states - 1)
  while (!search.run(1)) {
    // Until it is over, in slices.
  }
  const { bounded, finals, failures, search: how } = search.result()
  expect(how).toEqual({ mode: 'breadth-first', reductions: ['merging'] })
  expect(bounded).toBeUndefined()
  const ends = ({ finals }: Pick<Exploration, 'finals'>) => finals.map(({ bytes }) => bytes.join()).sort()
  expect(ends({ finals })).toEqual(ends(all))
  expect(failures.map(({ message }) => message)).toEqual(all.failures.map(({ message }) => message))
  for (const { state } of finals) expect(traceTo(search, state).steps.length).toBeGreaterThan(0)
})

it('are not made any more by somebody who is to stop', () => {
  const team = { size: 2, from: 1_000_000, call: () => undefined }
  const search = new Adaptive(system(), {}, undefined, 10, team)
  search.stop()
  expect(search.run()).toBe(true)
  expect(search.result()).toMatchObject({ bounded: 'interrupted', search: { mode: 'breadth-first' } })
})

it('are not tried if no more states are wanted than that', () => {
  const search = new Adaptive(system(), { states: 50 }, undefined, 100)
  expect(search.run()).toBe(true)
  expect(search.result()).toMatchObject({ bounded: 'states', search: { mode: 'breadth-first' } })
})

it.each([
  ['from the beginning', { mode: 'breadth-first', reductions: ['merging'] }, undefined],
  ['later on', undefined, plain.states - 1],
] as const)('let a watchdog know that what it has been told of has come back: %s', (_, mode, small) => {
  let running = 0
  const begins = (): void => {
    running++
  }
  const search =
    mode === undefined ? new Adaptive(system(), {}, begins, small) : searchOf(system(), mode, {}, begins)
  let most = 0
  search.learned.automata.onReplayed = () => {
    most = Math.max(most, running)
    running = 0
  }
  expect(search.run()).toBe(true)
  expect(running).toBe(0)
  // A few are within each other, or begin before anybody can listen: the first steps of threads.
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(20)
})
