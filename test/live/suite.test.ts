// The engine says what can happen. Here it happens: each test of the suite on real threads, under a few of the
// designs, and nothing may come of it that the engine does not have.
//
// Bounded, so that it can run every time. By hand, for longer:
//   LIVE_RUNS=1000 LIVE_DESIGNS=all npx vitest run test/live/suite.test.ts

import { afterAll, describe, expect, it } from 'vitest'
import { DESIGNS, designNamed } from '../../src/designs/index.ts'
import { corpus } from '../suite/corpus.ts'
import { allowedBy, forbidden, newCrew, runLive } from './crew.ts'

const RUNS = Number(process.env.LIVE_RUNS ?? 20)
const EVERY_DESIGN = process.env.LIVE_DESIGNS === 'all'
/** How many designs each test runs under; which ones goes round. */
const SAMPLE = 2
const BUDGET = EVERY_DESIGN ? 3_600_000 : 300_000

const crew = newCrew()
afterAll(() => crew.close())

describe('the suite on live threads', () => {
  it('does nothing that the engine forbids', { timeout: BUDGET }, async () => {
    const surprises: string[] = []
    let seen = 0
    let allowed = 0
    for (const [i, one] of corpus().entries()) {
      const designs = EVERY_DESIGN
        ? DESIGNS
        : Array.from({ length: SAMPLE }, (_, n) => DESIGNS[(SAMPLE * i + n) % DESIGNS.length]!)
      for (const design of designs) {
        const can = allowedBy(one, design)
        const runs = await runLive(crew, one, design, RUNS, i)
        expect(runs.runs).toBe(RUNS)
        surprises.push(
          ...forbidden(runs, can).map((what) => `${one.test.name} under ${design.name}: ${what}`),
        )
        seen += runs.outcomes.length
        allowed += can.outcomes.size
      }
    }
    expect(surprises).toEqual([])
    // Otherwise nothing would have raced.
    expect(seen / allowed).toBeGreaterThan(0.3)
    if (EVERY_DESIGN) console.log(`${seen} of ${allowed} outcomes seen`)
  })
})

describe('the race of a lockless pin with fork', () => {
  const fastPin = corpus().find(({ test }) => test.name === 'fast-pin')!
  const LOST = 'parent.r0=0'
  const [v5_9, v5_11] = ['v5.9', 'v5.11'].map((name) => designNamed(name)!)

  it('is lost under v5.9 within ten seconds, and never under v5.11', { timeout: 120_000 }, async () => {
    const began = Date.now()
    let lost = 0
    let runsNeeded = 0
    for (let seed = 1; lost === 0 && Date.now() - began < 10_000; seed++) {
      const { outcomes, runs } = await runLive(crew, fastPin, v5_9!, 200, seed)
      lost = outcomes.filter(([key]) => key.includes(LOST)).reduce((sum, [, count]) => sum + count, 0)
      runsNeeded += runs
    }
    expect(lost).toBeGreaterThan(0)

    const { outcomes, runs } = await runLive(crew, fastPin, v5_11!, 10 * runsNeeded)
    expect(runs).toBe(10 * runsNeeded)
    expect(outcomes.filter(([key]) => key.includes(LOST))).toEqual([])
    expect([...allowedBy(fastPin, v5_11!).outcomes].filter((key) => key.includes(LOST))).toEqual([])
  })
})
