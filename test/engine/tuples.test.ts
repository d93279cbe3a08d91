import { describe, expect, test } from 'vitest'
import { SLICE_SHIFT } from '../../src/engine/hash.ts'
import { OutOfMemory } from '../../src/engine/segments.ts'
import { reserveTuples, SharedTuples } from '../../src/engine/shared_tuples.ts'
import { Tuples, type TupleTable } from '../../src/engine/tuples.ts'

const WIDTH = 2

function sharedTuples(): SharedTuples {
  return new SharedTuples(reserveTuples(WIDTH, 1, 100_000, 2 ** 24, 4), () => undefined)
}

const TABLES: readonly (readonly [string, () => TupleTable])[] = [
  ['of one thread', () => new Tuples(WIDTH, 1)],
  ['of several', sharedTuples],
]

function internAll(table: TupleTable, tuples: readonly (readonly [number, number])[]): number[] {
  return tuples.map(([a, b]) => {
    const words = Int32Array.of(a, b)
    return table.intern(words, 0, table.hash(words, 0), a ^ b)
  })
}

/** Every tuple under the number of its first occurrence. */
function numbersOf(tuples: readonly (readonly [number, number])[]): number[] {
  const numbers = new Map<string, number>()
  return tuples.map((tuple) => {
    const key = tuple.join()
    if (!numbers.has(key)) numbers.set(key, numbers.size)
    return numbers.get(key)!
  })
}

function expectAll(table: TupleTable, tuples: readonly (readonly [number, number])[]): void {
  const numbers = numbersOf(tuples)
  expect(internAll(table, tuples)).toEqual(numbers)
  // Once more, when all have moved to where they stay.
  expect(internAll(table, tuples)).toEqual(numbers)
  expect(table.count).toBe(new Set(numbers).size)
  tuples.forEach(([a, b], i) => {
    expect([0, 1, 2].map((word) => table.word(numbers[i]!, word))).toEqual([a, b, a ^ b])
  })
}

describe.each(TABLES)('a table %s', (_, make) => {
  test('numbers tuples in the order of their first occurrence, whatever they are', () => {
    let seed = 7
    const next = (n: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % n
    }
    const scattered = Array.from({ length: 20_000 }, () => [next(150) - 75, next(150) << 20] as const)
    const dense = Array.from({ length: 20_000 }, (_, i) => [i >> 7, i & 127] as const)
    expectAll(make(), scattered)
    expectAll(make(), dense)
  })

  test('finds tuples that all lie in one bucket, and overflow it, while it doubles', () => {
    const table = make()
    const crowd: [number, number][] = []
    for (let i = 0; crowd.length < 100; i++) {
      const hash = table.hash(Int32Array.of(i, 1), 0)
      // The same shard, and the same lowest bits.
      if (hash >>> SLICE_SHIFT === 0x2a && (hash & 3) === 1) crowd.push([i, 1])
    }
    expectAll(table, crowd)
  })
})

test('a thread that needs what a thread that died was about to move does not wait for ever', () => {
  const buffers = reserveTuples(1, 0, 100_000, 2 ** 24, 4)
  let died = false
  const pause = (): void => {
    died = true
    throw new Error('somebody has died')
  }
  const mover = new SharedTuples(buffers, pause)
  const other = new SharedTuples(buffers, pause)
  const words = Int32Array.of(0)
  const crowd: number[] = []
  for (let i = 0; crowd.length < 16; i++) {
    words[0] = i
    if (mover.hash(words, 0) >>> SLICE_SHIFT === 0) crowd.push(i)
  }
  const intern = (table: SharedTuples, word: number): number => {
    words[0] = word
    return table.intern(words, 0, table.hash(words, 0))
  }
  for (const word of crowd.slice(0, 8)) intern(mover, word)
  // The last slot of the shard is claimed, and whoever claimed it has gone.
  new Int32Array(buffers.tables)[15] = -1
  expect(() => {
    for (const word of crowd) intern(mover, word)
    for (let i = 0; ; i++) intern(mover, i)
  }).toThrow('somebody has died')
  died = false
  expect(() => intern(other, crowd[0]!)).toThrow('somebody has died')
  expect(died).toBe(true)
})

test('a thread that has not heard how many there are adds one tuple too many at most', () => {
  const buffers = reserveTuples(1, 0, 5_000, 2 ** 24, 4)
  const [busy, idle] = [0, 1].map(() => new SharedTuples(buffers, () => undefined)) as [
    SharedTuples,
    SharedTuples,
  ]
  const words = Int32Array.of(0)
  const intern = (table: SharedTuples, word: number): number => {
    words[0] = word
    return table.intern(words, 0, table.hash(words, 0))
  }
  intern(idle, -1)
  let next = 0
  expect(() => {
    for (;;) intern(busy, next++)
  }).toThrow(OutOfMemory)
  const most = busy.count
  expect(most).toBe(5_000)
  expect(intern(idle, -2)).toBe(most)
  expect(() => intern(idle, -3)).toThrow(OutOfMemory)
  // What is there is found by both.
  for (let word = -2; word < next - 1; word++) expect(intern(busy, word)).toBe(intern(idle, word))
  expect(busy.count).toBe(most + 1)
})
