// Every way of searching: on random small systems, beside the naive explorer; and by hand.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Exploration,
  type ExploreLimits,
  type Search,
  type SearchMode,
  type System,
  searchOf,
  type Trace,
  traceOfFailure,
  traceTo,
} from '../../src/engine/index.ts'
import { memoryKey, naiveExplore, naivePreemptions } from '../naive.ts'
import { build, program } from './programs.ts'
import { replay } from './replay.ts'
import { counters, philosophers } from './systems.ts'

function searched(system: System, mode: SearchMode, limits: ExploreLimits = {}): Search {
  const search = searchOf(system, mode, limits)
  expect(search.run()).toBe(true)
  return search
}

/** What was found, as the naive explorer says it. */
function found({ finals, failures }: Exploration) {
  return {
    finals: finals.map(({ bytes }) => memoryKey(bytes)).sort(),
    failures: failures.map(({ kind, message }) => `${kind} ${message}`).sort(),
  }
}

function sorted({ finals, failures }: { finals: ReadonlySet<string>; failures: ReadonlySet<string> }) {
  return { finals: [...finals].sort(), failures: [...failures].sort() }
}

/** Replays the run to everything that was found. */
function replayAll(system: System, search: Search): Trace[] {
  const { finals, failures } = search.result()
  return [
    ...failures.map((failed) => {
      const trace = traceOfFailure(search, failed)
      replay(system, trace)
      return trace
    }),
    ...finals.map(({ bytes, state }) => {
      const trace = traceTo(search, state)
      expect(memoryKey(replay(system, trace))).toBe(memoryKey(bytes))
      return trace
    }),
  ]
}

/** How often a run leaves a thread that could have gone on; each step of a trace says who made it. */
function preemptionsOf(search: Search, state: number): number {
  let preemptions = 0
  const path = [state]
  for (let s = state; s !== 0; path.push(s)) s = search.parentOf(s)
  path.reverse()
  const { steps } = traceTo(search, state)
  steps.forEach(({ thread }, i) => {
    const before = steps[i - 1]?.thread
    if (before === undefined || before === thread) return
    const { learned, memories } = search
    const control = search.controlOf(path[i]!, before)
    if (control === 0) return
    const memory = memories.copy(search.memoryOf(path[i]!))
    const { effect, args } = learned.controls[before]!.operation(control)
    const view = {
      thread: before,
      get: (l: number) => memory[l]!,
      set: () => {},
      choose: () => 0,
      fail: () => -2,
    }
    if (effect(view, search.system.context, ...args) !== -1) preemptions++
  })
  return preemptions
}

/** Small enough for thousands of programs in seconds. */
const MOST = 120

function small<T>(explore: () => T): T | undefined {
  try {
    return explore()
  } catch (error) {
    if (error instanceof Error && /^more than \d+ states$/.test(error.message)) return undefined
    throw error
  }
}

describe('on random systems', () => {
  it('depth first finds the same states and the same of everything', () => {
    let explored = 0
    fc.assert(
      fc.property(program, (source) => {
        const system = build(source)
        const naive = small(() => naiveExplore(system, MOST))
        if (naive === undefined) return
        explored++
        const search = searched(system, { mode: 'depth-first' })
        const result = search.result()
        expect(result.bounded).toBeUndefined()
        expect(result.frontier).toBe(0)
        expect({ states: result.states, transitions: result.transitions }).toEqual({
          states: naive.states,
          transitions: naive.transitions,
        })
        expect(found(result)).toEqual(sorted(naive))
        for (const { steps } of replayAll(system, search))
          expect(steps.length).toBeLessThanOrEqual(result.depth + 1)
      }),
      { numRuns: 1_000, seed: 4711 },
    )
    expect(explored).toBeGreaterThan(700)
  })

  it('with hash compaction it finds the same states, and the same of everything by runs as short', () => {
    let explored = 0
    fc.assert(
      fc.property(program, (source) => {
        const system = build(source)
        const naive = small(() => naiveExplore(system, MOST))
        if (naive === undefined) return
        explored++
        const search = searched(system, { mode: 'hash-compaction' })
        const whole = searched(system, { mode: 'breadth-first' })
        const { bytes: _, milliseconds: __, search: coverage, ...result } = search.result()
        const { bytes: ___, milliseconds: ____, search: _____, ...expected } = whole.result()
        expect(result).toEqual(expected)
        expect(coverage).toEqual({
          mode: 'hash-compaction',
          chance: (naive.states * (naive.states - 1)) / 2 ** 65,
        })
        expect(replayAll(system, search).map(({ steps }) => steps.length)).toEqual(
          replayAll(system, whole).map(({ steps }) => steps.length),
        )
      }),
      { numRuns: 500, seed: 4714 },
    )
    expect(explored).toBeGreaterThan(350)
  })

  it('with few preemptions finds what runs with so few can do, and says when that is all', () => {
    let explored = 0
    let complete = 0
    let partial = 0
    fc.assert(
      fc.property(program, fc.nat(3), (source, most) => {
        const system = build(source)
        const all = small(() => naiveExplore(system, MOST))
        const naive = small(() => naivePreemptions(system, most, 6 * MOST))
        if (naive === undefined || all === undefined) return
        explored++
        const search = searched(system, { mode: 'preemptions', most })
        const result = search.result()
        const { finals, failures } = found(result)
        expect(finals).toEqual(sorted(naive).finals)
        expect(failures.filter((failure) => naive.failures.has(failure))).toEqual(sorted(naive).failures)
        for (const failure of failures) expect(all.failures).toContain(failure)
        replayAll(system, search)
        for (const { state } of result.finals) {
          const preemptions = preemptionsOf(search, state)
          expect(preemptions).toBe(search.preemptionsOf!(state))
          expect(preemptions).toBeLessThanOrEqual(most)
        }
        if (result.bounded === undefined) {
          complete++
          expect(result.states).toBe(all.states)
          expect(found(result)).toEqual(sorted(all))
          const { search: coverage } = result
          if (coverage.mode === 'preemptions' && coverage.complete < most) {
            const { complete } = coverage
            expect(naivePreemptions(system, complete).states).toBe(all.states)
            if (complete > 0) expect(naivePreemptions(system, complete - 1).states).toBeLessThan(all.states)
          }
        } else {
          partial++
          expect(result.bounded).toBe('preemptions')
          expect(result.search).toEqual({ mode: 'preemptions', most, complete: most })
          expect(result.states).toBeGreaterThan(naive.states)
          expect(naive.states).toBeLessThan(all.states)
        }
      }),
      { numRuns: 1_000, seed: 4712 },
    )
    expect(explored).toBeGreaterThan(600)
    expect(complete).toBeGreaterThan(100)
    expect(partial).toBeGreaterThan(100)
  })

  it('random runs find nothing that is not there, each time the same, and all of it sooner or later', () => {
    let explored = 0
    let short = 0
    fc.assert(
      fc.property(program, fc.nat(2 ** 32 - 1), (source, seed) => {
        const system = build(source)
        const naive = small(() => naiveExplore(system, MOST))
        if (naive === undefined) return
        explored++
        const mode = { mode: 'random', seed, runs: 60, steps: 40 } as const
        const search = searched(system, mode)
        const result = search.result()
        expect(result.bounded).toBe('runs')
        expect(result.search).toMatchObject({ mode: 'random', seed, runs: 60 })
        expect(result.states).toBeLessThanOrEqual(naive.states)
        for (const one of found(result).finals) expect(naive.finals).toContain(one)
        for (const one of found(result).failures) expect(naive.failures).toContain(one)
        for (const { steps } of replayAll(system, search)) expect(steps.length).toBeLessThanOrEqual(40)
        const again = searched(system, mode).result()
        expect({ ...again, milliseconds: 0 }).toEqual({ ...result, milliseconds: 0 })
        if (found(result).finals.length < naive.finals.size) short++
      }),
      { numRuns: 1_000, seed: 4713 },
    )
    expect(explored).toBeGreaterThan(700)
    // So few runs miss something now and then, and mostly nothing.
    expect(short).toBeGreaterThan(0)
    expect(short).toBeLessThan(explored / 4)
  })
})

describe('by hand', () => {
  it('depth first keeps to a limit on depth, and knows when it has left nothing out', () => {
    // The longest run of two counters has 4 steps.
    const within = searched(counters(2), { mode: 'depth-first' }, { depth: 4 }).result()
    expect(within).toMatchObject({ bounded: undefined, depth: 4, frontier: 0 })
    const short = searched(counters(2), { mode: 'depth-first' }, { depth: 2 }).result()
    expect(short.bounded).toBe('depth')
    expect(short.frontier).toBeGreaterThan(0)
    expect(short.finals).toEqual([])
  })

  it.each<SearchMode>([
    { mode: 'depth-first' },
    { mode: 'random', seed: 1, runs: 1_000_000, steps: 100 },
    { mode: 'preemptions', most: 9 },
  ])('%o stops at limits on states, memory and time, and says so', (mode) => {
    const states = searched(counters(4, 2), mode, { states: 500 }).result()
    expect(states.bounded).toBe('states')
    expect(states.states).toBeGreaterThan(500)
    expect(states.states).toBeLessThan(520)
    expect(searched(counters(4, 3), mode, { bytes: 200_000 }).result().bounded).toBe('memory')
    const search = searchOf(counters(4, 3), mode, { milliseconds: 5 })
    expect(search.result().bounded).toBe('interrupted')
    expect(search.run()).toBe(true)
    expect(search.result().bounded).toBe('time')
  })

  it.each<SearchMode>([
    { mode: 'depth-first' },
    { mode: 'random', seed: 1, runs: 300, steps: 100 },
    { mode: 'preemptions', most: 1 },
  ])('%o finds the same in slices', (mode) => {
    const whole = searched(counters(3, 2), mode).result()
    const search = searchOf(counters(3, 2), mode)
    while (!search.run(0)) expect(search.result().bounded).toBe('interrupted')
    expect({ ...search.result(), milliseconds: 0 }).toEqual({ ...whole, milliseconds: 0 })
  })

  it('of three philosophers only the first must be stopped for all to starve: the others wait by themselves', () => {
    for (const most of [0, 1]) {
      const search = searched(philosophers(3, false), { mode: 'preemptions', most })
      const { failures, bounded } = search.result()
      expect(failures.map(({ kind }) => kind)).toEqual(most === 0 ? [] : ['deadlock'])
      // One preemption leads to every state.
      expect(bounded).toBe(most === 0 ? 'preemptions' : undefined)
      if (most > 0) expect(search.preemptionsOf!(failures[0]!.state)).toBe(1)
    }
  })

  it('random runs that are cut off are counted', () => {
    const { search, depth } = searched(counters(2), { mode: 'random', seed: 5, runs: 20, steps: 3 }).result()
    expect(search).toEqual({ mode: 'random', seed: 5, steps: 3, runs: 20, cut: 20 })
    expect(depth).toBe(3)
  })

  it('a system that is broken from the start is not gone into', () => {
    const broken = { ...counters(2), invariant: () => 'broken' }
    for (const mode of ['depth-first', 'random', 'preemptions'] as const) {
      const search = searched(broken, { mode, seed: 1, runs: 2, steps: 2, most: 1 } as SearchMode)
      expect(search.result()).toMatchObject({ states: 1, transitions: 0, failures: [{ message: 'broken' }] })
      expect(traceOfFailure(search, search.result().failures[0]!).steps).toEqual([])
    }
  })

  it.each([
    { mode: 'random', seed: -1, runs: 1, steps: 1 },
    { mode: 'random', seed: 2 ** 32, runs: 1, steps: 1 },
    { mode: 'random', seed: 0.5, runs: 1, steps: 1 },
    { mode: 'random', seed: 1, runs: 0, steps: 1 },
    { mode: 'random', seed: 1, runs: 1, steps: 0 },
    { mode: 'preemptions', most: -1 },
    { mode: 'preemptions', most: 1.5 },
  ] as const)('%o is refused', (mode) => {
    expect(() => searchOf(counters(1), mode)).toThrow(RangeError)
  })
})
