/** Decides a claim by running its experiments. */
import {
  alternativesIn,
  type Cell,
  checkCell,
  countCopies,
  type RunOptions,
  runTest,
  witnessOf,
  witnessOfFailure,
  type Yardstick,
  yardstickOf,
} from '../check/index.ts'
import { type Design, otherReadings, type RuleName } from '../designs/index.ts'
import { type Trace, traceTo } from '../engine/index.ts'
import { didYouMean } from '../litmus/diagnostic.ts'
import type { Litmus } from '../litmus/index.ts'
import type { Rules } from '../mm/kernel.ts'
import { alikeAtWriteFault } from './alike.ts'
import type { Case, Claim, Decision } from './claim.ts'
import { ClaimsError } from './error.ts'
import { designOf, nameOf } from './rules.ts'
import { firstBreach } from './sharing.ts'
import { disturbances, FUNCTIONS, isInside, movements, type Sighting } from './watch.ts'

/** What one experiment has shown. */
export interface CaseResult {
  readonly case: Case
  /** The design and what is changed about it. */
  readonly under: string
  readonly cell: Cell
  /** Whether the claim is true here. */
  readonly holds: boolean
  /** What was found, in a few words. */
  readonly found: string
  readonly states: number
  /** False if the exploration was bounded: then what was not found may still be there. */
  readonly exhaustive: boolean
  /** The run that decides, where one run does. */
  readonly run: Trace | undefined
  /** What would turn the answer round: a rule that is ours and not the design's author's, or another reading of his words. */
  readonly doubts: readonly CaseDoubt[]
}

/** With something else that a design's author may have meant, the case is answered otherwise. */
export interface CaseDoubt {
  /** The rule that its author never stated; undefined if the doubt is about which of his words count. */
  readonly rule: RuleName | undefined
  /** What we took for it. */
  readonly taken: string | undefined
  /** What he may as well have meant. */
  readonly alternative: string
  /** What was found then. Whether the claim is true is then the other way round. */
  readonly found: string
}

export interface ClaimResult {
  readonly claim: Claim
  readonly cases: readonly CaseResult[]
  readonly decision: Decision
  readonly exhaustive: boolean
}

/** Where tests come from: by name, parsed. Throws if there is none. */
export type Tests = (name: string) => Litmus

/**
 * Runs every case of a claim.
 * @throws ClaimsError if a case names something that does not exist
 * @throws ModelError if its rules cannot be explored
 */
export function decide(claim: Claim, tests: Tests, options: RunOptions = {}): ClaimResult {
  const cases = claim.cases.map((one) => runCase(one, tests, options))
  return {
    claim,
    cases,
    decision: decisionOf(cases.map(({ holds }) => holds)),
    exhaustive: cases.every(({ exhaustive }) => exhaustive),
  }
}

/** The claim with one of its conditions turned round, as it says itself: its decision must be another one. */
export function invert(claim: Claim): Claim {
  const { case: number, ...changes } = claim.inverted
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  return { ...claim, cases: claim.cases.map((one, i) => (i === number - 1 ? { ...one, ...given } : one)) }
}

export function decisionOf(cases: readonly boolean[]): Decision {
  if (cases.every((holds) => holds)) return 'holds'
  return cases.some((holds) => holds) ? 'holds only if' : 'refuted'
}

function runCase(one: Case, tests: Tests, options: RunOptions): CaseResult {
  const answered = answer(one, {}, tests, options)
  const { cell, exhaustive, holds } = answered
  const doubts = exhaustive ? doubtsOf(one, cell, holds, tests, options) : []
  return { case: one, under: nameOf(one), states: cell.exploration.states, ...answered, doubts }
}

type Answered = Pick<CaseResult, 'cell' | 'exhaustive' | 'holds' | 'found' | 'run'>

/** @param instead rules of the design that are to be others */
function answer(one: Case, instead: Partial<Rules>, tests: Tests, options: RunOptions): Answered {
  const test = tests(one.test)
  const design = designOf(one, instead)
  const cell = checkCell(test, design, yardstickFor(test, options), options)
  const { complete, ...answered } = ask(one, cell, design, instead, tests, options)
  const exhaustive = cell.exploration.bounded === undefined && cell.exhaustive && complete !== false
  return { cell, exhaustive, ...answered }
}

/** Answers the case again with each thing that the design's author may as well have meant. */
function doubtsOf(one: Case, cell: Cell, holds: boolean, tests: Tests, options: RunOptions): CaseDoubt[] {
  const unchanged = designOf({ ...one, with: [], without: [], like: {} }).rules
  const alternatives = alternativesIn(cell)
    .filter(({ rule }) => cell.design.rules[rule] === unchanged[rule])
    .map(({ rule, taken, text, rules }) => ({ rule, taken, alternative: text, rules, one }))
  const readings = otherReadings(one.design).map(({ name, title }) => ({
    ...{ rule: undefined, taken: undefined, alternative: title, rules: {} },
    one: readAs(one, name),
  }))
  return [...alternatives, ...readings].flatMap(({ rule, taken, alternative, rules, one: other }) => {
    const { holds: turned, found } = answerIfAsked(other, rules, tests, options) ?? { holds, found: '' }
    return turned === holds ? [] : [{ rule, taken, alternative, found }]
  })
}

/** Under other rules the moment that a case is about may never come; then there is nothing to compare. */
function answerIfAsked(
  one: Case,
  instead: Partial<Rules>,
  tests: Tests,
  options: RunOptions,
): Answered | undefined {
  try {
    const answered = answer(one, instead, tests, options)
    return answered.exhaustive ? answered : undefined
  } catch (error) {
    if (error instanceof NeverThere) return undefined
    throw error
  }
}

/** The case under another design, also where it is compared with its own. */
function readAs(one: Case, design: string): Case {
  const { asks } = one
  const same = 'same outcomes as' in asks ? asks['same outcomes as'] : undefined
  if (same === undefined || same.design !== one.design) return { ...one, design }
  return { ...one, design, asks: { 'same outcomes as': { ...same, design } } }
}

/** Nobody ever comes to the moment that a case asks about. */
class NeverThere extends ClaimsError {}

interface Answer extends Pick<CaseResult, 'holds' | 'found' | 'run'> {
  /** False if what else was explored for it was bounded. */
  readonly complete?: boolean
}

function ask(
  { asks, design: named, test, ...changed }: Case,
  cell: Cell,
  design: Design,
  instead: Partial<Rules>,
  tests: Tests,
  options: RunOptions,
): Answer {
  const { explorer, program } = cell.run
  const k = program.kernel
  if ('verdict' in asks) return ofVerdict(cell, (asks.verdict as readonly string[]).includes(cell.verdict))
  if ('no' in asks) {
    const { no } = asks
    const bad = cell.outcomes.find(({ verdict }) => verdict === no)
    if (bad === undefined) return { holds: true, found: `no ${WORDS[no]}`, run: undefined }
    return { holds: false, found: WORDS[no]!, run: witnessOf(cell, bad) }
  }
  if ('conditions' in asks) {
    const violated = cell.conditions.find(({ holds }) => !holds)
    const text = cell.test.conditions.map(({ quantifier, text }) => `"${quantifier} ${text}"`).join(', ')
    if (violated === undefined)
      return { holds: asks.conditions === 'hold', found: `${text} holds`, run: undefined }
    const index = cell.conditions.indexOf(violated)
    const outcome = cell.outcomes.find(({ witnesses }) => witnesses.includes(index))
    return {
      holds: asks.conditions === 'are violated',
      found: `"${violated.condition.quantifier} ${violated.condition.text}" is violated`,
      run: outcome && witnessOf(cell, outcome),
    }
  }
  if ('stable' in asks || 'changes' in asks) {
    const aspect = 'stable' in asks ? asks.stable : asks.changes
    const seen = disturbances(explorer, k, aspect, asks.at)
    if (seen === undefined) {
      const under = nameOf({ design: named, ...changed })
      throw new NeverThere(
        `no thread of "${test}" under ${under} ever looks at a page in ${article(asks.at)} ${asks.at}, so there is nothing to ask about that moment; ask of a test that comes to it`,
      )
    }
    const found =
      seen.length === 0
        ? `${aspect} does not change during the ${asks.at}`
        : `${aspect} changes during the ${asks.at}, by ${listed(seen)}`
    return { holds: (seen.length === 0) === 'stable' in asks, found, run: runTo(cell, seen[0]) }
  }
  if ('raises' in asks || 'lowers' in asks) {
    const up = 'raises' in asks
    const names = 'some' in asks ? asks.some : asks.only
    const unknown = names.find((name) => !FUNCTIONS.includes(name))
    if (unknown !== undefined) {
      throw new ClaimsError(
        `unknown function "${unknown}"${didYouMean(unknown, FUNCTIONS)}; there are ${FUNCTIONS.join(', ')}`,
      )
    }
    const aspect = up ? asks.raises : asks.lowers
    const seen = movements(explorer, k, aspect, up)
    const found = `${aspect} is ${up ? 'raised' : 'lowered'} by ${listed(seen)}`
    if ('some' in asks) {
      const all = asks.some.every((name) => seen.some((one) => isInside(one, [name])))
      return { holds: all, found, run: runTo(cell, seen[0]) }
    }
    const other = seen.find((one) => !isInside(one, asks.only))
    return { holds: other === undefined, found, run: runTo(cell, other) }
  }
  if ('copies' in asks || 'copies at least' in asks) {
    const { most, bounded } = countCopies(cell.test, design, options)
    const holds = 'copies' in asks ? most <= asks.copies : most >= asks['copies at least']
    return {
      holds,
      found: most === 1 ? 'a copy at most' : `${most} copies at most`,
      run: undefined,
      complete: bounded === null,
    }
  }
  if ('always' in asks) {
    const breach = firstBreach(explorer, k, asks.always)
    if (breach === undefined) return { holds: true, found: `always: ${asks.always}`, run: undefined }
    return { holds: false, found: breach.found, run: traceTo(explorer, breach.state) }
  }
  if ('looks like' in asks) {
    const there = runTest(tests(asks['looks like']), design.rules, options)
    const state = alikeAtWriteFault(
      { explorer, kernel: k },
      { explorer: there.explorer, kernel: there.program.kernel },
    )
    const found = `the page ${state === undefined ? 'never looks' : 'looks'} as in ${asks['looks like']}`
    return {
      holds: state !== undefined,
      found,
      run: state === undefined ? undefined : traceTo(explorer, state),
      complete: there.exploration.bounded === undefined,
    }
  }
  const compared = asks['same outcomes as']
  const other = designOf(compared, compared.design === named ? instead : {})
  const outcomes = (ends: readonly { readonly outcome: { readonly key: string } }[]): string =>
    ends
      .map(({ outcome }) => outcome.key)
      .sort()
      .join('\n')
  const there = runTest(cell.test, other.rules, options)
  const same = outcomes(cell.outcomes) === outcomes(there.ends)
  return {
    holds: same,
    found: `${same ? 'the same' : 'other'} outcomes ${same ? 'as' : 'than'} under ${nameOf(compared)}`,
    run: undefined,
    complete: there.exploration.bounded === undefined,
  }
}

function article(moment: string): string {
  return /^[aeiou]/.test(moment) ? 'an' : 'a'
}

function ofVerdict(cell: Cell, holds: boolean): Answer {
  const failure = cell.failures.find((report) => report.failure === cell.verdict)
  const outcome = cell.outcomes.find((report) => report.verdict === cell.verdict)
  const run =
    failure !== undefined
      ? witnessOfFailure(cell, failure)
      : outcome !== undefined && cell.verdict !== 'right'
        ? witnessOf(cell, outcome)
        : undefined
  const words = WORDS[cell.verdict] ?? cell.verdict
  const found = outcome?.stray === true ? `${words} (a store shows at another address)` : words
  return { holds, found, run }
}

/** Verdicts as they stand in a sentence. */
const WORDS: Readonly<Record<string, string>> = {
  right: 'right',
  'not-promised': 'a reference goes stale, which is not promised otherwise',
  'lost-write': 'lost write',
  'wrong-cow': 'wrong COW',
  'missed-cow': 'missed COW',
  'broken-invariant': 'the machine is broken (broken-invariant)',
}

function listed(seen: readonly Sighting[]): string {
  return [...new Set(seen.map(({ by }) => by))].join(', ') || 'nobody'
}

/** The shortest run to a sighting, and the step that is seen there. */
function runTo({ run }: Cell, sighting: Sighting | undefined): Trace | undefined {
  if (sighting === undefined) return undefined
  const { initial, steps } = traceTo(run.explorer, sighting.state)
  return { initial, steps: [...steps, sighting.step] }
}

const yardsticks = new WeakMap<Litmus, Yardstick>()

function yardstickFor(test: Litmus, options: RunOptions): Yardstick {
  const known = yardsticks.get(test)
  if (known !== undefined) return known
  const yardstick = yardstickOf(test, options)
  yardsticks.set(test, yardstick)
  return yardstick
}
