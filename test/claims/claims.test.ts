/** Every claim is decided as it says, by nothing but its experiments; and a deciding one turned round decides otherwise. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Claim, ClaimsError, decide, invert } from '../../src/claims/index.ts'
import { readSection } from '../../src/claims/read.ts'
import { designNamed } from '../../src/designs/index.ts'
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

test.each(CLAIMS)('$id', { timeout: 240_000 }, (claim) => {
  const result = decide(claim, testNamed)
  expect({ decision: result.decision, exhaustive: result.exhaustive }).toEqual({
    decision: claim.expected,
    exhaustive: true,
  })
  expect(result.cases.map(({ holds }) => holds)).toEqual(claim.cases.map(({ holds }) => holds))
  const turned = inWords(invert(claim))
  expect(turned).not.toBe(decisionInWords(claimReport(result, 80)))
})

test('a case that comes out otherwise is not as expected, whatever the decision', () => {
  const claim = CLAIMS.find(({ id }) => id === 'his-counter-example')!
  const reported = (cases: typeof claim.cases) => claimReport(decide({ ...claim, cases }, testNamed), 80)
  expect(reported(claim.cases).asExpected).toBe(true)
  const turned = claim.cases.map((one, i) => (i === 1 ? { ...one, holds: !one.holds } : one))
  expect(reported(turned)).toMatchObject({ decision: claim.expected, asExpected: false })
})

test('what would turn a case round is told: a rule that is ours, another reading', () => {
  const claim = CLAIMS.find(({ id }) => id === 'break-and-never-again-suffices')!
  const doubts = (test: string) =>
    decide({ ...claim, cases: claim.cases.filter((one) => one.test === test) }, testNamed).cases[0]!.doubts
  expect(doubts('write-pin-then-fork')).toEqual([])
  expect(doubts('swap-races-fast-pin')).toMatchObject([{ rule: 'page_try_share_anon_rmap', found: 'right' }])
  expect(doubts('read-get-shared')).toMatchObject([
    { rule: undefined, alternative: designNamed('torvalds+get')!.title, found: 'right' },
  ])
  expect(doubts('read-pin-shared')).toMatchObject([
    { rule: undefined, alternative: designNamed('torvalds+snapshot')!.title },
  ])
})

test('a rule that a case changes itself is no doubt any more', () => {
  const claim = CLAIMS.find(({ id }) => id === 'break-and-never-again-suffices')!
  const one = claim.cases.find(({ test }) => test === 'swap-races-fast-pin')!
  const cases = [{ ...one, with: ['pins-looked-at-when-unmapped'] }]
  expect(decide({ ...claim, cases }, testNamed).cases[0]).toMatchObject({ holds: true, doubts: [] })
})

test('nothing is decided where what a case is compared with was cut short', () => {
  const text = (asks: string) => `section: s
about: a
claims:
  - {id: one, by: b, when: w, where: h, claim: c, expected: holds, comment: c, inverted: {case: 1},
     cases: [{if: always, test: both-write, design: v5.9, asks: ${asks}}]}
`
  for (const asks of ['{copies: 3}', '{same outcomes as: {design: v6.18}}', '{looks like: grandchild}']) {
    const claim = readSection(text(asks), 'my.yaml').claims[0]!
    const whole = decide(claim, testNamed)
    expect(whole.exhaustive).toBe(true)
    const { states } = whole.cases[0]!
    const short = decide(claim, testNamed, { limits: { states } })
    // The cell itself is complete, and what is explored besides has more states.
    expect(short.cases[0]!.cell.exploration.bounded).toBeUndefined()
    expect({ asks, exhaustive: short.exhaustive }).toEqual({ asks, exhaustive: false })
  }
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
  expect(() => readSection(text('{verdict: [right]}').replace('{case: 1}', '{case: 7}'), 'my.yaml')).toThrow(
    /^my\.yaml:13:\d+: case: there is no case 7; this claim has one case$/,
  )
  const asked = (asks: string) => readSection(text(asks), 'my.yaml').claims[0]!
  expect(() => decide(asked('{stable: mapcount, at: unsharing test}'), testNamed)).toThrow(
    /no thread of "both-write" under v5\.9 ever looks at a page in an unsharing test/,
  )
  expect(() => decide(asked('{raises: mapcount, only: [dup_mmapp]}'), testNamed)).toThrow(
    /^unknown function "dup_mmapp"; did you mean "dup_mmap"\?; there are dup_mmap, /,
  )
  const ruled = (rules: string) => readSection(text(`{verdict: [right]}, ${rules}`), 'my.yaml').claims[0]!
  expect(() => decide(ruled('with: [magic]'), testNamed)).toThrow(/unknown change "magic"; there are /)
  expect(() => decide(ruled('without: [magic]'), testNamed)).toThrow(/unknown rule "magic"; there are /)
  expect(() => decide(ruled('like: {zero_page: v1}'), testNamed)).toThrow(/unknown design "v1"/)
})
