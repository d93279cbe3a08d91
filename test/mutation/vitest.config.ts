// The tests that judge a mutant: cells.ts first, since what it asks of a mutant is cheapest to most costly.

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

class CellsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => (moduleId.endsWith('/cells.ts') ? 0 : 1)
    return [...files].sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId))
  }
}

export default defineConfig({
  test: {
    include: ['test/mutation/cells.ts', 'test/mm/*.test.ts', 'test/check/*.test.ts'],
    globalSetup: 'test/mutation/baseline.ts',
    sequence: { sequencer: CellsFirst },
    testTimeout: 60_000,
  },
})
