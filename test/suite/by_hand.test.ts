/** The program in bench/hand, which shares nothing with the rest, finds what the engine finds. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runTest } from '../../src/check/index.ts'
import { designNamed } from '../../src/designs/index.ts'
import { conditionHolds } from '../../src/litmus/index.ts'
import { runSpin, spinAvailable } from '../spin.ts'
import { corpus } from './corpus.ts'

const PROGRAM = readFileSync(new URL('../../bench/hand/cow.pml', import.meta.url), 'utf8')

test.runIf(spinAvailable()).each([
  { name: 'v5.9', program: PROGRAM, finds: ['assertion violated'] },
  { name: 'v5.11', program: `#define SEQ\n${PROGRAM}`, finds: [] },
])('by hand and under $name', async ({ name, program, finds }) => {
  const { test: litmus } = corpus().find((found) => found.test.name === 'fast-pin')!
  const outcomes = runTest(litmus, designNamed(name)!.rules).ends.map(({ outcome }) => outcome)
  expect(conditionHolds(litmus, litmus.conditions[0]!, outcomes)).toBe(finds.length === 0)
  expect((await runSpin(program)).messages).toEqual(finds)
})
