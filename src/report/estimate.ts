/** A guess at a number of states, as people read it. */
import type { Estimate } from '../engine/index.ts'

/** `about 2–8 million`, `more than 4 million`. */
export function guessed({ low, high }: Estimate): string {
  if (high === Number.POSITIVE_INFINITY) return `more than ${rounded(low)}`
  return `about ${range(low, high)}`
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
