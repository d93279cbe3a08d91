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

const SUITE = corpus()

function shown(litmus: Litmus, rules: Rules, counting: boolean): string {
  return counting ? copiesOf(litmus, rules)!.behaviour : behaviourOf(runTest(litmus, rules))
}

const original = new Map<string, string>()

function differs(design: Design, rules: Rules): string | undefined {
  for (const counting of [false, true]) {
    for (const { file, test: litmus } of SUITE) {
      const key = `${design.name} ${file} ${counting}`
      const before = original.get(key) ?? shown(litmus, design.rules, counting)
      original.set(key, before)
      const after = shown(litmus, rules, counting)
      if (before !== after) return litmus.name
    }
  }
  return undefined
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
  timeout: 600_000,
}, () => {
  const unobservable: string[] = []
  for (const design of DESIGNS) {
    for (const rule of Object.keys(NO_RULES) as RuleName[]) {
      if (design.rules[rule] === NO_RULES[rule]) continue
      const without = { ...design.rules, [rule]: NO_RULES[rule] } as Rules
      if (differs(design, without) === undefined) unobservable.push(`${design.name} ${rule}`)
    }
  }
  expect(unobservable.sort()).toEqual(documented())
})
