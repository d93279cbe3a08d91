import { describe, expect, it } from 'vitest'
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
      'of more than 4.4 million',
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
