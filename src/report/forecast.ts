/** What is guessed of a search that runs: how many states it comes to, and how long that takes. */
import type { Estimate } from '../engine/index.ts'
import { guessed } from './estimate.ts'

export interface Running {
  readonly states: number
  readonly milliseconds: number
  readonly expected: Estimate | undefined
}

/** A guess is not worth a line before that. */
const LEAST_MS = 2_000

/** `of about 2–8 million, 3–20 s left`, `of at least about 4 million`; empty if there is nothing to say yet. */
export function forecast({ states, milliseconds, expected }: Running): string {
  if (expected === undefined || milliseconds < LEAST_MS || states === 0) return ''
  const low = Math.max(expected.low, states)
  const high = Math.max(expected.high, states)
  const of = `of ${guessed({ low, high })}`
  if (high === Number.POSITIVE_INFINITY) return of
  const left = (n: number): number => ((n - states) * milliseconds) / states / 1000
  return `${of}, ${timeRange(left(low), left(high))} left`
}

function timeRange(low: number, high: number): string {
  if (high < 100)
    return seconds(low) === seconds(high) ? `${seconds(high)} s` : `${seconds(low)}–${seconds(high)} s`
  const [a, b] = [Math.floor(low / 60), Math.ceil(high / 60)]
  return a === b ? `${b} min` : `${a}–${b} min`
}

function seconds(n: number): number {
  return n < 10 ? Math.ceil(n) : Number(n.toPrecision(1))
}
