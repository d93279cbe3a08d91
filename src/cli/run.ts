/** `cowherd run`: tests on a real kernel, beside what the model allows. */
import type { Command } from 'commander'
import { renderDiagnostic } from '../litmus/index.ts'
import { whyNotEmittable } from '../real/emit.ts'
import { renderComparison } from '../report/real.ts'
import { OK, SURPRISED, UNUSABLE, UsageError } from './exit.ts'
import { faulty } from './kernels.ts'
import {
  emittableOf,
  MACHINE_OPTIONS,
  type MachineOptions,
  type MachineReport,
  machineCalled,
  runOn,
} from './machines.ts'
import { complain, outputColour, outputWidth, print } from './terminal.ts'
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
  for (const { test, text, file } of files) {
    for (const one of whyNotEmittable(test)) complain(renderDiagnostic(one, text, file))
  }
  const tests = emittableOf(files).map(({ test }) => test)
  if (tests.length === 0) throw new UsageError('none of these tests has a C form, so there is nothing to run')
  const [report] = await faulty(() => runOn([machineCalled(options.on)], tests, options))
  for (const [i, comparison] of report!.comparisons.entries()) {
    const text = { width: outputWidth(), colour: outputColour() }
    print(renderComparison(tests[i]!.name, report!, comparison, text))
  }
  return exitCode([report!])
}

function testsCalled(name: string): TestFile[] {
  const { tests, errors } = readTests([name])
  if (tests.length > 0 && errors.length === 0) return [...tests]
  return [findTest(name)]
}

/** 1 if a kernel did what the model forbids; 2 if a test came to no end. A skip is neither. */
export function exitCode(reports: readonly MachineReport[]): number {
  const all = reports.flatMap(({ comparisons }) => comparisons)
  if (all.some((one) => one?.agreement === 'differs')) return SURPRISED
  return all.some((one) => one === undefined || one.agreement === 'undecided') ? UNUSABLE : OK
}
