/** `cowherd run`: tests on a real kernel, beside what the model allows. */
import type { Command } from 'commander'
import { renderDiagnostic } from '../litmus/index.ts'
import { whyNotEmittable } from '../real/emit.ts'
import { OK, SKIPPED } from './exit.ts'
import {
  exitCode,
  MACHINE_OPTIONS,
  type MachineOptions,
  measure,
  printComparisons,
  wasSkipped,
} from './machines.ts'
import { complain } from './terminal.ts'
import { findTest, readTests, type TestFile } from './tests.ts'

interface RunOptions extends MachineOptions {
  readonly on: string
}

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .description('run tests on a real kernel, and compare what it does with what the model allows')
    .argument('<tests...>', 'files, folders, or names of tests in the suite')
    .requiredOption('--on <machine>', 'host, or qemu:<kernel> with a kernel of "cowherd kernels"')
    .option('--pages', 'show what pages are made of in the end: frame, mapcount, flags')
  for (const option of MACHINE_OPTIONS) command.addOption(option)
  command.action(async (names: string[], options: RunOptions) => {
    process.exitCode = await runTests(names, options)
  })
}

async function runTests(names: readonly string[], options: RunOptions): Promise<number> {
  const files = names.flatMap(testsCalled)
  let without = 0
  for (const { test, text, file } of files) {
    const reasons = whyNotEmittable(test)
    if (reasons.length > 0) without++
    for (const one of reasons) complain(renderDiagnostic(one, text, file))
  }
  const measured = await measure([options.on], files, options)
  printComparisons(measured)
  const code = exitCode(measured)
  return code === OK && (without > 0 || wasSkipped(measured)) ? SKIPPED : code
}

function testsCalled(name: string): TestFile[] {
  const { tests, errors } = readTests([name])
  if (tests.length > 0 && errors.length === 0) return [...tests]
  return [findTest(name)]
}
