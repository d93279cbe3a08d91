/**
 * The yardstick and its relaxations: what each explains, and what it must not explain. A wrong
 * yardstick makes every verdict wrong.
 */
import { describe, expect, test } from 'vitest'
import { yardstickOf } from '../../src/check/index.ts'
import { parse } from '../../src/litmus/index.ts'
import { inWords } from '../../src/report/json.ts'

/** For each outcome, what it needs, in words; '' for nothing. */
function explanations(source: string): Record<string, string[]> {
  const { test: litmus } = parse(source)
  const entries = [...yardstickOf(litmus).explanations].map(([outcome, sets]): [string, string[]] => [
    outcome,
    sets.map((set) => set.map(inWords).join(' and ')),
  ])
  return Object.fromEntries(entries)
}

function rightOutcomes(source: string): string[] {
  return Object.entries(explanations(source))
    .filter(([, sets]) => sets.includes(''))
    .map(([outcome]) => outcome)
    .sort()
}

describe('what a program is entitled to', () => {
  test('fork against stores: each word has some value that it held during the call', () => {
    const source = `
test racing-stores
page x: a = 0, b = 0
process parent { thread f { fork child } thread s { x.a = 1; x.b = 1 } }
process child { r0 = x.a; r1 = x.b }`
    const children = rightOutcomes(source).map((outcome) =>
      outcome
        .match(/child\.r0=(\d) child\.r1=(\d)/)!
        .slice(1, 3)
        .join(''),
    )
    // Also b without a: no snapshot is promised, since words are copied at moments of their own.
    expect([...new Set(children)].sort()).toEqual(['00', '01', '10', '11'])
  })

  test('stores before fork are seen, stores after it are not', () => {
    const source = `
test ordered
page x = 0
process parent { x = 1; fork child; x = 2 }
process child { r0 = x }`
    expect(rightOutcomes(source)).toEqual(['child.r0=1 parent.x=2 child.x=1'])
  })

  test('discarded memory: the other thread sees the old value until the flush, and zeros after the call', () => {
    const source = `
test discard
page x = 5
process parent { thread d { dontneed x; signal done } thread l { r0 = x; wait done; r1 = x } }`
    expect(rightOutcomes(source)).toEqual([
      'parent.r0=0 parent.r1=0 parent.x=0',
      'parent.r0=5 parent.r1=0 parent.x=0',
    ])
  })

  test('a reference shows its owner’s page in both directions', () => {
    const source = `
test coherent
page x = 0
process parent { pin p = x for write, get; x = 1; r0 = p; p = 2; r1 = x }`
    expect(rightOutcomes(source)).toEqual(['parent.r0=1 parent.r1=2 parent.x=2 parent.p=2'])
  })

  test('a reference outlives its mapping, with the page of that time', () => {
    const source = `
test outlives
page x = 3
process parent { pin p = x for read, get; dontneed x; x = 4; r0 = p }`
    expect(rightOutcomes(source)).toEqual(['parent.r0=3 parent.x=4 parent.p=3'])
  })
})

describe('relaxations', () => {
  test('a stale reference is explained by its kind and circumstance, and the weakest comes first', () => {
    const after = explanations(`
test later
page x = 0
process parent { pin p = x for read, pin; fork child; x = 1; r0 = p }
process child { }`)
    expect(after['parent.r0=0 parent.x=1 child.x=0 parent.p=0']).toEqual([
      'FOLL_PIN for reading, once its owner forks',
    ])
    const plain = explanations(`
test plain
page x = 0
process parent { pin p = x for read, get; x = 1; r0 = p }`)
    expect(plain['parent.r0=0 parent.x=1 parent.p=0']).toEqual(['FOLL_GET for reading'])
  })

  test('a store through a reference may reach a child, but a store by the parent never does', () => {
    const device = explanations(`
test device
page x = 0
process parent { pin p = x for write, get; fork child; p = 7; signal s }
process child { wait s; r0 = x }`)
    expect(device['child.r0=7 parent.x=7 child.x=7 parent.p=7']).toBeDefined()
    const parent = explanations(`
test parent
page x = 0
process parent { pin p = x for write, get; fork child; x = 7; signal s }
process child { wait s; r0 = x }`)
    expect(Object.keys(parent).filter((outcome) => outcome.includes('child.r0=7'))).toEqual([])
  })

  test('a page that is held in two ways is promised to both', () => {
    const both = explanations(`
test both
page x = 0
process parent { pin p = x for read, get; pin q = x for write, pin; fork child; x = 1; r0 = p; r1 = q }
process child { }`)
    const lost = 'parent.r0=0 parent.r1=0 parent.x=1 child.x=0 parent.p=0 parent.q=0'
    expect(both[lost]).toEqual([
      'FOLL_GET for reading, once its owner forks and FOLL_PIN for writing, once its owner forks',
    ])
  })

  test('a reference that is grabbed while fork runs counts as one taken before', () => {
    const racing = explanations(`
test inflight
page y = 0
page x = 0
process parent {
  thread a { y = 1; pin q = y for write, pin; x = 1; signal s; y = 2; pin p = x for write, get, fast; wait f; p = 7 }
  thread b { wait s; fork child; signal f }
}
process child { }`)
    // y was copied before the grab, and yet the store reaches the child.
    expect(racing['parent.y=2 parent.x=7 child.y=1 child.x=7 parent.q=2 parent.p=7']).toEqual([
      'FOLL_GET for writing, once its owner forks',
    ])
  })
})
