/**
 * Measures how the number of states still grows after a level of a breadth-first search, by how large
 * a part of all states that level is, over the tests that come with Cowherd: the table of
 * `src/engine/estimate.ts`. Then how often a range is right for a test whose own levels were left out
 * of the table, and how wide it is.
 *
 * Percentiles run over levels, so that a test with many levels weighs more.
 */
import { GROWTH, LEAST_DEPTH, LEAST_STATES } from '../src/engine/estimate.ts'
import { Explorer } from '../src/engine/index.ts'
import { cellsOf, FEWEST, part, percentile } from './estimates_cells.ts'

const FOLDERS = ['suite', 'suite-large', 'claims/tests']
/** Larger ones take too long here. */
const MOST = 1_500_000

interface Sample {
  readonly test: string
  /** The part of all states so far that the level is, and of all there are that were found so far. */
  readonly part: number
  readonly found: number
}

const samples = cellsOf(FOLDERS).flatMap(({ test, system }) => {
  const explorer = new Explorer(system(), { states: MOST })
  explorer.run()
  const { states, bounded } = explorer.result()
  return bounded !== undefined || states < FEWEST ? [] : samplesOf(test, explorer)
})

console.log('part ≤     low   median  high   levels')
for (const { most, low, median, high, levels } of tableOf(samples)) {
  console.log(
    [most, low.toPrecision(3), median.toPrecision(3), high.toPrecision(3), levels]
      .map((n) => String(n).padEnd(7))
      .join(' '),
  )
}

console.log('\nfound so far   a range is given   it is right   too low   too high   high / low, median')
const BANDS = [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]
const judged = [...new Set(samples.map(({ test }) => test))].flatMap((test) => {
  const table = tableOf(samples.filter((sample) => sample.test !== test))
  return samples
    .filter((sample) => sample.test === test)
    .map((sample) => {
      const row = table.find(({ most }) => sample.part <= most)!
      const grown = 1 / sample.found
      const ranged = row.high / row.low <= 10
      return {
        ...sample,
        ranged,
        low: grown < row.low,
        high: ranged && grown > row.high,
        width: row.high / row.low,
      }
    })
})
BANDS.forEach((band, i) => {
  const within = judged.filter(({ found }) => found <= band && found > (BANDS[i - 1] ?? 0))
  const ranged = within.filter((one) => one.ranged)
  const right = within.filter(({ low, high }) => !low && !high)
  // The true number is below the range, so the guess was too high; or above it.
  const [tooHigh, tooLow] = [within.filter(({ low }) => low), within.filter(({ high }) => high)]
  const width = percentile(
    ranged.map((one) => one.width),
    0.5,
  )
  console.log(
    [
      `up to ${100 * band} %`.padEnd(14),
      part(ranged, within).padEnd(18),
      part(right, within).padEnd(13),
      part(tooLow, within).padEnd(9),
      part(tooHigh, within).padEnd(10),
      Number.isNaN(width) ? '-' : width.toPrecision(2),
    ].join(' '),
  )
})

function samplesOf(test: string, explorer: Explorer): Sample[] {
  const { states } = explorer.result()
  const depths = new Int32Array(states)
  const levels = [1]
  for (let s = 1; s < states; s++) {
    depths[s] = depths[explorer.parentOf(s)]! + 1
    levels[depths[s]!] = (levels[depths[s]!] ?? 0) + 1
  }
  let upTo = 0
  return levels.flatMap((last, depth) => {
    upTo += last
    if (depth < LEAST_DEPTH || upTo < LEAST_STATES || depth === levels.length - 1) return []
    return [{ test, part: last / upTo, found: upTo / states }]
  })
}

function tableOf(of: readonly Sample[]) {
  return GROWTH.map(([most], i) => {
    const least = GROWTH[i - 1]?.[0] ?? 0
    const grown = of.filter(({ part }) => part <= most && part > least).map(({ found }) => 1 / found)
    const at = (p: number): number => percentile(grown, p)
    return { most, low: at(0.1), median: at(0.5), high: at(0.9), levels: grown.length }
  })
}
