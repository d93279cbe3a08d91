// A bounded exploration says so and by what; slices and growing tables change nothing.

import { describe, expect, it, vi } from 'vitest'
import {
  AUTOMATON_LIMITS,
  atomic,
  choose,
  type Exploration,
  type ExploreLimits,
  Explorer,
  Layout,
  type Response,
  type SearchMode,
  type Steps,
  searchOf,
  type View,
} from '../../src/engine/index.ts'
import { exploreAll } from './compare.ts'
import { counters, lockedCounters, philosophers, system, thread } from './systems.ts'

function bounded(limits: ExploreLimits, of = counters(4)): Exploration {
  const explorer = new Explorer(of, limits)
  expect(explorer.run()).toBe(true)
  return explorer.result()
}

/** Does something where no array of more words than so many can be had. */
function withoutMemory<T>(words: number, what: () => T): T {
  vi.stubGlobal(
    'Int32Array',
    new Proxy(Int32Array, {
      construct(target, args) {
        if (args.length === 1 && args[0] > words) throw new RangeError('Array buffer allocation failed')
        return Reflect.construct(target, args)
      },
    }),
  )
  try {
    return what()
  } finally {
    vi.unstubAllGlobals()
  }
}

/** A result without what differs from run to run. */
function lasting({ milliseconds: _, ...rest }: Exploration): Omit<Exploration, 'milliseconds'> {
  return rest
}

describe('a bound', () => {
  const all = exploreAll(counters(4)).result()

  it('on states is kept to within one state and its successors', () => {
    for (const states of [1, 2, 10, 300, all.states - 1]) {
      const result = bounded({ states })
      expect(result.bounded).toBe('states')
      expect(result.states).toBeGreaterThan(states)
      expect(result.states).toBeLessThanOrEqual(states + 4)
      expect(result.frontier).toBeGreaterThan(0)
    }
  })

  it('on states that is just enough is none', () => {
    expect(lasting(bounded({ states: all.states }))).toEqual(lasting(all))
  })

  it('on depth explores that many levels whole', () => {
    // A thread has read and write: n threads take 2n steps, and the last level is the ends.
    expect(all.depth).toBe(8)
    const states: number[] = []
    for (let depth = 0; depth < 8; depth++) {
      const result = bounded({ depth })
      expect(result).toMatchObject({ bounded: 'depth', depth })
      states.push(result.states)
    }
    expect(states[0]).toBe(1 + 4)
    expect(states).toEqual([...states].sort((a, b) => a - b))
    expect(lasting(bounded({ depth: 8 }))).toEqual(lasting(all))
  })

  it('on memory stops soon after', () => {
    const result = bounded({ bytes: 1_000_000 }, counters(4, 3))
    expect(result.bounded).toBe('memory')
    expect(result.bytes).toBeGreaterThan(1_000_000)
    expect(result.bytes).toBeLessThan(2_000_000)
    expect(result.frontier).toBeGreaterThan(0)
  })

  it('on memory is also met where there is no more to be had, and what was found is kept', () => {
    const result = withoutMemory(60_000, () => bounded({}, counters(4, 3)))
    expect(result.bounded).toBe('memory')
    // A state is four words, and a first segment of 2^14 states would be too large.
    expect(result.states).toBe(2 ** 13)
    expect(result.transitions).toBeGreaterThan(2 ** 13)
    expect(result.frontier).toBeGreaterThan(0)
  })

  it.each<[string, SearchMode]>([
    ['depth-first', { mode: 'depth-first' }],
    ['with hash compaction', { mode: 'hash-compaction' }],
    ['with few preemptions', { mode: 'preemptions', most: 5 }],
    ['random', { mode: 'random', seed: 1, runs: 100_000, steps: 1_000 }],
    ['with merging', { mode: 'breadth-first', reductions: ['merging'] }],
    ['with symmetry', { mode: 'breadth-first', reductions: ['symmetry'] }],
    ['with reductions if need be', { mode: 'breadth-first', reductions: 'auto' }],
  ])('on memory is met by a search %s in the same way', (_, mode) => {
    const search = searchOf(counters(4, 3), mode)
    withoutMemory(30_000, () => search.run())
    const { bounded, states } = search.result()
    expect(bounded).toBe('memory')
    expect(states).toBeGreaterThan(1_000)
  })

  it('on time stops, and stays stopped', () => {
    const explorer = new Explorer(counters(4, 3), { milliseconds: 20 })
    expect(explorer.run()).toBe(true)
    const result = explorer.result()
    expect(result.bounded).toBe('time')
    expect(result.frontier).toBeGreaterThan(0)
    expect(explorer.run()).toBe(true)
    expect(explorer.result()).toEqual(result)
  })

  it('finds what lies within it', () => {
    const { failures } = bounded({ depth: 4 }, philosophers(4, false))
    expect(failures).toMatchObject([{ kind: 'deadlock' }])
    expect(bounded({ depth: 3 }, philosophers(4, false)).failures).toEqual([])
  })

  it('must be a number of states that can be counted', () => {
    for (const states of [0, -1, 2 ** 31, 1.5, Number.NaN]) {
      expect(() => new Explorer(counters(1), { states })).toThrow(RangeError)
    }
  })

  it('must be a number', () => {
    for (const limit of ['depth', 'bytes', 'milliseconds']) {
      for (const value of [-1, Number.NaN]) {
        const limits = { [limit]: value }
        expect(() => new Explorer(counters(1), limits)).toThrow(`the limit ${limit}, ${value}, is no number`)
      }
    }
  })
})

describe('an exploration in slices', () => {
  it('is interrupted until it is over, and the same in the end', () => {
    const whole = exploreAll(counters(4, 2)).result()
    const explorer = new Explorer(counters(4, 2))
    expect(explorer.result()).toMatchObject({ bounded: 'interrupted', states: 1, transitions: 0 })
    let slices = 1
    while (!explorer.run(0)) {
      slices++
      expect(explorer.result().bounded).toBe('interrupted')
    }
    expect(slices).toBeGreaterThan(5)
    expect(lasting(explorer.result())).toEqual(lasting(whole))
    expect(explorer.run()).toBe(true)
    expect(lasting(explorer.result())).toEqual(lasting(whole))
  })

  it('is interrupted also where a slice ends with nothing known to be left', () => {
    // One path of states: after each level everything found has been looked into.
    const layout = new Layout()
    const cells = [0, 1, 2].map((i) => layout.cell(`digit${i}`, 31))
    function tick(view: View): Response {
      for (const { location } of cells) {
        view.set(location, (view.get(location) + 1) % 32)
        if (view.get(location) > 0) return 0
      }
      return 0
    }
    function* clock(): Steps<void> {
      yield* atomic(tick)
      yield* again()
    }
    function* again(): Steps<void> {
      yield { kind: 'tail', procedure: clock, args: [] }
    }
    const explorer = new Explorer(system(layout, [thread(clock)]))
    while (!explorer.run(0)) expect(explorer.result().bounded).toBe('interrupted')
    expect(explorer.result()).toMatchObject({ bounded: undefined, states: 32 ** 3, depth: 32 ** 3 - 1 })
  })

  it('stops at the same bound in the same place', () => {
    for (const limits of [{ states: 5_000 }, { depth: 9 }, { bytes: 300_000 }]) {
      const explorer = new Explorer(counters(4, 2), limits)
      while (!explorer.run(0)) explorer.result()
      expect(lasting(explorer.result())).toEqual(lasting(bounded(limits, counters(4, 2))))
    }
  })
})

describe('tables that grow', () => {
  it('lose nothing', () => {
    // SPIN counts as many: promela.test.ts.
    expect(exploreAll(counters(4, 3)).result()).toMatchObject({ states: 361_775, transitions: 1_225_956 })
  })

  it('lose no memory: each state of a ring of tokens has nearly its own', () => {
    const layout = new Layout()
    const places = Array.from({ length: 5 }, (_, i) => layout.cell(`place${i}`, 28, i === 0 ? 28 : 0))
    function move(view: View): Response {
      const from = places[view.choose(5)]!.location
      const to = places[view.choose(5)]!.location
      if (view.get(from) === 0) return 0
      view.set(from, view.get(from) - 1)
      view.set(to, view.get(to) + 1)
      return 0
    }
    function* mover(): Steps<void> {
      yield* atomic(move)
      yield { kind: 'tail', procedure: mover, args: [] }
    }
    // C(32, 4) ways to put 28 tokens on 5 places, 25 moves in each; a token moves in one step.
    const { states, memories, transitions, depth } = exploreAll(system(layout, [thread(mover)])).result()
    expect({ states, memories, transitions, depth }).toEqual({
      states: 35_960,
      memories: 35_960,
      transitions: 25 * 35_960,
      depth: 28,
    })
  })

  it('tell 40,000 control states apart, for threads at even and at odd places', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function* idle(): Steps<void> {}
    function* picker(): Steps<void> {
      const a = yield* choose(200)
      const b = yield* choose(200)
      yield* x.write(a + b === 398 ? 1 : 0)
    }
    const limits = { automaton: { ...AUTOMATON_LIMITS, nodes: 100_000 } }
    for (const specs of [
      [thread(picker), thread(idle)],
      [thread(idle), thread(picker)],
    ]) {
      const { states, transitions, finals } = exploreAll(system(layout, specs), limits).result()
      expect({ states, transitions }).toEqual({ states: 1 + 200 + 40_000 + 2, transitions: 200 + 2 * 40_000 })
      expect(finals.map(({ bytes }) => bytes[0])).toEqual([0, 1])
    }
  })

  it('take at most 32 bytes a state for up to four threads, as long as memories are shared', () => {
    for (const of of [counters(3, 5), counters(4, 3), lockedCounters(4, 10)]) {
      const { states, bytes } = exploreAll(of).result()
      expect(states).toBeGreaterThan(50_000)
      expect(bytes / states).toBeLessThan(32)
    }
  })
})
