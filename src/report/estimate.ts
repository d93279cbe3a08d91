/** A guess at a number of states, as people read it. */
import type { Estimate } from '../engine/index.ts'

const UNITS = [
  { from: 1e12, unit: ' trillion' },
  { from: 1e9, unit: ' billion' },
  { from: 1e6, unit: ' million' },
]

/** `about 2–8 million`, `at least about 4 million`. */
export function guessed({ low, high }: Estimate): string {
  if (high === Number.POSITIVE_INFINITY) return `at least about ${rounded(low)}`
  return `about ${range(low, high)}`
}

/** `2–8 million`, `900,000–1.2 million`. */
function range(low: number, high: number): string {
  const [a, b] = [rounded(low), rounded(high)]
  if (a === b) return a
  const shared = UNITS.find(({ unit }) => a.endsWith(unit) && b.endsWith(unit))
  return shared === undefined ? `${a}–${b}` : `${a.slice(0, -shared.unit.length)}–${b}`
}

/** To two digits. */
function rounded(n: number): string {
  const digits = Number(n.toPrecision(2))
  const found = UNITS.find(({ from }) => digits >= from)
  const { from, unit } = found ?? { from: 1, unit: '' }
  return `${(digits / from).toLocaleString('en-US')}${unit}`
}
