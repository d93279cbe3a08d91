// Hash compaction: what is kept of a state is enough, and as much is missed as chance says.

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Ancestry } from '../../src/engine/ancestry.ts'
import { CompactedSearch } from '../../src/engine/compacted.ts'
import { chanceOfCollision, Fingerprints, fingerprintOf } from '../../src/engine/fingerprints.ts'
import { Queue } from '../../src/engine/queue.ts'
import { OutOfMemory, type Segments } from '../../src/engine/segments.ts'
import { exploreAll } from './compare.ts'
import { counters, lockedCounters } from './systems.ts'

/** So many bits of the first hash, at both ends: shards take those of one end, slots those of the other. */
function maskOf(bits: number): number {
  return (-1 << (32 - bits + 10)) | 0x3ff
}

describe('fingerprints', () => {
  /** How many of so many pairs of small numbers, as states have them, are taken for others. */
  function missed(things: number, bits: number): number {
    const set = new Fingerprints(maskOf(bits))
    const words = new Int32Array(3)
    for (let i = 0; i < things; i++) {
      words[0] = i >> 6
      words[1] = ((i >> 3) & 7) << 16
      words[2] = i & 7
      set.add(fingerprintOf(0, words, 0, 3), fingerprintOf(1, words, 0, 3))
    }
    return things - set.count
  }

  it.each([
    [100_000, 26],
    [200_000, 28],
    [100_000, 30],
    [1_000_000, 31],
  ])('of %i things in %i bits clash as often as chance says', (things, bits) => {
    const expected = things ** 2 / 2 ** (bits + 1)
    // A Poisson distribution; five of its standard deviations.
    expect(Math.abs(missed(things, bits) - expected)).toBeLessThan(5 * Math.sqrt(expected))
  })

  it('are all kept apart where they differ in either half, also 0', () => {
    const set = new Fingerprints()
    const halves = Array.from({ length: 300 }, (_, i) => Math.imul(i, 0x9e3779b1))
    for (const first of halves) for (const second of halves) expect(set.add(first, second)).toBe(true)
    // The fingerprint (0, 0) is the same as (1, 0), which is not among them.
    for (const first of halves) for (const second of halves) expect(set.add(first, second)).toBe(false)
    expect(set.count).toBe(300 ** 2)
    expect(set.byteLength / set.count).toBeLessThan(2 * 8 * 1.2)
  })

  it('are few enough for a chance that can be told', () => {
    expect(chanceOfCollision(1)).toBe(0)
    // Pairs of people with the same birthday, if there were 2^9 days.
    expect(chanceOfCollision(23, 9)).toBeCloseTo((23 * 22) / 2 / 512)
    expect(chanceOfCollision(1e8)).toBeCloseTo(2.7e-4, 5)
    expect(chanceOfCollision(1e12)).toBe(1)
  })
})

describe('the ancestry of states', () => {
  it('says of each where it came from', () => {
    const families = fc.array(
      fc.array(fc.oneof(fc.nat(20), fc.constant(65_535)), { maxLength: 40, size: 'max' }),
      { maxLength: 3_000, size: 'max' },
    )
    fc.assert(
      fc.property(families, (ways) => {
        const ancestry = new Ancestry()
        const origins = [{ parent: 0, way: 0 }]
        ancestry.found(0)
        ways.forEach((found, parent) => {
          for (const way of found) {
            ancestry.found(way)
            origins.push({ parent, way })
          }
          ancestry.done()
        })
        expect(ancestry.count).toBe(origins.length)
        origins.forEach((origin, state) => {
          expect(ancestry.originOf(state)).toEqual(origin)
        })
      }),
      { numRuns: 30, seed: 4715 },
    )
  })

  it('is still good where there is no more memory', () => {
    for (const segments of ['bits', 'sums', 'ways'] as const) {
      const ancestry = new Ancestry()
      const grow = vi.spyOn(ancestry[segments as never] as Segments, 'grow').mockImplementation(() => {
        throw new OutOfMemory('no more')
      })
      ancestry.found(0)
      expect(() => {
        for (;;) {
          ancestry.found(3)
          ancestry.done()
        }
      }).toThrow(OutOfMemory)
      expect(grow).toHaveBeenCalledOnce()
      const states = Array.from({ length: ancestry.count - 1 }, (_, i) => i + 1)
      expect(states.length).toBeGreaterThan(500)
      expect(
        states.filter((state) => {
          const { parent, way } = ancestry.originOf(state)
          return parent !== state - 1 || way !== 3
        }),
      ).toEqual([])
    }
  })

  it('has at most 65,536 ways', () => {
    expect(() => new Ancestry().found(65_536)).toThrow(/more than 65536 ways/)
  })
})

describe('a queue', () => {
  it('gives back what was put in, in its order, and the room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20_000, max: 20_000 }), { maxLength: 8 }), (moves) => {
        const queue = new Queue(2)
        const into = new Int32Array(2)
        let pushed = 0
        let shifted = 0
        for (const move of moves) {
          for (let i = 0; i < move; i++) queue.push(Int32Array.of(pushed++, -pushed))
          for (let i = move; i < 0 && queue.count > 0; i++) {
            queue.shift(into)
            expect([...into]).toEqual([shifted++, -shifted])
          }
          expect(queue.count).toBe(pushed - shifted)
          expect(queue.byteLength).toBeLessThanOrEqual(8 * (queue.count + 2 * 4096))
        }
      }),
      { numRuns: 50, seed: 4716 },
    )
  })
})

describe('an exploration with hash compaction', () => {
  it('takes two thirds of the room, or less', () => {
    const whole = exploreAll(lockedCounters(6, 5)).result()
    const search = new CompactedSearch(lockedCounters(6, 5))
    search.run()
    const { states, bytes } = search.result()
    expect(states).toBe(whole.states)
    expect(bytes).toBeLessThan(0.67 * whole.bytes)
  })

  it('misses states where fingerprints are too short, and what is left is still there', () => {
    const { states } = exploreAll(counters(4, 3)).result()
    const search = new CompactedSearch(counters(4, 3), {}, undefined, maskOf(20))
    search.run()
    const result = search.result()
    expect(result.bounded).toBeUndefined()
    expect(result.states).toBeLessThan(states)
    expect(result.states).toBeGreaterThan(states / 2)
  })

  it('keeps to bounds on states, depth and memory', () => {
    for (const [limits, bounded] of [
      [{ states: 1_000 }, 'states'],
      [{ depth: 5 }, 'depth'],
      [{ bytes: 500_000 }, 'memory'],
      [{ milliseconds: 0 }, 'time'],
    ] as const) {
      const search = new CompactedSearch(counters(4, 3), limits)
      search.run()
      expect(search.result().bounded).toBe(bounded)
      expect(search.result().frontier).toBeGreaterThan(0)
    }
  })
})
