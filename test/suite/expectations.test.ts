/** The suite: every test says what is expected of every design, and that is what happens. */
import { expect, test } from 'vitest'
import { expectationFor, judgeRun, runTest, yardstickOf } from '../../src/check/index.ts'
import { DESIGNS } from '../../src/designs/index.ts'
import { corpus } from './corpus.ts'
import { SharedRuns } from './shared_runs.ts'

const SUITE = corpus()

test('names are unique within a folder, and like those of the files', () => {
  const ofClaims = corpus(new URL('../../claims/tests', import.meta.url).pathname)
  expect(ofClaims.length).toBeGreaterThan(1)
  for (const { file, test: litmus } of [...SUITE, ...ofClaims]) {
    expect(file.endsWith(`/${litmus.name}.litmus`)).toBe(true)
  }
})

test('each test says something of each design, and why', () => {
  for (const { test: litmus } of SUITE) {
    for (const { name } of DESIGNS) {
      const expectation = expectationFor(litmus, name)
      expect({ test: litmus.name, design: name, reason: expectation?.reason }).toMatchObject({
        reason: expect.stringMatching(/.{10}/),
      })
    }
  }
})

test.each(SUITE)('$test.name ends as expected under every design', ({ test: litmus }) => {
  const yardstick = yardstickOf(litmus)
  const runs = new SharedRuns((test, rules) => runTest(test, rules))
  for (const design of DESIGNS) {
    const run = runs.of(litmus, design.rules).result
    const { verdict, conditions, expectation } = judgeRun(litmus, design, yardstick, run)
    const held = conditions.every(({ holds }) => holds)
    const found = { design: design.name, verdict, conditions: held ? 'holds' : 'violated' }
    expect({ ...found, met: expectation?.met }).toEqual({ ...found, met: true })
  }
})
