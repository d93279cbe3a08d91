/** Builds `dist` once before any test runs: the tests of the command line are about the program that people run. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Whether `dist` is what the sources say. If it is not, only the tests that run it fail. */
    built: boolean
  }
}

export default function setup(project: TestProject): void {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { status } = spawnSync(process.execPath, ['build.mjs'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  project.provide('built', status === 0)
}
