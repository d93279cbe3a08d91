/** What is said of a cell in a few words, in tables, blocks and sentences alike. */
import type { CellVerdict, Copies } from '../check/index.ts'
import { count } from './count.ts'
import type { CellReport, ExpectationSummary } from './json.ts'
import { reach } from './reach.ts'

/** Verdicts as they stand in text. */
export const VERDICT_WORDS: Readonly<Record<CellVerdict, string>> = {
  right: 'right',
  'not-promised': 'not promised',
  'lost-write': 'lost write',
  'wrong-cow': 'wrong COW',
  'missed-cow': 'missed COW',
  'use-after-free': 'use after free',
  leak: 'leak',
  deadlock: 'deadlock',
  livelock: 'livelock',
  'broken-invariant': 'broken invariant',
}

/** What a surprising cell was expected to be, and what it is. */
export function describeSurprise(report: CellReport): string {
  const broken = report.conditions.filter(({ holds }) => !holds)
  const conditions = broken.map(({ quantifier, text }) => `"${quantifier} ${text}" is violated`)
  const found = [VERDICT_WORDS[report.verdict], ...conditions].join(', ')
  const { expectation } = report
  const far = report.exhaustive ? '' : ` so far (${extent(report)})`
  if (expectation === null) return `found ${found}${far}; nobody expects that`
  const expected = [
    expectation.verdict === null ? '' : VERDICT_WORDS[expectation.verdict],
    expectation.conditions,
  ]
    .filter(Boolean)
    .join(', ')
  const reason = expectation.reason === null ? '' : ` ("${expectation.reason}")`
  if (isAsExpected(report, expectation)) {
    return `expected ${expected}${reason}, which is what was found, but not everything was looked at (${extent(report)})`
  }
  const holding = report.exhaustive ? ', all conditions hold' : ', no condition violated'
  const asViolated = expectation.conditions === 'violated' && broken.length === 0
  return `expected ${expected}${reason}, found ${found}${asViolated ? holding : ''}${far}`
}

/** Whether what was found is what was expected; it may be so far. */
function isAsExpected({ verdict, conditions }: CellReport, expectation: ExpectationSummary): boolean {
  const violated = conditions.some(({ holds }) => !holds) ? 'violated' : 'holds'
  return (expectation.verdict ?? verdict) === verdict && (expectation.conditions ?? violated) === violated
}

/** How far the exploration went: `59 states, exhaustive`. */
export function extent(report: CellReport): string {
  const { states } = report
  return `${count(states)} state${states === 1 ? '' : 's'}, ${manner(report)}`
}

/** As `extent`, without the number of states. */
export function manner(report: CellReport): string {
  const { yardstick, verdict } = report
  const doubt =
    yardstick.exhaustive || verdict === 'right'
      ? ''
      : `; the yardstick was bounded after ${count(yardstick.states)} states, so a violation may be none`
  return `${reach(report)}${doubt}`
}

/** On which rule of ours a verdict hangs, and what it would be otherwise; empty if on none. */
export function describeDoubts({ design, doubts }: CellReport): string[] {
  return doubts.map(
    ({ rule, taken, alternative, verdict, holds }) =>
      `This hangs on ${rule}, which is not stated in ${design} and is ours: ${taken}. If ${alternative}, the verdict is: ${VERDICT_WORDS[verdict]}${holds ? '' : ', a condition is violated'}.`,
  )
}

/** `0`, `1–2`; with `?` where the count was bounded. */
export function rangeOf({ least, most, exhaustive }: Copies): string {
  return `${least === most ? least : `${least}–${most}`}${exhaustive ? '' : '?'}`
}
