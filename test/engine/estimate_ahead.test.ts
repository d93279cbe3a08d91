/** Guesses before a system is explored, from what few preemptions lead to. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { designNamed } from '../../src/designs/index.ts'
import { estimateAhead } from '../../src/engine/estimate_ahead.ts'
import { Explorer } from '../../src/engine/explore.ts'
import { atomic, call, Layout, type Steps, type System, type View } from '../../src/engine/index.ts'
import { FewPreemptions } from '../../src/engine/preemptions.ts'
import { compile, parse } from '../../src/litmus/index.ts'
import { system, threads } from './systems.ts'

/** Threads that have nothing to do with each other, each with so many steps; or each of these under one lock. */
function strangers(n: number, steps: number, locked = false): System {
  const layout = new Layout()
  const cells = Array.from({ length: n }, (_, i) => layout.cell(`cell ${i}`, steps))
  const lock = layout.lock('lock')
  function* step(_: unknown, i: number, value: number): Steps<void> {
    if (locked) yield* lock.lock()
    yield* cells[i]!.write(value)
    if (locked) yield* lock.unlock()
  }
  function* worker(_: unknown, i: number): Steps<void> {
    for (let value = 1; value <= steps; value++) yield* call(step, i, value)
  }
  return system(layout, threads(n, worker))
}

function litmus(file: string, design: string): System {
  const { test } = parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), file)
  return compile(test, designNamed(design)!.rules).system
}

function countStates(system: System): number {
  const explorer = new Explorer(system)
  explorer.run()
  return explorer.result().states
}

function withFewPreemptions(system: System, most: number, states?: number): FewPreemptions {
  const search = new FewPreemptions(system, most, states === undefined ? {} : { states })
  search.run()
  return search
}

describe('a guess from runs with few preemptions', () => {
  it('is exact for threads that have nothing to do with each other', () => {
    for (const [n, steps] of [
      [2, 7],
      [4, 5],
      [5, 3],
    ] as const) {
      const search = withFewPreemptions(strangers(n, steps), 1)
      expect(search.guess(1)).toBeCloseTo((steps + 1) ** n, 6)
      expect(search.guess(0)).toBeLessThan((steps + 1) ** n)
    }
  })

  it('counts no combination of places that two threads cannot be at together', () => {
    const states = countStates(strangers(4, 4, true))
    const search = withFewPreemptions(strangers(4, 4, true), 1)
    expect(search.result().states).toBeLessThan(states / 2)
    expect(Math.abs(search.guess(1) / states - 1)).toBeLessThan(0.02)
  })

  it('tells how many memories there are with a combination of places', () => {
    // Each of four threads leaves one of three values behind, and does not know which.
    const layout = new Layout()
    const cells = Array.from({ length: 4 }, (_, i) => layout.cell(`cell ${i}`, 3))
    const leave = (view: View, _: unknown, i: number): number => {
      view.set(cells[i]!.location, 1 + view.choose(3))
      return 0
    }
    function* worker(_: unknown, i: number): Steps<void> {
      yield* atomic(leave, i)
    }
    const search = withFewPreemptions(system(layout, threads(4, worker)), 0)
    expect(search.result().states).toBe(4 ** 4)
    // Of 16 combinations of places those with k values have 3 ** k memories.
    expect(search.guess(0)).toBeCloseTo(4 ** 4, 6)
  })

  it('has a range with the number of states in it, where only a part of them was looked at', () => {
    for (const [file, design] of [
      ['suite-large/swap-write-pipe-kswapd.litmus', 'v5.19'],
      ['bench/tests/2-pins-and-forks.litmus', 'v5.7'],
    ] as const) {
      const states = countStates(litmus(file, design))
      const search = withFewPreemptions(litmus(file, design), Number.MAX_SAFE_INTEGER, Math.floor(states / 2))
      const { low, high } = search.guessStates()!
      expect(low).toBeLessThanOrEqual(states)
      expect(high).toBeGreaterThanOrEqual(states)
      expect(high / low).toBeLessThan(14)
    }
  }, 60_000)

  it('is the same each time', () => {
    const guess = (): unknown =>
      withFewPreemptions(litmus('suite/ksm/ksmd-across-vmsplice.litmus', 'v5.19'), 2).guessStates()
    expect(guess()).toEqual(guess())
  })

  it('is not made before all runs with one preemption have been looked at', () => {
    expect(withFewPreemptions(strangers(4, 5), 9, 20).guessStates()).toBeUndefined()
    expect(withFewPreemptions(strangers(4, 5), 0).guessStates()).toBeUndefined()
  })

  it('is never below what was found, and exact when that is all', () => {
    const all = withFewPreemptions(strangers(3, 4), 9)
    expect(all.result()).toMatchObject({ bounded: undefined, states: 125 })
    const { low, high } = all.guessStates()!
    expect(low).toBe(125)
    expect(high).toBeLessThan(140)
  })
})

describe('a range', () => {
  it('is the wider the more the guess has grown, and a lower end alone if it is too wide', () => {
    const [none, some, more, most] = [1_000, 500, 300, 100].map((before) => estimateAhead(2, before, 1_000))
    expect(none).toEqual({ low: 800, high: 1_050 })
    expect(some!.high / some!.low).toBeGreaterThan(none!.high / none!.low)
    expect(more!.high / more!.low).toBeGreaterThan(some!.high / some!.low)
    expect(most).toEqual({ low: 800, high: Number.POSITIVE_INFINITY })
  })

  it('is narrower after one preemption, where there is more to come than the growth tells', () => {
    expect(estimateAhead(1, 250, 1_000)).toEqual({ low: 800, high: 6_000 })
    expect(estimateAhead(2, 250, 1_000)).toEqual({ low: 800, high: 8_400 })
  })

  it('is not turned round by a guess that has shrunk', () => {
    const { low, high } = estimateAhead(3, 2_000, 1_000)
    expect(high).toBeGreaterThan(low)
  })
})
