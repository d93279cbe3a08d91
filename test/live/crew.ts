/** Runs tests on live threads, as `cowherd live` does, and compares with what the engine explores. */
import { readFileSync } from 'node:fs'
import { inject } from 'vitest'
import { runTest } from '../../src/check/index.ts'
import { Crew, type LiveRuns } from '../../src/cli/crew.ts'
import type { Design } from '../../src/designs/index.ts'
import type { SuiteTest } from '../suite/corpus.ts'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

export const LIVE_WORKER = new URL('../../dist/live_worker.js', import.meta.url)

export function newCrew(worker = LIVE_WORKER): Crew {
  return new Crew({ worker })
}

export function runLive(
  crew: Crew,
  { file }: SuiteTest,
  design: Design,
  runs: number,
  seed = 1,
): Promise<LiveRuns> {
  const test = { file, text: readFileSync(file, 'utf8') }
  return crew.run({ test, design: { kind: 'built-in', name: design.name }, seed }, runs)
}

/** The keys of all outcomes that the engine allows, and the messages of all failures. */
export function allowedBy(
  { test }: SuiteTest,
  design: Design,
): { outcomes: Set<string>; failures: Set<string> } {
  const { exploration, ends } = runTest(test, design.rules)
  if (exploration.bounded !== undefined) throw new Error(`${test.name}: not explored to the end`)
  return {
    outcomes: new Set(ends.map(({ outcome }) => outcome.key)),
    failures: new Set(exploration.failures.map(({ message }) => message)),
  }
}

/** What happened and is not allowed, in words. */
export function forbidden(runs: LiveRuns, allowed: ReturnType<typeof allowedBy>): string[] {
  return [
    ...runs.outcomes.filter(([key]) => !allowed.outcomes.has(key)),
    ...runs.failures.filter(([message]) => !allowed.failures.has(message)),
  ].map(([what, count]) => `${what} (${count} of ${runs.runs} runs)`)
}
