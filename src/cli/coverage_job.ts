/** What a worker does for `cowherd coverage`: all tests under one design, watched. */

import type { RunOptions } from '../check/index.ts'
import { runTest } from '../check/index.ts'
import { type Design, eager_all } from '../designs/index.ts'
import { mergeQuestions, type Procedure, type Question, questionsOf } from '../engine/index.ts'
import type { Litmus } from '../litmus/index.ts'
import { type ScriptCoverage, watchSource } from './source_coverage.ts'

export interface DesignCoverage {
  readonly states: number
  /** Explorations that were ended early, or not begun. */
  readonly bounded: number
  readonly interrupted: boolean
  /** The rules that are functions of the kernel's paths, and that no path has asked. */
  readonly unasked: readonly string[]
  readonly questions: readonly Question[]
  readonly scripts: readonly ScriptCoverage[]
}

/** @param design undefined for the yardstick, by which outcomes are judged */
export function coverDesign(
  tests: readonly Litmus[],
  design: Design | undefined,
  copies: boolean,
  options: RunOptions,
  isStopped: () => boolean,
): DesignCoverage {
  const { rules } = design ?? eager_all
  const asked = new Set<string>()
  const functions = Object.entries(rules).filter(([, rule]) => isProcedure(rule)) as [string, Procedure][]
  let states = 0
  let bounded = 0
  let questions: Question[] = []
  const explorations = tests.flatMap((test) =>
    (copies ? [false, true] : [false]).map((countCopies) => ({ test, countCopies })),
  )
  let interrupted = false
  for (const [i, { test, countCopies }] of explorations.entries()) {
    const { explorer, exploration } = runTest(test, rules, options, { countCopies })
    states += exploration.states
    if (exploration.bounded !== undefined) bounded++
    interrupted = exploration.bounded === 'interrupted' || isStopped()
    for (const [name, rule] of functions) if (explorer.learned.automata.called(rule)) asked.add(name)
    questions = mergeQuestions([...questions, ...questionsOf(explorer)])
    if (interrupted) {
      bounded += explorations.length - 1 - i
      break
    }
  }
  return {
    states,
    bounded,
    interrupted,
    unasked: functions.map(([name]) => name).filter((name) => !asked.has(name)),
    questions,
    // The program's own files, and the person's design, which is imported from its text.
    scripts: watchSource().take((url) => url.startsWith('file:') || url.startsWith('data:')),
  }
}

function isProcedure(rule: unknown): boolean {
  return typeof rule === 'function' && rule.constructor.name === 'GeneratorFunction'
}
