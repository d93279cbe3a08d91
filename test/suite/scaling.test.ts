/** The tests of growing size are of the size that they say, and docs/scaling.md is about them as they are now. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SIZES, testOf } from '../../bench/scaling_tests.ts'
import { designNamed } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile, parse } from '../../src/litmus/index.ts'

const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8')

/** The cells of each line of the table. */
const lines = page
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

test.each(SIZES)('$processes processes, $pages pages, $operations operations', (size) => {
  const { test: litmus, warnings } = parse(testOf(size), 'scaling.litmus')
  expect(warnings).toEqual([])
  expect(litmus.pages).toHaveLength(size.pages)
  expect(litmus.processes).toHaveLength(size.processes)
  const forks = size.processes - 1
  const statements = litmus.processes.map(
    ({ threads }) => threads.flatMap(({ statements: all }) => all).length,
  )
  expect(statements).toEqual(litmus.processes.map((_, i) => size.operations + (i === 0 ? forks : 0)))
})

test('docs/scaling.md has each size once, in their order', () => {
  expect(lines.map((cells) => cells.slice(0, 3).join())).toEqual(
    SIZES.map(({ processes, pages, operations }) => [processes, pages, operations].join()),
  )
})

test('docs/scaling.md has the states that the engine counts; if not, npm run bench:scaling', () => {
  for (const [i, size] of SIZES.entries()) {
    if (size.processes > 2) continue
    const { system } = compile(parse(testOf(size), 'scaling.litmus').test, designNamed('v5.19')!.rules)
    expect({ size, states: explore(system).states.toLocaleString('en-US') }).toEqual({
      size,
      states: lines[i]![3],
    })
  }
})
