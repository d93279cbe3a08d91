/** What is expected of a search while it runs. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Outlook } from '../../src/check/outlook.ts'
import type { Progress } from '../../src/check/watched.ts'
import { designNamed } from '../../src/designs/index.ts'
import { type Exploration, Explorer, type Level, type System } from '../../src/engine/index.ts'
import { compile, parse } from '../../src/litmus/index.ts'

const FILE = 'bench/tests/2-pins-and-forks.litmus'
const STATES = 380_438

/** More than a look ahead looks at. */
function large(): System {
  const { test } = parse(readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8'), FILE)
  return compile(test, designNamed('v5.7')!.rules).system
}

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
    const { low, high } = new Outlook(large(), {}).of(soFar(GROWING, 2_000))!
    expect(low).toBeLessThanOrEqual(STATES)
    expect(high).toBeGreaterThanOrEqual(STATES)
    expect(high / low).toBeLessThan(14)
  })

  it('comes from its levels alone if nobody wants more, or it may soon be over', () => {
    const lower = { low: 30_000 * 4.86, high: Number.POSITIVE_INFINITY }
    expect(new Outlook(undefined, {}).of(soFar(GROWING, 2_000))).toEqual(lower)
    expect(new Outlook(large(), {}).of(soFar(GROWING, 1_000))).toEqual(lower)
  })

  it('comes from its levels as soon as these tell more', () => {
    const outlook = new Outlook(large(), {})
    outlook.of(soFar(GROWING, 2_000))
    const { low, high } = outlook.of(soFar(NEARLY_OVER, 4_000))!
    expect(low).toBe(380_000)
    expect(high).toBeLessThan(400_000)
  })

  it('does without a look ahead that has been overtaken', () => {
    const outlook = new Outlook(large(), {})
    outlook.of(soFar(GROWING, 2_000))
    expect(outlook.of(soFar(GROWING, 3_000, 9_000_000))).toMatchObject({ high: Number.POSITIVE_INFINITY })
  })

  it('is nothing where there are no levels', () => {
    expect(new Outlook(large(), {}).of(soFar(undefined, 9_000))).toBeUndefined()
  })

  it('shows the search where it is meanwhile, and can be stopped', () => {
    const seen: Progress[] = []
    const watch = (progress: Progress): boolean => {
      seen.push(progress)
      return false
    }
    const found = new Outlook(large(), { watch }).of(soFar(GROWING, 2_000))!
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.every(({ states }) => states === 40_000)).toBe(true)
    // A tenth of a second is not enough to tell.
    expect(found.low).toBeGreaterThanOrEqual(40_000)
  })
})
