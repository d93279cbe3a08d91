import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes minutes comes first: one of them at the end would leave all processors but one idle. */
const LONG = ['rule_removal', 'spin', 'workers', 'expectations', 'reductions', 'check', 'claims', 'qemu']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return at < 0 ? LONG.length : at
    }
    return [...(await super.sort(files))].sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  // As in tsconfig.json: an example's `cowherd` is this tree, not its last build.
  resolve: {
    alias: {
      'cowherd/live': fileURLToPath(new URL('src/live.ts', import.meta.url)),
      cowherd: fileURLToPath(new URL('src/index.ts', import.meta.url)),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/cli/build.ts',
    sequence: { sequencer: LongestFirst },
    // Not one less than there are processors, which on a machine with two would be half of it.
    maxWorkers: '100%',
    // A test explores a state space, so it takes as long as it takes on a small machine; two minutes mean stuck.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
