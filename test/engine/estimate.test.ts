import { describe, expect, it } from 'vitest'
import { GROWTH } from '../../src/engine/estimate.ts'
import { Explorer, estimateStates } from '../../src/engine/index.ts'
import { counters, lockedCounters } from './systems.ts'

describe('an estimate of the number of states', () => {
  it('is not made of next to nothing', () => {
    expect(estimateStates({ depth: 3, last: 10, upTo: 5_000 })).toBeUndefined()
    expect(estimateStates({ depth: 20, last: 10, upTo: 100 })).toBeUndefined()
  })

  it('is a lower bound alone while levels are still large', () => {
    expect(estimateStates({ depth: 20, last: 1_000, upTo: 10_000 })).toEqual({ low: 38_200, high: Infinity })
  })

  it('comes nearer with smaller levels, and never below what was found', () => {
    let width = Number.POSITIVE_INFINITY
    for (const last of [25_000, 16_000, 12_000, 7_000, 1_000, 1]) {
      const { low, high } = estimateStates({ depth: 100, last, upTo: 1_000_000 })!
      expect(low).toBeGreaterThanOrEqual(1_000_000)
      expect(high).toBeGreaterThan(low)
      expect(high / low).toBeLessThanOrEqual(width)
      width = high / low
    }
    expect(width).toBeLessThan(1.1)
  })

  it('has a table that goes up, for every part', () => {
    expect(GROWTH.at(-1)![0]).toBe(1)
    for (let i = 1; i < GROWTH.length; i++) {
      for (const column of [0, 1, 2] as const)
        expect(GROWTH[i]![column]).toBeGreaterThan(GROWTH[i - 1]![column])
    }
  })

  it('is of the last level that was found whole', () => {
    const explorer = new Explorer(lockedCounters(4, 10))
    let upTo = 0
    while (!explorer.run(0)) {
      const { level, states, frontier, depth } = explorer.result()
      expect(level!.depth).toBe(depth)
      expect(level!.upTo).toBeGreaterThanOrEqual(upTo)
      expect(level!.upTo).toBeLessThanOrEqual(states)
      expect(level!.last).toBeGreaterThan(0)
      // What is not yet looked into lies in this level and what follows.
      expect(frontier).toBeLessThanOrEqual(states - level!.upTo + level!.last)
      upTo = level!.upTo
    }
    expect(upTo).toBeGreaterThan(10_000)
    // Each level of two counters, counted by hand: reads and writes of each, in turn.
    const two = new Explorer(counters(2), { depth: 1 })
    two.run()
    expect(two.result().level).toEqual({ depth: 1, last: 2, upTo: 3 })
  })
})
