/**
 * What a mutant must not get away with, the cheapest question first: what the suite expects;
 * what must hold in every state; outcomes that no expectation speaks about; the yardstick; the
 * number of copies. The message of a failure begins with the question that it answers.
 */
import { describe, inject, test } from 'vitest'
import { type Cell, checkCell, type Yardstick, yardstickOf } from '../../src/check/index.ts'
import { DESIGNS, designNamed } from '../../src/designs/index.ts'
import { type ExploreLimits, explore } from '../../src/engine/index.ts'
import { compile, type Litmus } from '../../src/litmus/index.ts'
import { exclusivityHolds } from '../../src/mm/invariants.ts'
import type { Rules } from '../../src/mm/kernel.ts'
import { behaviourOf, copiesOf } from '../suite/behaviour.ts'
import { corpus } from '../suite/corpus.ts'
import type { BaselineCell, BaselineTest, Shown } from './baseline.ts'
import { digest, explanationsOf } from './digest.ts'

const { tests, cells } = inject('baseline')
const expected = cells.filter(({ design }) => DESIGNS.some(({ name }) => name === design))
const suite = corpus()

const RUNS_AWAY = 'limit: many more states than without the mutant'
const CHANGED = 'not what it was'

function limitsFor({ states }: Shown): ExploreLimits {
  return { states: Math.max(20_000, 4 * states) }
}

function litmusOf({ path }: BaselineTest): Litmus {
  return suite.find(({ file }) => file.endsWith(`/${path}`))!.test
}

function rulesOf({ design }: BaselineCell): Rules {
  return designNamed(design)!.rules
}

/**
 * While a mutant is active, what was computed for one question serves the next. Without one,
 * every test computes everything, since it is then that Stryker notes which mutants a test meets.
 */
function remembered<T>(known: Map<string, T>, key: string, compute: () => T): T {
  const { __stryker__: stryker } = globalThis as { __stryker__?: { activeMutant?: string } }
  if (stryker?.activeMutant === undefined) return compute()
  if (!known.has(key)) known.set(key, compute())
  return known.get(key)!
}

interface Judged extends Pick<Cell, 'verdict' | 'expectation' | 'conditions' | 'exhaustive'> {
  readonly outcomes: string
}

const yardsticks = new Map<string, Yardstick>()
const judgements = new Map<string, Judged>()

function yardstickFor(known: BaselineTest): Yardstick {
  const limits = limitsFor(known.yardstick)
  return remembered(yardsticks, known.path, () => yardstickOf(litmusOf(known), { limits }))
}

function judge(cell: BaselineCell): Judged {
  return remembered(judgements, `${cell.path} ${cell.design}`, () => {
    const limits = limitsFor(cell.outcomes)
    const found = checkCell(litmusOf(cell), designNamed(cell.design)!, yardstickFor(cell), { limits })
    const { verdict, expectation, conditions, exhaustive } = found
    return { verdict, expectation, conditions, exhaustive, outcomes: digest(behaviourOf(found.run)) }
  })
}

/** The number in a test's name keeps the name from being part of another one's. */
function ask<T extends BaselineTest & { readonly design?: string }>(
  question: string,
  about: readonly T[],
  answer: (known: T) => string | undefined,
): void {
  describe(question, () => {
    about.forEach((known, i) => {
      test(`${i}: ${known.path} under ${known.design ?? 'the yardstick'}`, () => {
        const found = answer(known)
        if (found !== undefined) throw new Error(found === RUNS_AWAY ? found : `${question}: ${found}`)
      })
    })
  })
}

ask('expectation', expected, (cell) => {
  const { verdict, expectation, conditions, exhaustive } = judge(cell)
  if (!exhaustive) return RUNS_AWAY
  if (expectation?.met) return undefined
  return `${verdict}, conditions ${conditions.map(({ holds }) => (holds ? 'hold' : 'violated')).join(', ')}`
})

ask('invariant', expected, (cell) => {
  const { kernel, system } = compile(litmusOf(cell), rulesOf(cell))
  const exclusive: typeof system = { ...system, invariant: (memory) => exclusivityHolds(kernel, memory) }
  const { failures } = explore(exclusive, limitsFor(cell.outcomes))
  return failures.find(({ kind }) => kind === 'invariant')?.message
})

ask('outcomes', cells, (cell) => (judge(cell).outcomes === cell.outcomes.digest ? undefined : CHANGED))

ask('yardstick', tests, (known) =>
  digest(explanationsOf(yardstickFor(known))) === known.yardstick.digest ? undefined : CHANGED,
)

ask('copies', cells, (cell) => {
  if (cell.copies === undefined) return undefined
  const found = copiesOf(litmusOf(cell), rulesOf(cell), limitsFor(cell.copies))
  if (found === undefined) return RUNS_AWAY
  return digest(found.behaviour) === cell.copies.digest ? undefined : CHANGED
})
