import { describe, expect, it } from 'vitest'
import { guessed } from '../../src/report/estimate.ts'
import { forecast } from '../../src/report/forecast.ts'

describe('a forecast', () => {
  it.each([
    [{ states: 1_000_000, milliseconds: 1_900, expected: { low: 2e6, high: 3e6 } }, ''],
    [{ states: 1_000_000, milliseconds: 5_000, expected: undefined }, ''],
    [
      { states: 1_000_000, milliseconds: 5_000, expected: { low: 2.04e6, high: 8.4e6 } },
      'of about 2–8.4 million, 6–40 s left',
    ],
    [
      { states: 400_000, milliseconds: 4_000, expected: { low: 812_345, high: 1_250_000 } },
      'of about 810,000–1.3 million, 5–9 s left',
    ],
    [
      { states: 1_000_000, milliseconds: 3_000, expected: { low: 4.4e6, high: Number.POSITIVE_INFINITY } },
      'of at least about 4.4 million',
    ],
    [
      { states: 10_000_000, milliseconds: 60_000, expected: { low: 2e7, high: 5e7 } },
      'of about 20–50 million, 1–4 min left',
    ],
    // It has already come further than was guessed.
    [
      { states: 3_000_000, milliseconds: 3_000, expected: { low: 2e6, high: 2.5e6 } },
      'of about 3 million, 0 s left',
    ],
  ])('of %o', (running, words) => {
    expect(forecast(running)).toBe(words)
  })
})

describe('a guess', () => {
  it.each([
    [{ low: 104, high: 230 }, 'about 100–230'],
    [{ low: 204_000, high: 999_999 }, 'about 200,000–1 million'],
    [{ low: 2.6e6, high: 5.5e8 }, 'about 2.6–550 million'],
    [{ low: 5e8, high: 4.2e9 }, 'about 500 million–4.2 billion'],
    [{ low: 3e11, high: 9e12 }, 'about 300 billion–9 trillion'],
    [{ low: 3e15, high: Number.POSITIVE_INFINITY }, 'at least about 3,000 trillion'],
  ])('of %o', (estimate, words) => {
    expect(guessed(estimate)).toBe(words)
  })
})
