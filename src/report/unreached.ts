/** What tests have not reached, for people: functions, branches, rules, answers. */
import type { Question } from '../engine/index.ts'
import { count } from './count.ts'
import { hang } from './wrap.ts'

/** A function of the source, and what of it has not run. */
export interface SourceFunction {
  /** From the folder of the project: `src/mm/gup.ts`. */
  readonly source: string
  readonly name: string
  readonly line: number
  readonly called: boolean
  /** The branches that have not run, each by the line that it begins with; none if it was never called. */
  readonly untaken: readonly { readonly line: number; readonly text: string }[]
}

export interface CoverageReport {
  readonly tests: number
  readonly designs: readonly string[]
  readonly states: number
  /** Explorations that were ended early, or not begun: what was not reached, they may. */
  readonly bounded: number
  /** Whether somebody did not wait for the end. */
  readonly interrupted: boolean
  readonly functions: readonly SourceFunction[]
  /** For each design its rules that no path has asked. */
  readonly unasked: readonly { readonly design: string; readonly rules: readonly string[] }[]
  /** Yes-or-no questions that were only ever answered one way. */
  readonly oneWay: readonly Question[]
}

/** Where a path fails the run, a rule is refused or an invariant speaks: nothing that anybody wants to be reached. */
const SAYS_WHAT_IS_WRONG = /\bview\.fail\(|\bthrow new\b|\breturn `/

/** @param width columns to fit into */
export function renderCoverage(report: CoverageReport, width: number): string {
  const { functions, unasked, oneWay } = report
  const never = functions.filter(({ called }) => !called)
  const untaken = functions.flatMap(({ source, name, untaken }) =>
    untaken.map(({ line, text }) => ({ place: `${source}:${line}`, name, text })),
  )
  const branches = untaken.filter(({ text }) => !SAYS_WHAT_IS_WRONG.test(text))
  const parts = [
    section(
      `Never called: ${never.length} of ${count(functions.length)} functions`,
      never.map(({ source, line, name }) => `${source}:${line}  ${name || '(no name)'}`),
      width,
    ),
    section(
      `Never taken: ${branches.length} branches of functions that were called, besides ${untaken.length - branches.length} that only say what is wrong`,
      branches.map(({ place, name, text }) => `${place}  ${name || '(no name)'}: ${text}`),
      width,
    ),
    section(
      'Never asked: rules that no path came to',
      unasked
        .filter(({ rules }) => rules.length > 0)
        .map(({ design, rules }) => `${design}: ${rules.join(', ')}`),
      width,
    ),
    section(
      `Only ever answered one way: ${oneWay.length} questions`,
      oneWay.map(
        ({ procedure, step, example, answers }) =>
          `${procedure}, step ${step}: ${answers[0] === 1 ? 'always' : 'never'} ${example}`,
      ),
      width,
    ),
  ]
  return `${parts.filter((part) => part !== '').join('\n')}\n${hang(summary(report), width, 2, 0)}`
}

function section(title: string, items: readonly string[], width: number): string {
  if (items.length === 0) return ''
  return `${hang(title, width, 2, 0)}\n${items.map((item) => `  ${hang(item, width, 6, 2)}`).join('\n')}\n`
}

function summary({ tests, designs, states, bounded }: CoverageReport): string {
  const what = `${count(tests)} ${tests === 1 ? 'test' : 'tests'} under ${designs.length === 1 ? designs[0] : `${designs.length} designs`}`
  const limits =
    bounded === 0 ? '' : `; ${bounded} explorations were not complete, so some of it may be reached`
  return `${what}, ${count(states)} states${limits}.`
}
