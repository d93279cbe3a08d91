/**
 * Cells as plain values: what a worker sends to the main thread, what tables are made of, and
 * what `--json` prints.
 */
import {
  type Cell,
  type CellVerdict,
  type Copies,
  type Doubt,
  isSurprise,
  type Yardstick,
} from '../check/index.ts'
import type { Circumstance, Relaxation } from '../designs/index.ts'
import type { Bound, Coverage } from '../engine/index.ts'
import { type Expectation, type Failure, holdsIn, type Observation, type Verdict } from '../litmus/index.ts'
import { notCovered } from './reach.ts'

/** Changes when a field changes its meaning or goes away. */
export const JSON_VERSION = 1

/** One test under one design, as far as it was explored. */
export interface CellReport {
  readonly test: string
  readonly design: string
  readonly verdict: CellVerdict
  /** True when this calls for attention: an unmet expectation, or a violation that nobody expects. */
  readonly surprise: boolean
  /** False if the exploration or that of the yardstick was bounded. */
  readonly exhaustive: boolean
  readonly bounded: Bound | null
  /** How it was searched. The yardstick is always searched breadth-first. */
  readonly search: Coverage
  readonly yardstick: { readonly states: number; readonly exhaustive: boolean }
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly milliseconds: number
  readonly outcomes: readonly OutcomeSummary[]
  readonly conditions: readonly ConditionSummary[]
  readonly failures: readonly { readonly failure: Failure; readonly message: string }[]
  readonly expectation: ExpectationSummary | null
  readonly copies: Copies | null
  /** Rules that the design's author never stated, and with whose alternatives the verdict or the conditions differ. */
  readonly doubts: readonly Doubt[]
}

export interface OutcomeSummary {
  readonly key: string
  readonly observations: readonly Observation[]
  readonly verdict: Verdict
  /** In words, the references that would have to be promised nothing; null if even that explains nothing. */
  readonly needs: readonly string[] | null
  /** Of a lost write: whether a store shows at another address than it was meant for. */
  readonly stray: boolean
  /** The conditions, by index, that it makes fail (`never`, `always`) or satisfies (`sometimes`). */
  readonly witnesses: readonly number[]
}

export interface ConditionSummary {
  readonly quantifier: 'never' | 'always' | 'sometimes'
  readonly text: string
  /** As far as was explored; see `decided`. */
  readonly holds: boolean
  readonly observation: 'Always' | 'Sometimes' | 'Never'
  /** False if the exploration ended early and what it did not see may turn `holds` round. */
  readonly decided: boolean
  /** How many outcomes satisfy the expression, and how many do not. */
  readonly positive: number
  readonly negative: number
}

export interface ExpectationSummary {
  readonly verdict: CellVerdict | null
  readonly conditions: 'holds' | 'violated' | null
  readonly reason: string | null
  readonly met: boolean
}

/** What of a cell can leave the thread that explored it. */
export function cellReport(
  cell: Cell,
  yardstick: Yardstick,
  copies: Copies | undefined,
  doubts: readonly Doubt[],
): CellReport {
  const { test, exploration } = cell
  return {
    test: test.name,
    design: cell.design.name,
    verdict: cell.verdict,
    surprise: callsForAttention(cell),
    exhaustive: cell.exhaustive,
    bounded: exploration.bounded ?? null,
    search: exploration.search,
    yardstick: { states: yardstick.states, exhaustive: yardstick.exhaustive },
    states: exploration.states,
    transitions: exploration.transitions,
    depth: exploration.depth,
    milliseconds: exploration.milliseconds,
    outcomes: cell.outcomes.map(({ outcome, verdict, needs, stray, witnesses }) => ({
      key: outcome.key,
      observations: outcome.observations,
      verdict,
      needs: needs?.map(inWords) ?? null,
      stray,
      witnesses,
    })),
    conditions: cell.conditions.map(({ condition, holds, observation }) => {
      const positive = cell.outcomes.filter(({ outcome }) =>
        holdsIn(test, outcome, condition.expression),
      ).length
      const { quantifier, text } = condition
      const negative = cell.outcomes.length - positive
      const decided = cell.exhaustive || (quantifier === 'sometimes' ? holds : !holds)
      return { quantifier, text, holds, observation, decided, positive, negative }
    }),
    failures: cell.failures.map(({ failure, message }) => ({ failure, message })),
    expectation:
      cell.expectation === undefined
        ? null
        : { ...expected(cell.expectation.expectation), met: cell.expectation.met },
    copies: copies ?? null,
    doubts,
  }
}

/**
 * As `--json` prints it: what is not decided is null, so that nobody takes it for an answer; that a
 * verdict is one so far stands beside it; and what was not looked at is said in words.
 */
export function forMachines({ test, design, verdict, ...report }: CellReport): object {
  const conditions = report.conditions.map((condition) =>
    condition.decided ? condition : { ...condition, holds: null, observation: null },
  )
  const verdictSoFar = !report.exhaustive
  return { test, design, verdict, verdictSoFar, ...report, notCovered: notCovered(report), conditions }
}

/** A kind of reference in a circumstance, as a person would say it. */
export function inWords({ reference, circumstance }: Relaxation): string {
  const kind = [
    reference.longterm ? 'long-term ' : '',
    reference.pin ? 'FOLL_PIN' : 'FOLL_GET',
    reference.write ? ' for writing' : ' for reading',
  ].join('')
  const when: Record<Circumstance, string> = {
    'later-fork': ', once its owner forks',
    'earlier-fork': ', when its owner had forked before',
    protected: ', once its owner changes the protection',
    any: '',
  }
  return `${kind}${when[circumstance]}`
}

function expected({ verdict, conditions, reason }: Expectation): Omit<ExpectationSummary, 'met'> {
  return { verdict: verdict ?? null, conditions: conditions ?? null, reason: reason ?? null }
}

/** As `isSurprise`, but an exploration that a person stopped has broken no expectation by being unfinished. */
function callsForAttention(cell: Cell): boolean {
  if (cell.exploration.bounded !== 'interrupted') return isSurprise(cell)
  const expectation = cell.expectation?.expectation
  const bad = cell.verdict !== 'right' && cell.verdict !== 'not-promised'
  return bad && expectation?.verdict !== cell.verdict && expectation?.conditions !== 'violated'
}
