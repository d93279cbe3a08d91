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

interface Original {
  readonly behaviour: string
  /** The rules that the run has asked for. Without one that it has not, it would be the same run. */
  readonly asked: ReadonlySet<string>
}

const original = new Map<string, Original>()

function originalOf(design: Design, file: string, litmus: Litmus, counting: boolean): Original {
  const key = `${design.name} ${file} ${counting}`
  const known = original.get(key)
  if (known !== undefined) return known
  const asked = new Set<string>()
  const watched = new Proxy(design.rules, {
    get(rules, name) {
      asked.add(String(name))
      return Reflect.get(rules, name)
    },
  })
  const found = { behaviour: shown(litmus, watched, counting), asked }
  original.set(key, found)
  return found
}

type Place = { readonly file: string; readonly test: Litmus; readonly counting: boolean }

const PLACES: readonly Place[] = [false, true].flatMap((counting) =>
  SUITE.map(({ file, test: litmus }) => ({ file, test: litmus, counting })),
)

/** Where the rule of some earlier design was missed: there one looks first. */
const missed = new Map<RuleName, Place>()

function differs(design: Design, rule: RuleName): string | undefined {
  const without = { ...design.rules, [rule]: NO_RULES[rule] } as Rules
  const first = missed.get(rule)
  for (const place of first === undefined ? PLACES : [first, ...PLACES]) {
    const { file, test: litmus, counting } = place
    const { behaviour, asked } = originalOf(design, file, litmus, counting)
    if (!asked.has(rule) || behaviour === shown(litmus, without, counting)) continue
    missed.set(rule, place)
    return litmus.name
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
  timeout: 1_800_000,
}, () => {
  const unobservable: string[] = []
  for (const design of DESIGNS) {
    for (const rule of Object.keys(NO_RULES) as RuleName[]) {
      if (design.rules[rule] === NO_RULES[rule]) continue
      if (differs(design, rule) === undefined) unobservable.push(`${design.name} ${rule}`)
    }
  }
  expect(unobservable.sort()).toEqual(documented())
})
