/** SPIN's count of states on the exported program is the engine's, for every test of the suite that is small enough. */
import { expect, test } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { Explorer } from '../../src/engine/index.ts'
import { toPromela } from '../../src/engine/promela.ts'
import { compile } from '../../src/litmus/index.ts'
import { runSpin, spinAvailable } from '../spin.ts'
import { corpus } from './corpus.ts'

/** Larger programs take the C compiler too long. */
const MANAGEABLE = 3_000

/** Each test meets two designs, so that every design meets many tests and the whole stays short. */
const PAIRS = corpus().flatMap(({ test: litmus }, i) =>
  [0, 4].map((offset) => ({ litmus, design: DESIGNS[(i + offset) % DESIGNS.length]! })),
)

test.runIf(spinAvailable()).concurrent.each(PAIRS)(
  'SPIN agrees on $litmus.name under $design.name',
  { timeout: 300_000 },
  async ({ litmus, design }) => {
    const explorer = new Explorer(compile(litmus, design.rules).system, { states: MANAGEABLE })
    explorer.run()
    const engine = explorer.result()
    if (engine.bounded !== undefined) return
    const spin = await runSpin(toPromela(explorer))
    expect({ states: spin.states, transitions: spin.transitions }).toEqual({
      states: engine.states,
      transitions: engine.transitions,
    })
    const deadlock = engine.failures.some(({ kind }) => kind === 'deadlock')
    const failure = engine.failures.some(({ kind }) => kind === 'failure')
    expect(spin.messages.includes('invalid end state')).toBe(deadlock)
    expect(spin.messages.includes('assertion violated')).toBe(failure)
  },
)
