/**
 * What a right design keeps at every moment, whether or not an outcome shows it: in the paths
 * of src/mm a mistake can hide from every outcome of the suite.
 */
import { expect, test } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { explore } from '../../src/engine/index.ts'
import { compile } from '../../src/litmus/index.ts'
import { exclusivityHolds } from '../../src/mm/invariants.ts'
import { corpus } from './corpus.ts'

const SUITE = corpus()

test.each(DESIGNS)(
  'pages that are written to are mapped once under $name',
  { timeout: 400_000 },
  (design) => {
    for (const { test: litmus } of SUITE) {
      const { kernel, system } = compile(litmus, design.rules)
      const invariant = (memory: Parameters<typeof exclusivityHolds>[1]): string | undefined =>
        exclusivityHolds(kernel, memory)
      const { failures } = explore({ ...system, invariant })
      expect({ test: litmus.name, failures: failures.filter(({ kind }) => kind === 'invariant') }).toEqual({
        test: litmus.name,
        failures: [],
      })
    }
  },
)
