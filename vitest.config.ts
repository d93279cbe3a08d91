import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

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
    // Not one less than there are processors, which on a machine with two would be half of it.
    maxWorkers: '100%',
    // A test explores a state space, so it takes as long as it takes on a small machine; two minutes mean stuck.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
