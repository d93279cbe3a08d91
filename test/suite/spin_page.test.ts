/** docs/spin.md is about the suite as it is: every number in it is what the engine counts now. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile } from '../../src/litmus/index.ts'
import { SharedRuns } from './shared_runs.ts'
import { MANAGEABLE } from './small_program.ts'
import { readSpinPage, spinPage, suiteRows } from './spin_page.ts'

const page = readFileSync(new URL('../../docs/spin.md', import.meta.url), 'utf8')
const table = readSpinPage(page)
const rows = suiteRows()

test('docs/spin.md is as the program writes it', () => {
  expect(spinPage(table)).toBe(page)
})

test('docs/spin.md has each test of the suite, and each design', () => {
  expect([...table.keys()]).toEqual([...rows.keys()])
  for (const row of table.values()) expect([...row.keys()]).toEqual(DESIGNS.map(({ name }) => name))
})

const counted = new SharedRuns(
  (litmus, rules) => explore(compile(litmus, rules).system, { states: MANAGEABLE.states }).states,
)

test.each(DESIGNS)('docs/spin.md has the states that the engine counts under $name', ({ name, rules }) => {
  for (const [test, litmus] of rows) {
    const written = table.get(test)?.get(name)
    if (typeof written !== 'number') continue
    expect({ test, states: counted.of(litmus, rules).result }).toEqual({ test, states: written })
  }
})

test('few cells are too large for docs/spin.md', () => {
  const cells = [...table.values()].flatMap((row) => [...row.values()])
  expect(cells.filter((cell) => cell === 'too large').length).toBeLessThan(cells.length / 3)
})
