/** docs/spin.md is about the suite as it is: every number in it is what the engine counts now. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile } from '../../src/litmus/index.ts'
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

test.each(DESIGNS)('docs/spin.md has the states that the engine counts under $name', (design) => {
  for (const [name, litmus] of rows) {
    const written = table.get(name)?.get(design.name)
    if (typeof written !== 'number') continue
    const { states } = explore(compile(litmus, design.rules).system, { states: MANAGEABLE.states })
    expect({ name, states }).toEqual({ name, states: written })
  }
})

test('few cells are too large for docs/spin.md', () => {
  const cells = [...table.values()].flatMap((row) => [...row.values()])
  expect(cells.filter((cell) => cell === 'too large').length).toBeLessThan(cells.length / 3)
})
