/** What counts as worse, and where a value that is observed may come from. */
import { expect, test } from 'vitest'
import { foreignReads, runTest, worst } from '../../src/check/index.ts'
import { minimal } from '../../src/check/yardstick.ts'
import type { Circumstance } from '../../src/designs/index.ts'
import { v5_7 } from '../../src/designs/v5_7.ts'
import { v5_9 } from '../../src/designs/v5_9.ts'
import { traceTo } from '../../src/engine/index.ts'
import { parse } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'

test('the worst verdict is the worst, in whatever order they come', () => {
  expect(worst([])).toBe('right')
  expect(worst(['not-promised', 'right'])).toBe('not-promised')
  expect(worst(['not-promised', 'missed-cow', 'wrong-cow'])).toBe('missed-cow')
  expect(worst(['wrong-cow', 'lost-write'])).toBe('wrong-cow')
  expect(worst(['missed-cow', 'leak'])).toBe('leak')
})

/** How many foreign values the outcome with these values shows. */
function foreignIn(source: string, rules: Rules, wanted: string): number {
  const { test: litmus } = parse(source)
  const { program, explorer, ends } = runTest(litmus, rules)
  const end = ends.find(({ outcome }) => outcome.key.includes(wanted))!
  return foreignReads(program.kernel, litmus, traceTo(explorer, end.state)).length
}

test('what was stored before fork is inherited, by grandchildren too', () => {
  const source = `
test inherited
page x = 0
process parent { x = 1; fork child }
process child { fork grandchild }
process grandchild { r0 = x }`
  expect(foreignIn(source, v5_9.rules, 'grandchild.r0=1')).toBe(0)
})

test('a store while fork runs is inherited until the child begins', () => {
  const source = `
test during
page x = 0
process parent { thread f { fork child } thread s { x = 1 } }
process child { r0 = x }`
  expect(foreignIn(source, v5_9.rules, 'child.r0=1')).toBe(0)
})

test('what was stored after fork is foreign: to the child that reads it, and to the reference that holds it', () => {
  const source = `
test after
page x = 0
process parent { fork child; wait gone; x = 1; signal written }
process child { pin p = x for read, get; unmap x; signal gone; wait written; r0 = p }`
  expect(foreignIn(source, v5_7.rules, 'child.r0=1')).toBe(2)
})

test('of several explanations the weakest comes first, and one that includes another is dropped', () => {
  const relaxation = (pin: boolean, circumstance: Circumstance) => ({
    reference: { pin, write: false, longterm: false },
    circumstance,
  })
  const any = [relaxation(false, 'any')]
  const later = [relaxation(true, 'later-fork')]
  const both = [relaxation(true, 'later-fork'), relaxation(true, 'protected')]
  const strong = [relaxation(true, 'any')]
  expect(minimal([any, later])).toEqual([later, any])
  expect(minimal([later, any])).toEqual([later, any])
  expect(minimal([both, later])).toEqual([later])
  expect(minimal([strong, later])).toEqual([later])
})
