/** What is expected of a search while it runs. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Outlook } from '../../src/check/outlook.ts'
import { type Progress, searchWatched } from '../../src/check/watched.ts'
import { designNamed } from '../../src/designs/index.ts'
import { type Exploration, Explorer, type Level, type System } from '../../src/engine/index.ts'
import { compile, parse } from '../../src/litmus/index.ts'

const STATES = 380_438

function systemOf(file: string, design: string): System {
  const { test } = parse(readFileSync(new URL(`../../bench/tests/${file}`, import.meta.url), 'utf8'), file)
  return compile(test, designNamed(design)!.rules).system
}

/** More than a look ahead looks at. */
const large = (): System => systemOf('2-pins-and-forks.litmus', 'v5.7')
/** So large that the runs with two preemptions are more than a look ahead looks at. */
const huge = (): System => systemOf('3-pins-forks-reads.litmus', 'hildenbrand-v1')

const explorer = new Explorer(large(), { states: 1_000 })
explorer.run()

/** A search that has come so far. */
function soFar(level: Level | undefined, milliseconds: number, states = 40_000): Exploration {
  const { level: _, ...others } = explorer.result()
  return { ...others, states, milliseconds, ...(level && { level }) }
}

const GROWING = { depth: 40, last: 4_000, upTo: 30_000 }
const NEARLY_OVER = { depth: 100, last: 10, upTo: 380_000 }

describe('what is expected of a search', () => {
  it('comes from a look ahead while its levels tell no more than a lower end', () => {
    const { low, high } = new Outlook(large(), {}).expect(soFar(GROWING, 2_000))!
    expect(low).toBeLessThanOrEqual(STATES)
    expect(high).toBeGreaterThanOrEqual(STATES)
    expect(high / low).toBeLessThan(14)
  })

  it('comes from its levels alone if nobody wants more, or it may soon be over', () => {
    const lower = { low: 30_000 * 4.86, high: Number.POSITIVE_INFINITY }
    expect(new Outlook(undefined, {}).expect(soFar(GROWING, 2_000))).toEqual(lower)
    expect(new Outlook(large(), {}).expect(soFar(GROWING, 1_000))).toEqual(lower)
  })

  it('comes from its levels as soon as these tell more', () => {
    const outlook = new Outlook(large(), {})
    outlook.expect(soFar(GROWING, 2_000))
    const { low, high } = outlook.expect(soFar(NEARLY_OVER, 4_000))!
    expect(low).toBe(380_000)
    expect(high).toBeLessThan(400_000)
  })

  it('does without a look ahead that has been overtaken', () => {
    const outlook = new Outlook(large(), {})
    outlook.expect(soFar(GROWING, 2_000))
    expect(outlook.expect(soFar(GROWING, 3_000, 9_000_000))).toMatchObject({ high: Number.POSITIVE_INFINITY })
  })

  it('is nothing where there are no levels', () => {
    expect(new Outlook(large(), {}).expect(soFar(undefined, 9_000))).toBeUndefined()
  })

  it('looks ahead once, and shows the search where it is meanwhile', () => {
    const seen: Progress[] = []
    const watch = (progress: Progress): boolean => seen.push(progress) > 0
    const outlook = new Outlook(large(), { watch })
    outlook.expect(soFar(GROWING, 2_000))
    const looks = seen.length
    expect(looks).toBeGreaterThan(0)
    expect(seen.every(({ states }) => states === 40_000)).toBe(true)
    outlook.expect(soFar(GROWING, 2_100))
    expect(seen).toHaveLength(looks)
  })

  it('is what its levels tell if somebody does not want to wait', () => {
    const found = new Outlook(large(), { watch: () => false }).expect(soFar(GROWING, 2_000))
    expect(found).toEqual({ low: 30_000 * 4.86, high: Number.POSITIVE_INFINITY })
  })

  it('takes the higher of two lower ends', () => {
    const low = { depth: 40, last: 2_000, upTo: 2_500 }
    const outlook = new Outlook(huge(), {})
    const found = outlook.expect(soFar(low, 2_000))!
    expect(found.high).toBe(Number.POSITIVE_INFINITY)
    expect(found.low).toBeGreaterThan(100_000)
    const high = { depth: 40, last: 200_000, upTo: 1_000_000 }
    expect(outlook.expect(soFar(high, 3_000))!.low).toBe(4.86e6)
  })

  it('hears nothing of what goes wrong in a look ahead', () => {
    const system = large()
    const broken = (): never => {
      throw new Error('only here')
    }
    const threads = system.threads.map((thread) => ({ ...thread, procedure: broken }))
    const found = new Outlook({ ...system, threads }, {}).expect(soFar(GROWING, 2_000))
    expect(found).toEqual({ low: 30_000 * 4.86, high: Number.POSITIVE_INFINITY })
  })
})

it('nothing is expected of a search that is over', () => {
  const search = new Explorer(large(), { states: 100 })
  let asked = 0
  const seen: Progress[] = []
  const watch = (progress: Progress): boolean => seen.push(progress) > 0
  searchWatched(search, { watch }, () => {
    asked++
    return undefined
  })
  expect(asked).toBe(0)
  expect(seen).toHaveLength(1)
})
