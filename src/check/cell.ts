/** One cell of the table: one test under one design. */

import type { Design, Relaxation } from '../designs/index.ts'
import { type Exploration, type FailedRun, type Trace, traceOfFailure, traceTo } from '../engine/index.ts'
import type { Condition, Expectation, Failure, Litmus, Verdict } from '../litmus/ast.ts'
import { conditionHolds, holdsIn, type Outcome } from '../litmus/outcome.ts'
import { foreignAmong, isStray, readsFrom } from './provenance.ts'
import { type End, type Run, type RunOptions, runTest } from './run.ts'
import { type CellVerdict, failureOf, worst } from './verdict.ts'
import type { Yardstick } from './yardstick.ts'

export interface OutcomeReport {
  readonly outcome: Outcome
  readonly verdict: Verdict
  /** The weakest set of relaxations that explains the outcome; undefined if none does. Empty when it is right. */
  readonly needs: readonly Relaxation[] | undefined
  /**
   * Of a lost write: whether what is wrong is that a store shows at another page than it was meant for. It need
   * not be lost there where it was meant for.
   */
  readonly stray: boolean
  /** Whether it makes a condition of the test fail (`never`, `always`) or satisfies one (`sometimes`). */
  readonly witnesses: readonly number[]
  /** The state that ends its shortest run. */
  readonly state: number
}

export interface ConditionReport {
  readonly condition: Condition
  readonly holds: boolean
  /** herd7's word for how often the expression held. */
  readonly observation: 'Always' | 'Sometimes' | 'Never'
}

export interface FailureReport {
  readonly failure: Failure
  readonly message: string
  readonly run: FailedRun
}

export interface Cell {
  readonly test: Litmus
  readonly design: Design
  readonly run: Run
  readonly exploration: Exploration
  readonly outcomes: readonly OutcomeReport[]
  readonly conditions: readonly ConditionReport[]
  readonly failures: readonly FailureReport[]
  /** The worst of all. If the exploration was bounded, there may be worse that was not found. */
  readonly verdict: CellVerdict
  /** False if this cell or its yardstick was bounded. */
  readonly exhaustive: boolean
  readonly expectation: ExpectationReport | undefined
}

export interface ExpectationReport {
  readonly expectation: Expectation
  readonly met: boolean
}

/** Checks one test under one design. */
export function checkCell(
  test: Litmus,
  design: Design,
  yardstick: Yardstick,
  options: RunOptions = {},
): Cell {
  return judgeRun(test, design, yardstick, runTest(test, design.rules, options))
}

/** The same, of a run that has been made under rules that are the design's, or give the same to all that it asked for. */
export function judgeRun(test: Litmus, design: Design, yardstick: Yardstick, run: Run): Cell {
  const { exploration, ends } = run
  const outcomes = ends.map((end) => judge(test, design, yardstick, run, end))
  const conditions = test.conditions.map((condition) => judgeCondition(test, condition, ends))
  const failures = [
    ...exploration.failures.map((run) => ({ failure: failureOf(run), message: run.message, run })),
    ...livelock(exploration),
  ]
  const verdict = worst([...outcomes.map((o) => o.verdict), ...failures.map((f) => f.failure)])
  const exhaustive = exploration.bounded === undefined && yardstick.exhaustive
  const expectation = judgeExpectation(test, design, verdict, conditions, exhaustive)
  return { test, design, run, exploration, outcomes, conditions, failures, verdict, exhaustive, expectation }
}

/** The shortest run to an outcome. */
export function witnessOf(cell: Cell, report: OutcomeReport): Trace {
  return traceTo(cell.run.explorer, report.state)
}

/** The shortest run to a failure. */
export function witnessOfFailure(cell: Cell, report: FailureReport): Trace {
  return traceOfFailure(cell.run.explorer, report.run)
}

/** Whether a cell calls for attention: an unmet expectation; without one, a bad verdict or a violated condition. */
export function isSurprise(cell: Cell): boolean {
  if (cell.expectation !== undefined) return !cell.expectation.met
  if (cell.verdict !== 'right' && cell.verdict !== 'not-promised') return true
  const violated = cell.conditions.some(({ holds }) => !holds)
  // In a test that knows what it expects of other designs, what is not promised explains a violation.
  return violated && (cell.verdict === 'right' || cell.test.expectations.length === 0)
}

/** If no run of a complete exploration ends or fails, all go on for ever; the last state found is one of them. */
function livelock({ states, bounded, finals, failures }: Exploration): FailureReport[] {
  if (bounded !== undefined || finals.length > 0 || failures.length > 0) return []
  const message = 'no run comes to an end'
  const run: FailedRun = { kind: 'failure', message, state: states - 1, step: undefined }
  return [{ failure: 'livelock', message, run }]
}

function judge(test: Litmus, design: Design, yardstick: Yardstick, run: Run, end: End): OutcomeReport {
  const { outcome, state } = end
  const witnesses = test.conditions.flatMap(({ quantifier, expression }, i) =>
    holdsIn(test, outcome, expression) === (quantifier !== 'always') ? [i] : [],
  )
  const explanations = yardstick.explanations.get(outcome.key)
  const report = { outcome, witnesses, state, stray: false }
  if (explanations === undefined) {
    const { kernel } = run.program
    const trace = traceTo(run.explorer, state)
    const reads = readsFrom(kernel, test, trace)
    const foreign = foreignAmong(reads, kernel, test, trace).length > 0
    const stray = !foreign && reads.some(isStray)
    return { ...report, verdict: foreign ? 'missed-cow' : 'lost-write', needs: undefined, stray }
  }
  const weakest = explanations[0]!
  if (weakest.length === 0) return { ...report, verdict: 'right', needs: [] }
  const unpromised = explanations.find((set) =>
    set.every(({ reference, circumstance }) => !design.promises(reference, circumstance)),
  )
  if (unpromised !== undefined) return { ...report, verdict: 'not-promised', needs: unpromised }
  return { ...report, verdict: 'wrong-cow', needs: weakest }
}

function judgeCondition(test: Litmus, condition: Condition, ends: readonly End[]): ConditionReport {
  const outcomes = ends.map(({ outcome }) => outcome)
  const count = outcomes.filter((outcome) => holdsIn(test, outcome, condition.expression)).length
  const observation = count === 0 ? 'Never' : count === outcomes.length ? 'Always' : 'Sometimes'
  return { condition, holds: conditionHolds(test, condition, outcomes), observation }
}

function judgeExpectation(
  test: Litmus,
  design: Design,
  verdict: CellVerdict,
  conditions: readonly ConditionReport[],
  exhaustive: boolean,
): ExpectationReport | undefined {
  const expectation = expectationFor(test, design.name)
  if (expectation === undefined) return undefined
  const held = conditions.every(({ holds }) => holds)
  const asVerdict = expectation.verdict === undefined || expectation.verdict === verdict
  const asConditions = expectation.conditions === undefined || (expectation.conditions === 'holds') === held
  return { expectation, met: asVerdict && asConditions && exhaustive }
}

/** The expectation that names this design, or else the one for `all`. */
export function expectationFor(test: Litmus, design: string): Expectation | undefined {
  const naming = (name: string): Expectation | undefined =>
    test.expectations.find(({ designs }) => designs.some((d) => d.name === name))
  return naming(design) ?? naming('all')
}
