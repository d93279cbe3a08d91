/**
 * Random small systems: several threads find what the naive explorer finds, by runs as short.
 *
 *   WORKER_PROGRAMS=5000 npx vitest run test/engine/random_workers.test.ts
 *
 * tries as many programs as one has the patience for, other ones each time.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type NaiveResult, naiveExplore } from '../naive.ts'
import { Crew } from './crew.ts'
import { build, program, programText } from './programs.ts'

const PROGRAMS = Number(process.env.WORKER_PROGRAMS ?? 40)
/** The same programs each time, unless somebody asks for more. */
const SEED = process.env.WORKER_PROGRAMS === undefined ? { seed: 4004 } : {}
const SIZES = [1, 2, 3, 4]
const SMALL = 2_000

let crew: Crew
beforeAll(async () => {
  crew = await Crew.gather()
})
afterAll(() => crew.close())

/** Undefined for the few systems that are too large to be compared quickly. */
function small(source: Parameters<typeof build>[0]): NaiveResult | undefined {
  try {
    return naiveExplore(build(source), SMALL)
  } catch (error) {
    if (error instanceof Error && /^more than \d+ states$/.test(error.message)) return undefined
    throw error
  }
}

function sorted(names: Iterable<string>, { distances }: NaiveResult): string[] {
  return [...names].map((name) => `${name} after ${distances.get(name)}`).sort()
}

describe('random systems', () => {
  it('are the same to one, two, three and four threads and to the naive explorer', {
    timeout: 120_000 + 2_000 * PROGRAMS,
  }, async () => {
    let compared = 0
    let failed = 0
    let ended = 0
    await fc.assert(
      fc.asyncProperty(program, async (source) => {
        const naive = small(source)
        if (naive === undefined) return
        const { states, transitions, depth } = naive
        const ends = sorted(naive.finals, naive)
        const failures = sorted(naive.failures, naive)
        compared++
        if (failures.length > 0) failed++
        if (ends.length > 0) ended++
        for (const size of SIZES) {
          // Small tables, so that they grow while others use them; and others are called at once.
          const answer = await crew.explore(['program', programText(source)], size, { firstSlotBits: 4 })
          if (answer.kind === 'failed') throw new Error(`${size} threads: ${answer.error}`)
          expect({ size, ...answer.found }).toMatchObject({
            ...{ size, states, transitions, depth, frontier: 0, bounded: undefined },
            ...{ ends, failures },
          })
        }
      }),
      { numRuns: PROGRAMS, ...SEED },
    )
    // The property means little unless most systems are small enough, and go wrong and right in turn.
    expect(compared).toBeGreaterThan((PROGRAMS * 4) / 5)
    expect(failed).toBeGreaterThan(PROGRAMS / 3)
    expect(ended).toBeGreaterThan(PROGRAMS / 3)
  })
})
