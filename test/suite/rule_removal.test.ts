/**
 * Every rule of every design earns its place: without it some test of the suite ends
 * differently or costs other copies. The rules for which none does are listed in
 * docs/model.md, and that list must be exact.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runTest } from '../../src/check/index.ts'
import { DESIGNS, type Design, NO_RULES, type RuleName } from '../../src/designs/index.ts'
import type { Litmus } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'
import { behaviourOf, copiesOf } from './behaviour.ts'
import { corpus } from './corpus.ts'
import { SharedRuns } from './shared_runs.ts'

/** What a test shows: all that can come of it, and then, with other runs, what that can cost in copies. */
const WAYS = [
  new SharedRuns((litmus, rules) => behaviourOf(runTest(litmus, rules))),
  new SharedRuns((litmus, rules) => copiesOf(litmus, rules)!.behaviour),
] as const

interface Place {
  readonly test: Litmus
  readonly shown: SharedRuns<string>
}

const SUITE = corpus()
const PLACES: readonly Place[] = WAYS.flatMap((shown) => SUITE.map(({ test }) => ({ test, shown })))

/** Where the rules of earlier designs were missed: there one looks first. */
const missed = new Map<RuleName, Set<Place>>()

function isMissed(design: Design, rule: RuleName): boolean {
  const without = { ...design.rules, [rule]: NO_RULES[rule] } as Rules
  const likely = missed.get(rule) ?? new Set()
  missed.set(rule, likely)
  const found = [...likely, ...PLACES].find(({ test, shown }) => {
    const { result, asked } = shown.of(test, design.rules)
    // A run that has not asked for it would be the same without it.
    return asked.has(rule) && result !== shown.of(test, without).result
  })
  if (found !== undefined) likely.add(found)
  return found !== undefined
}

/** The rows of the table between the markers in docs/model.md: `| design | rule | … |`. */
function documented(): string[] {
  const text = readFileSync(new URL('../../docs/model.md', import.meta.url), 'utf8')
  const [, table = ''] = text.split('<!-- unobservable rules -->')
  return table
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| design') && !line.startsWith('| ---'))
    .flatMap((line) => {
      const [, designs = '', rule = ''] = line.split('|').map((cell) => cell.trim())
      return designs.split(', ').map((design) => `${design} ${rule.replaceAll('`', '')}`)
    })
    .sort()
}

test('a rule that can be taken away unnoticed is documented as such, and no other is', {
  timeout: 1_800_000,
}, () => {
  const unobservable: string[] = []
  for (const design of DESIGNS) {
    for (const rule of Object.keys(NO_RULES) as RuleName[]) {
      if (design.rules[rule] === NO_RULES[rule]) continue
      if (!isMissed(design, rule)) unobservable.push(`${design.name} ${rule}`)
    }
  }
  expect(unobservable.sort()).toEqual(documented())
})
