// Explorations by several threads find what one thread finds, however the threads take turns.

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { explore, traceTo } from '../../src/engine/index.ts'
import { ParallelExplorer } from '../../src/engine/parallel.ts'
import { KEEPS_STEPS, type Share } from '../../src/engine/share.ts'
import { reserveTuples, SharedTuples } from '../../src/engine/shared_tuples.ts'
import { corpus } from '../suite/corpus.ts'
import { Crew } from './crew.ts'
import type { Found, Recipe } from './crew_member.ts'
import { counters } from './systems.ts'

let crew: Crew
beforeAll(async () => {
  crew = await Crew.gather()
})
afterAll(() => crew.close())

const SYSTEMS: readonly Recipe[] = [
  ['counters', 3, 2],
  ['lockedCounters', 3, 2],
  ['casCounter', 4],
  ['peterson', true],
  ['peterson', false],
  ['philosophers', 4, false],
  ['philosophers', 4, true],
  ['nestedReader', true],
  ['readersWriters', 2, 2, true],
  ['ring', 4, 3],
]
const TIMES = 4
/** Tests of the suite with more states than this are left to larger machines. */
const SMALL = 2_000
/** One of so many of the suite's tests; every design has some of them. */
const EVERY = 4

async function found(...args: Parameters<Crew['explore']>): Promise<Found> {
  const answer = await crew.explore(...args)
  if (answer.kind === 'failed') throw new Error(answer.error)
  return answer.found
}

describe('one, two, three and four threads find the same', { timeout: 300_000 }, () => {
  it.each(SYSTEMS)('of %s %s %s %s', async (...recipe) => {
    const given = recipe.filter((part) => part !== undefined) as unknown as Recipe
    const alone = await found(given, 0)
    expect(alone.states).toBeGreaterThan(5)
    for (let time = 0; time < TIMES; time++) {
      for (const size of [1, 2, 3, 4]) {
        // Small tables, so that they grow while others use them.
        expect({ size, ...(await found(given, size, { firstSlotBits: 4 })) }).toEqual({ size, ...alone })
      }
    }
  })

  it('of the suite’s small tests', { timeout: 900_000 }, async () => {
    let compared = 0
    for (const [i, { file }] of corpus().entries()) {
      if (i % EVERY !== 0) continue
      const recipe: Recipe = ['litmus', file, ['v5.7', 'v5.9', 'v5.19'][i % 3]!]
      const alone = await found(recipe, 0, { limits: { states: SMALL } })
      if (alone.bounded !== undefined) continue
      compared++
      for (const size of [1, 2, 3, 4]) {
        expect({ file, size, ...(await found(recipe, size)) }).toEqual({ file, size, ...alone })
      }
    }
    expect(compared).toBeGreaterThan(10)
  })

  it('of 361,775 states', async () => {
    expect(await found(['counters', 4, 3], 3)).toMatchObject({
      states: 361_775,
      transitions: 1_225_956,
      frontier: 0,
      bounded: undefined,
    })
  })

  it('and of each level up to a bound on depth', async () => {
    for (const depth of [0, 3, 7]) {
      const alone = await found(['counters', 3, 2], 0, { limits: { depth } })
      expect(alone.bounded).toBe('depth')
      expect(await found(['counters', 3, 2], 3, { limits: { depth } })).toEqual(alone)
    }
  })
})

describe('a bound that several threads meet', { timeout: 300_000 }, () => {
  it.each([
    ['states', { states: 5_000 }],
    ['memory', { bytes: 400_000 }],
    ['time', { milliseconds: 30 }],
  ] as const)('on %s is told as such', async (bounded, limits) => {
    const result = await found(['counters', 4, 3], 3, { limits })
    expect(result.bounded).toBe(bounded)
    expect(result.states).toBeGreaterThan(1)
    expect(result.states).toBeLessThan(361_775)
    expect(result.frontier).toBeGreaterThan(0)
  })

  it('on states that is just enough is none', async () => {
    const alone = await found(['counters', 3, 2], 0)
    expect(await found(['counters', 3, 2], 3, { limits: { states: alone.states } })).toEqual(alone)
  })
})

it('ends are found in an order that is not up to chance', () => {
  const team = { size: 1, call: () => undefined }
  const explorer = new ParallelExplorer(counters(3, 2), team)
  explorer.run()
  const { finals } = explorer.result()
  const ends = finals.map(({ state, bytes }) => ({ steps: traceTo(explorer, state).steps.length, bytes }))
  const key = ({ steps, bytes }: (typeof ends)[number]) =>
    [steps, ...bytes].map((n) => String(n).padStart(3, '0')).join()
  expect(new Set(ends.map(key)).size).toBeGreaterThan(2)
  expect(ends.map(key)).toEqual(ends.map(key).sort())
})

describe('where there is no room to keep steps', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('none are kept, and the same is found', () => {
    const Buffer = SharedArrayBuffer
    let refused = 0
    vi.stubGlobal(
      'SharedArrayBuffer',
      class extends Buffer {
        constructor(length: number) {
          // What steps need is reserved first.
          if (refused++ === 0) throw new RangeError('no room')
          super(length)
        }
      },
    )
    let share: Share | undefined
    const call = (called: Share): void => {
      share = called
    }
    const explorer = new ParallelExplorer(counters(3, 2), { size: 2, from: 2, call })
    explorer.run()
    expect(refused).toBeGreaterThan(1)
    expect(explorer.result()).toMatchObject({ states: explore(counters(3, 2)).states, bounded: undefined })
    // Or each thread would go by steps that only it knows.
    expect(share?.steps).toBeUndefined()
    expect(new Int32Array(share!.control)[KEEPS_STEPS]).toBe(0)
  })
})

describe('a thread that fails', { timeout: 300_000 }, () => {
  it.each([
    ['exit', /a thread that explored with others has died/, undefined],
    ['throw', /^bump threw: no more$/, 'threw'],
    ['impure', /^bump in worker, or what comes after it, did something else in another thread/, 'impure'],
  ] as const)('by %s ends the exploration with one message', async (where, message, fault) => {
    // Whether it is a helper that first comes to the place where it fails is up to chance.
    for (let time = 0; time < 20; time++) {
      const answer = await crew.explore(['traitor', where], 4)
      await crew.dismiss()
      if (answer.kind === 'found') continue
      expect(answer.error).toMatch(message)
      expect(answer.fault).toBe(fault)
      return
    }
    expect.fail('no helper ever came to the place where it fails')
  })
})

describe('a table that several threads fill', { timeout: 300_000 }, () => {
  it.each([1, 2, 4])('has every tuple once: %i words', async (width) => {
    const TUPLES = 40_000
    for (let time = 0; time < 3; time++) {
      const buffers = reserveTuples(width + 1, 1, 2 * TUPLES, 2 ** 24, 4)
      const answers = await crew.all(4, (seed) => ({ kind: 'fill', buffers, seed, tuples: TUPLES }))
      const table = new SharedTuples(buffers, () => {})
      expect(table.count).toBe(TUPLES)
      for (const answer of answers) {
        expect(answer).toMatchObject({ kind: 'filled' })
        if (answer.kind === 'filled') expect(answer.numbers).toEqual((answers[0] as typeof answer).numbers)
      }
      const [first] = answers
      if (first?.kind !== 'filled') throw new Error('not filled')
      expect(new Set(first.numbers).size).toBe(TUPLES)
      const wrong = first.numbers.findIndex(
        (number, which) =>
          number < 0 ||
          number >= TUPLES ||
          table.word(number, 0) !== which >> 3 ||
          table.word(number, width) !== which ||
          table.word(number, width + 1) !== which,
      )
      expect(wrong).toBe(-1)
    }
  })
})
