/** Which run of a cell a person means: one to the worst outcome, or to an outcome with some values. */
import { type Cell, type FailureReport, type OutcomeReport, worst } from '../check/index.ts'
import { count } from '../report/count.ts'
import { reach } from '../report/reach.ts'

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

/** How far an exploration went, if it was not complete. */
export function shortfall({ exploration }: Cell): string | undefined {
  const { bounded, search, depth } = exploration
  return bounded === undefined ? undefined : reach({ search, depth, bounded })
}

const OUTCOMES_LISTED = 20

/**
 * That there is no such outcome, and which there are instead.
 * @param bounded how far the exploration went, if it was not complete
 */
export function noSuchOutcome(
  wanted: string | undefined,
  outcomes: readonly string[],
  bounded: string | undefined,
): string {
  if (outcomes.length === 0) {
    return bounded === undefined
      ? 'this test has no outcome under this design: no run comes to an end'
      : `no outcome was found (${bounded}): allow it more`
  }
  const hidden = outcomes.length - OUTCOMES_LISTED
  const list = outcomes.slice(0, OUTCOMES_LISTED).map((key) => `  ${key}`)
  if (hidden > 0) list.push(`  … and ${count(hidden)} more`)
  const known = bounded === undefined ? 'there are' : `found so far (${bounded})`
  return `no outcome has ${wanted}; ${known}:\n${list.join('\n')}`
}
