/** Which run of a cell a person means: one to the worst outcome, or to an outcome with some values. */
import { type Cell, type FailureReport, type OutcomeReport, worst } from '../check/index.ts'

export type Selection = { readonly outcome: OutcomeReport } | { readonly failure: FailureReport }

/** What is worth looking at: what makes the verdict, else what breaks a condition, else the nearest outcome. */
export function worstOf({ failures, outcomes, conditions, verdict }: Cell): Selection | undefined {
  const failure = failures.find((report) => report.failure === verdict)
  if (failure !== undefined) return { failure }
  const breaks = (report: OutcomeReport): boolean =>
    report.witnesses.some((i) => conditions[i]!.condition.quantifier !== 'sometimes')
  const candidates = outcomes.filter((report) => report.verdict === verdict)
  const outcome =
    candidates.find(breaks) ?? (verdict === 'right' ? outcomes.find(breaks) : undefined) ?? candidates[0]
  return outcome === undefined ? undefined : { outcome }
}

/** The worst outcome that has all the terms, `name=value`. */
export function withTerms({ outcomes }: Cell, terms: readonly string[]): Selection | undefined {
  const having = outcomes.filter(({ outcome }) => {
    const observed = outcome.observations.map(({ name, value }) => `${name}=${value}`)
    return terms.every((term) => observed.includes(term))
  })
  const verdict = worst(having.map((report) => report.verdict))
  const outcome = having.find((report) => report.verdict === verdict)
  return outcome === undefined ? undefined : { outcome }
}
