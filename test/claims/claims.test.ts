/** Every claim is decided as it says, by nothing but its experiments; and a deciding one turned round decides otherwise. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Claim, ClaimsError, decide, invert, readSection } from '../../src/claims/index.ts'
import type { Litmus } from '../../src/litmus/index.ts'
import { claimReport, decisionInWords } from '../../src/report/claims.ts'
import { corpus } from '../suite/corpus.ts'

const FOLDER = new URL('../../claims', import.meta.url).pathname

const SECTIONS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => readSection(readFileSync(join(FOLDER, name), 'utf8'), name))
const CLAIMS = SECTIONS.flatMap(({ claims }) => claims)

const known = new Map<string, Litmus>()
for (const { file, test: litmus } of [...corpus(), ...corpus(join(FOLDER, 'tests'))]) {
  const path = file.slice(0, -'.litmus'.length).split('/').slice(-2).join('/')
  known.set(path, litmus)
  known.set(litmus.name, litmus)
}

function testNamed(name: string): Litmus {
  const found = known.get(name)
  if (found === undefined) throw new Error(`there is no test ${name}`)
  return found
}

function inWords(claim: Claim): string {
  return decisionInWords(claimReport(decide(claim, testNamed), 80))
}

test('claims have names of their own', () => {
  expect(new Set(CLAIMS.map(({ id }) => id)).size).toBe(CLAIMS.length)
})

test.each(CLAIMS)('$id', { timeout: 60_000 }, (claim) => {
  const result = decide(claim, testNamed)
  expect({ decision: result.decision, exhaustive: result.exhaustive }).toEqual({
    decision: claim.expected,
    exhaustive: true,
  })
  const turned = inWords(invert(claim))
  expect(turned).not.toBe(decisionInWords(claimReport(result, 80)))
})

test('what is no claim is told with its place', () => {
  const text = (asks: string) => `section: s
about: a
claims:
  - id: one
    by: b
    when: w
    where: h
    claim: c
    cases:
      - {if: always, test: both-write, design: v5.9, asks: ${asks}}
    expected: holds
    comment: c
    inverted: {case: 1}
`
  expect(() => readSection(text('{verdict: [wrong]}'), 'my.yaml')).toThrow(/^my\.yaml:10:\d+: asks: /)
  expect(() => readSection('section: [', 'my.yaml')).toThrow(/^my\.yaml:1:\d+: /)
  expect(() => readSection('section: s', 'my.yaml')).toThrow(ClaimsError)
  const ruled = (rules: string) => readSection(text(`{verdict: [right]}, ${rules}`), 'my.yaml').claims[0]!
  expect(() => decide(ruled('with: [magic]'), testNamed)).toThrow(/unknown change "magic"; there are /)
  expect(() => decide(ruled('without: [magic]'), testNamed)).toThrow(/unknown rule "magic"; there are /)
  expect(() => decide(ruled('like: {zero_page: v1}'), testNamed)).toThrow(/unknown design "v1"/)
})
