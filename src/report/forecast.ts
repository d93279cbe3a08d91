/** What is guessed of a search that runs: how many states it comes to, and how long that takes. */
import type { Estimate } from '../engine/index.ts'

export interface Running {
  readonly states: number
  readonly milliseconds: number
  readonly expected: Estimate | undefined
}

/** A guess is not worth a line before that. */
const LEAST_MS = 2_000

/** `of about 2–8 million, 3–20 s left`, `of more than 4 million`; empty if there is nothing to say yet. */
export function forecast({ states, milliseconds, expected }: Running): string {
  if (expected === undefined || milliseconds < LEAST_MS || states === 0) return ''
  const low = Math.max(expected.low, states)
  const high = Math.max(expected.high, states)
  if (high === Number.POSITIVE_INFINITY) return `of more than ${rounded(low)}`
  const left = (n: number): number => ((n - states) * milliseconds) / states / 1000
  return `of about ${range(low, high)}, ${timeRange(left(low), left(high))} left`
}

/** `2–8 million`, `900,000–1.2 million`. */
function range(low: number, high: number): string {
  const [a, b] = [rounded(low), rounded(high)]
  if (a === b) return a
  const unit = ' million'
  return a.endsWith(unit) && b.endsWith(unit) ? `${a.slice(0, -unit.length)}–${b}` : `${a}–${b}`
}

/** To two digits. */
function rounded(n: number): string {
  const digits = Number(n.toPrecision(2))
  return digits >= 1e6 ? `${digits / 1e6} million` : digits.toLocaleString('en-US')
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
