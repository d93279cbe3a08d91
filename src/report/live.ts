/** What a test did on live threads, beside what the engine says that it can do. */
import pc from 'picocolors'
import { holdsIn, type Litmus, type Observation, type Outcome, type Verdict } from '../litmus/index.ts'
import { count } from './count.ts'
import type { CellReport } from './json.ts'
import { VERDICT_WORDS } from './words.ts'
import { hang, type TextOptions } from './wrap.ts'

/** What came of running a test so many times. */
export interface LiveRuns {
  readonly runs: number
  readonly threads: number
  readonly milliseconds: number
  /** How often each outcome was seen, by its key. */
  readonly outcomes: readonly (readonly [key: string, count: number])[]
  /** How often a run failed, by what the model says of it. */
  readonly failures: readonly (readonly [message: string, count: number])[]
}

/**
 * `seen` and `unseen` outcomes are among those that the engine allows. A `forbidden` one is not, although the
 * engine has looked at every run; `unexplored` is what it may not have come to.
 */
export type LiveStatus = 'seen' | 'unseen' | 'forbidden' | 'unexplored'

export interface LiveOutcome {
  readonly key: string
  readonly observations: readonly Observation[]
  readonly status: LiveStatus
  readonly count: number
  /** Null if the engine does not have it. */
  readonly verdict: Verdict | null
  /** The conditions, by index, that it makes fail (`never`, `always`) or satisfies (`sometimes`). */
  readonly witnesses: readonly number[]
}

export interface LiveFailureCount {
  readonly message: string
  readonly status: LiveStatus
  readonly count: number
}

export interface LiveReport {
  readonly test: string
  readonly design: string
  readonly seed: number
  readonly runs: number
  readonly threads: number
  readonly milliseconds: number
  /** Seen ones first, the most frequent first; then those that were not. */
  readonly outcomes: readonly LiveOutcome[]
  readonly failures: readonly LiveFailureCount[]
  readonly conditions: readonly LiveCondition[]
  /** What the engine explored to say what is allowed. */
  readonly states: number
  readonly exhaustive: boolean
  /** Whether anything happened that the engine forbids: a defect of Cowherd. */
  readonly defect: boolean
}

export interface LiveCondition {
  readonly quantifier: 'never' | 'always' | 'sometimes'
  readonly text: string
  /** Runs whose outcome satisfies the expression, and runs whose outcome does not. */
  readonly positive: number
  readonly negative: number
  readonly observation: 'Always' | 'Sometimes' | 'Never'
}

/** Compares what happened with what the engine allows. */
export function liveReport(test: Litmus, cell: CellReport, runs: LiveRuns, seed: number): LiveReport {
  // Where a run of the engine's fails, it ends; the live one may go on, to who knows what.
  const decided = cell.bounded === null && cell.failures.length === 0
  const outside: LiveStatus = decided ? 'forbidden' : 'unexplored'
  const allowed = new Map(cell.outcomes.map((outcome) => [outcome.key, outcome]))
  const seen = new Map(runs.outcomes)
  const outcomes: LiveOutcome[] = [
    ...runs.outcomes.map(([key, count]): LiveOutcome => {
      const known = allowed.get(key)
      const observations = known?.observations ?? observationsIn(key)
      const witnesses = known?.witnesses ?? witnessesIn(test, { key, observations })
      const status = known === undefined ? outside : 'seen'
      return { key, observations, status, count, verdict: known?.verdict ?? null, witnesses }
    }),
    ...cell.outcomes
      .filter(({ key }) => !seen.has(key))
      .map(({ key, observations, verdict, witnesses }): LiveOutcome => {
        return { key, observations, status: 'unseen', count: 0, verdict, witnesses }
      }),
  ]
  const known = cell.failures.map(({ message }) => message)
  const failures = runs.failures.map(([message, count]): LiveFailureCount => {
    return { message, count, status: known.includes(message) ? 'seen' : outside }
  })
  return {
    test: cell.test,
    design: cell.design,
    seed,
    runs: runs.runs,
    threads: runs.threads,
    milliseconds: runs.milliseconds,
    outcomes,
    failures,
    conditions: test.conditions.map(({ quantifier, text, expression }) => {
      const positive = runs.outcomes.reduce((sum, [key, count]) => {
        return sum + (holdsIn(test, { key, observations: observationsIn(key) }, expression) ? count : 0)
      }, 0)
      const negative = runs.outcomes.reduce((sum, [, count]) => sum + count, 0) - positive
      const observation = positive === 0 ? 'Never' : negative === 0 ? 'Always' : 'Sometimes'
      return { quantifier, text, positive, negative, observation }
    }),
    states: cell.states,
    exhaustive: cell.bounded === null,
    defect: [...outcomes, ...failures].some(({ status }) => status === 'forbidden'),
  }
}

/** The observations that an outcome's key is made of. */
function observationsIn(key: string): Observation[] {
  if (key === '') return []
  return key.split(' ').map((term) => {
    const [name, value] = term.split('=') as [string, string]
    return { name, value: value === 'segv' || value === 'unset' ? value : Number(value) }
  })
}

function witnessesIn(test: Litmus, outcome: Outcome): number[] {
  return test.conditions.flatMap(({ quantifier, expression }, i) =>
    holdsIn(test, outcome, expression) === (quantifier !== 'always') ? [i] : [],
  )
}

/** How many outcomes that were not seen are listed. */
const UNSEEN_SHOWN = 12

/** One test under one design, with litmus7's histogram. `command` runs it again. */
export function renderLive(report: LiveReport, command: string, { width, colour }: TextOptions): string {
  const colours = pc.createColors(colour)
  const { runs, threads, seed, milliseconds } = report
  const head = `Test ${colours.bold(report.test)}  ${colours.bold(report.design)}`
  const seconds = (milliseconds / 1000).toFixed(1)
  const lines = [`${head}  live: ${count(runs)} runs on ${threads} threads, seed ${seed}, ${seconds} s`]
  const seen = report.outcomes.filter((outcome) => outcome.count > 0)
  const unseen = report.outcomes.filter(({ status }) => status === 'unseen')
  lines.push(`Histogram (${count(seen.length)} outcome${seen.length === 1 ? '' : 's'})`)
  const number = Math.max(...report.outcomes.map((outcome) => count(outcome.count).length), 1)
  const word = Math.max(...report.outcomes.map((outcome) => words(outcome).length), 0)
  const line = (outcome: LiveOutcome): string => {
    const mark = outcome.witnesses.length > 0 ? '*' : ' '
    const label = words(outcome).padEnd(word)
    const painted = outcome.status === 'forbidden' ? colours.red(label) : label
    const much = count(outcome.count).padStart(number)
    const body = `${outcome.key === '' ? '(nothing to observe)' : outcome.key}  ${odds(outcome, runs)}`
    return `${mark} ${much} :> ${painted}  ${hang(body, width, number + word + 8)}`
  }
  lines.push(...seen.map(line), ...unseen.slice(0, UNSEEN_SHOWN).map(line))
  if (unseen.length > UNSEEN_SHOWN) {
    lines.push(`  … and ${count(unseen.length - UNSEEN_SHOWN)} more that are allowed and were not seen`)
  }
  for (const { message, status, count: times } of report.failures) {
    const text = `${count(times)} runs failed: ${message}${status === 'forbidden' ? ' (forbidden)' : ''}`
    lines.push(`  ${hang(text, width, 4, 2)}`)
  }
  for (const { text, positive, negative, observation } of report.conditions) {
    lines.push(`Observation ${text} ${observation} ${count(positive)} ${count(negative)}`)
  }
  const allowed = report.outcomes.filter(({ verdict }) => verdict !== null)
  const met = allowed.filter(({ status }) => status === 'seen').length
  lines.push(
    `Engine ${count(met)} of the ${count(allowed.length)} allowed outcomes seen (${engineExtent(report)})`,
  )
  const forbidden = [...report.outcomes, ...report.failures].filter(({ status }) => status === 'forbidden')
  if (forbidden.length > 0) {
    const what = forbidden.length === 1 ? 'something' : `${count(forbidden.length)} things`
    const text = `The engine forbids ${what} that happened. One of the two is wrong, and that is a mistake in Cowherd. It is seen again, sooner or later, with: ${command}`
    lines.push(colours.red(hang(text, width, 2, 0)))
  }
  return `${lines.join('\n')}\n`
}

function engineExtent({ states, exhaustive }: LiveReport): string {
  const some = `${count(states)} state${states === 1 ? '' : 's'}`
  return exhaustive ? `${some}, exhaustive` : `${some}, not all: what was not explored is not forbidden`
}

function words({ status, verdict }: LiveOutcome): string {
  if (verdict !== null) return VERDICT_WORDS[verdict]
  return status === 'forbidden' ? 'FORBIDDEN' : 'not explored'
}

/** Once in how many runs. */
function odds({ count: times, status }: LiveOutcome, runs: number): string {
  if (status === 'unseen') return '(unseen)'
  if (times === runs) return '(always)'
  const every = runs / times
  return `(1 in ${every < 10 ? every.toFixed(1) : count(Math.round(every))})`
}
