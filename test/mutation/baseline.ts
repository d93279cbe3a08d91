/**
 * What every test of the suite shows under every design before anything is mutated, and how many
 * states that takes. Made once, by the first process that asks; the others of a mutation run read it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { TestProject } from 'vitest/node'
import { runTest, yardstickOf } from '../../src/check/index.ts'
import { DESIGNS, VARIANTS } from '../../src/designs/index.ts'
import { behaviourOf, copiesOf } from '../suite/behaviour.ts'
import { corpus } from '../suite/corpus.ts'
import { digest, explanationsOf } from './digest.ts'

/** One exploration: its size, and a digest of what it shows. */
export interface Shown {
  readonly states: number
  readonly digest: string
}

export interface BaselineTest {
  /** Below the suite's folder. */
  readonly path: string
  readonly yardstick: Shown
}

export interface BaselineCell extends BaselineTest {
  readonly design: string
  readonly outcomes: Shown
  /** The same with copies counted, which makes for more states. Undefined if there are too many. */
  readonly copies: Shown | undefined
}

declare module 'vitest' {
  export interface ProvidedContext {
    baseline: { readonly tests: readonly BaselineTest[]; readonly cells: readonly BaselineCell[] }
  }
}

/** Larger explorations are left out: a surviving mutant has to face each of them. */
const LARGEST = Number(process.env.MUTATION_STATES ?? 50_000)

/** Kept only in the folder of a mutation run: elsewhere the suite may change between two runs. */
const FILE = process.env.STRYKER_MUTATOR_WORKER === undefined ? undefined : 'baseline.json'

export default function setup(project: TestProject): void {
  if (FILE !== undefined && existsSync(FILE)) {
    project.provide('baseline', JSON.parse(readFileSync(FILE, 'utf8')))
    return
  }
  const baseline = record()
  if (FILE !== undefined) writeFileSync(FILE, JSON.stringify(baseline))
  project.provide('baseline', baseline)
}

/** The smallest first. */
function record(): { tests: BaselineTest[]; cells: BaselineCell[] } {
  const folder = new URL('../../suite', import.meta.url).pathname
  const limits = { states: LARGEST }
  const tests: BaselineTest[] = []
  const cells: BaselineCell[] = []
  for (const { file, test } of corpus(folder)) {
    const yardstick = yardstickOf(test, { limits })
    if (!yardstick.exhaustive) continue
    const known: BaselineTest = {
      path: relative(folder, file),
      yardstick: { states: yardstick.states, digest: digest(explanationsOf(yardstick)) },
    }
    tests.push(known)
    for (const { name, rules } of [...DESIGNS, ...VARIANTS]) {
      const run = runTest(test, rules, { limits })
      const { states, bounded } = run.exploration
      if (bounded !== undefined) continue
      const outcomes = { states, digest: digest(behaviourOf(run)) }
      const counted = copiesOf(test, rules, limits)
      const copies = counted && { states: counted.states, digest: digest(counted.behaviour) }
      cells.push({ ...known, design: name, outcomes, copies })
    }
  }
  tests.sort((a, b) => a.yardstick.states - b.yardstick.states)
  cells.sort((a, b) => a.outcomes.states - b.outcomes.states)
  return { tests, cells }
}
