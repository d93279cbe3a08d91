/**
 * Measures how often the ranges of `src/engine/estimate_ahead.ts` are right, and how wide they are: over the
 * tests that come with Cowherd, by which its numbers were chosen, and over those of growing size
 * (`scaling_tests.ts`), by which only the lower end was.
 */
import { designNamed } from '../src/designs/index.ts'
import { estimateAhead } from '../src/engine/estimate_ahead.ts'
import { Explorer } from '../src/engine/index.ts'
import { FewPreemptions } from '../src/engine/preemptions.ts'
import { compile, parse } from '../src/litmus/index.ts'
import { type Cell, cellsOf, FEWEST, part, percentile } from './estimates_cells.ts'
import { SIZES, testOf } from './scaling_tests.ts'

const FOLDERS = ['suite', 'suite-large', 'claims/tests', 'bench/tests']
/** Larger ones take too long here. */
const MOST = 20_000_000
/** States that are looked at for a guess. */
const LOOKED_AT = 1_000_000
const SIZES_OF_STATES = [
  [FEWEST, 30_000],
  [30_000, 300_000],
  [300_000, MOST],
] as const

interface Guess {
  readonly states: number
  readonly preemptions: number
  readonly low: number
  readonly high: number
  /** The part of all states that was looked at. */
  readonly found: number
}

const growing: Cell[] = SIZES.map((size) => ({
  test: Object.values(size).join('-'),
  system: () => compile(parse(testOf(size), 'scaling').test, designNamed('v5.19')!.rules).system,
}))

report('the tests that come with Cowherd', cellsOf(FOLDERS))
report('tests of growing size', growing)

function report(what: string, cells: readonly Cell[]): void {
  const guesses = cells.flatMap(guessesOf)
  console.log(`\n${what}`)
  console.log('states       preemptions  explorations  found   range   right   too low  too high  high / low')
  for (const [from, to] of SIZES_OF_STATES) {
    for (const preemptions of [1, 2, 3, 4]) {
      const some = guesses.filter(
        ({ states, preemptions: these }) => states >= from && states < to && these === preemptions,
      )
      if (some.length > 0)
        console.log(`from ${from}`.padEnd(12), String(preemptions).padEnd(12), judgement(some))
    }
  }
}

function judgement(guesses: readonly Guess[]): string {
  const ranged = guesses.filter(({ high }) => high < Number.POSITIVE_INFINITY)
  const tooHigh = guesses.filter(({ states, low }) => states < low)
  const tooLow = guesses.filter(({ states, high }) => states > high)
  const right = guesses.filter((guess) => !tooHigh.includes(guess) && !tooLow.includes(guess))
  const found = percentile(
    guesses.map((guess) => guess.found),
    0.5,
  )
  const width = percentile(
    ranged.map(({ low, high }) => high / low),
    0.5,
  )
  return [
    String(guesses.length).padEnd(13),
    `${(100 * found).toPrecision(2)} %`.padEnd(7),
    part(ranged, guesses).padEnd(7),
    part(right, guesses).padEnd(7),
    part(tooLow, guesses).padEnd(8),
    part(tooHigh, guesses).padEnd(9),
    Number.isNaN(width) ? '-' : width.toPrecision(2),
  ].join(' ')
}

/** A guess for each number of preemptions that does not lead to all states. */
function guessesOf({ system }: Cell): Guess[] {
  const explorer = new Explorer(system(), { states: MOST })
  explorer.run()
  const { states, bounded } = explorer.result()
  if (bounded !== undefined || states < FEWEST) return []
  const search = new FewPreemptions(system(), Number.MAX_SAFE_INTEGER, { states: LOOKED_AT })
  search.run()
  const { within } = search
  const guesses = within.map((_, preemptions) => search.guess(preemptions))
  return guesses.slice(1).flatMap((guess, i) => {
    const found = within[i + 1]!
    const { low, high } = estimateAhead(i + 1, guesses[i]!, guess)
    return found === states ? [] : [{ states, preemptions: i + 1, low, high, found: found / states }]
  })
}
