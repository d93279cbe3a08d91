/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/mm/*.ts', 'src/designs/*.ts'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  plugins: ['@stryker-mutator/vitest-runner', './test/mutation/wording.mjs'],
  ignorers: ['wording'],
  // Names of outcomes and the wording of failures: each is compared somewhere, or is for people.
  mutator: { excludedMutations: ['StringLiteral'] },
  concurrency: 2,
  // A mutant that runs for ever is a killed one; a slow machine is not a mutant.
  timeoutMS: 15_000,
  timeoutFactor: 2,
  incrementalFile: 'reports/mutation/incremental.json',
  reporters: ['progress', 'html', 'json'],
  htmlReporter: { fileName: 'reports/mutation/index.html' },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  allowConsoleColors: process.stdout.isTTY === true,
}
