// What a search has found it does not forget when it begins anew: with other merges, or with reductions.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Adaptive } from '../../src/engine/adaptive.ts'
import {
  type Exploration,
  explore,
  Layout,
  ModelError,
  REDUCTIONS,
  type Search,
  type Steps,
  type System,
  searchOf,
  traceOfFailure,
  traceTo,
} from '../../src/engine/index.ts'
import { build, program } from './programs.ts'
import { replay } from './replay.ts'
import { lockedCounters, system, thread, threads } from './systems.ts'

function found({ finals, failures }: Exploration): string[] {
  return [
    ...finals.map(({ bytes }) => `ends ${bytes}`),
    ...failures.map(({ kind, message }) => `${kind} ${message}`),
  ]
}

/** Goes through a search in the smallest slices; whenever it has found something, it still has it in the next. */
function expectToForgetNothing(search: Search, system: System): { anew: number; kept: number } {
  let before: string[] = []
  let states = 0
  let anew = 0
  const seen = new Set<string>()
  const isNew = (find: string, state: number): boolean => {
    if (state >= 0 || seen.has(find)) return false
    seen.add(find)
    return true
  }
  for (let over = false; !over; ) {
    over = search.run(0)
    const result = search.result()
    const now = found(result)
    if (result.states < states) anew++
    states = result.states
    if (result.bounded !== undefined) expect(now).toEqual(expect.arrayContaining(before))
    expect(new Set(now).size).toBe(now.length)
    before = now
    for (const { bytes, state } of result.finals) {
      if (isNew(`${bytes}`, state)) expect(replay(system, traceTo(search, state))).toEqual([...bytes])
    }
    for (const failed of result.failures) {
      if (!isNew(failed.message, failed.state)) continue
      const trace = traceOfFailure(search, failed)
      const end = replay(system, trace)
      if (failed.kind === 'failure') expect(trace.steps.at(-1)!.failure).toBe(failed.message)
      if (failed.kind === 'invariant' && failed.step !== undefined)
        expect(system.invariant!({ get: (location) => end[location]! })).toBe(failed.message)
    }
  }
  return { anew, kept: seen.size }
}

describe('a search with merging that begins another round', () => {
  it('still has what the rounds before have found, with its runs', () => {
    let anew = 0
    let kept = 0
    for (const source of fc.sample(program, { numRuns: 400, seed: 3101 })) {
      const system = build(source)
      try {
        const search = searchOf(system, { mode: 'breadth-first', reductions: ['merging'] }, { states: 8_000 })
        const seen = expectToForgetNothing(search, system)
        anew += seen.anew
        kept += seen.kept
      } catch (error) {
        if (!(error instanceof ModelError)) throw error
      }
    }
    expect(anew).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(0)
  })
})

/** Counters that are far from their end, and beside them something that goes wrong, and some ends, soon. */
function nearAndFar(): System {
  const layout = new Layout()
  const cells = Array.from({ length: 4 }, (_, i) => layout.cell(`c${i}`, 20))
  const near = layout.cell('near', 1)
  function* far(_: unknown, me: number): Steps<void> {
    for (let i = 0; i < 3; i++) {
      yield* cells[me]!.add(1)
      yield* cells[(me + 1) % 4]!.add(1)
    }
  }
  function* raise(): Steps<void> {
    yield* near.write(1)
    yield* near.write(0)
  }
  return system(layout, [...threads(4, far), thread(raise)], {
    invariant: (memory) =>
      memory.get(near.location) === 1 && memory.get(cells[0]!.location) === 1 ? 'near' : undefined,
  })
}

describe('a search that goes over to reductions', () => {
  it('still has what it has found without, with its runs', () => {
    const far = nearAndFar()
    const search = new Adaptive(far, { states: 4_000 }, undefined, 3_000)
    const { anew, kept } = expectToForgetNothing(search, far)
    expect(anew).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(0)
    expect(search.result().failures.map(({ message }) => message)).toEqual(['near'])
  })

  it('has it until it is over, and then only what is left of it with reductions', () => {
    const of = () => lockedCounters(3, 3)
    const plain = explore(of())
    const search = new Adaptive(of(), {}, undefined, plain.states - 1)
    expect(search.run()).toBe(true)
    expect(search.result().bounded).toBeUndefined()
    expect(found(search.result())).toEqual(found(plain))
    for (const { state } of search.result().finals) expect(state).toBeGreaterThan(0)
  })

  it('goes over to them where memory is short, too', () => {
    const of = () => lockedCounters(4, 4)
    const plain = explore(of())
    const bytes = 0.7 * plain.bytes
    expect(explore(of(), { bytes }).bounded).toBe('memory')
    const search = new Adaptive(of(), { bytes }, undefined)
    expect(search.run()).toBe(true)
    expect(search.result()).toMatchObject({
      bounded: undefined,
      search: { mode: 'breadth-first', reductions: REDUCTIONS },
    })
    expect(found(search.result())).toEqual(found(plain))
  })

  it('ends for want of memory if there is not enough with them either', () => {
    const search = new Adaptive(nearAndFar(), { bytes: 100_000 }, undefined)
    expect(search.run()).toBe(true)
    expect(search.result()).toMatchObject({
      bounded: 'memory',
      search: { mode: 'breadth-first', reductions: REDUCTIONS },
    })
  })
})
