/** `cowherd conform`: the suite on several kernels, as a table. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { whyNotEmittable } from '../real/emit.ts'
import { listKernels } from '../real/kernels.ts'
import { type Conformance, cellMark, conformancePage } from '../report/conformance.ts'
import { renderComparison } from '../report/real.ts'
import { whole } from './choices.ts'
import { UsageError } from './exit.ts'
import { faulty } from './kernels.ts'
import {
  emittableOf,
  MACHINE_OPTIONS,
  type MachineOptions,
  type MachineReport,
  machineCalled,
  runOn,
} from './machines.ts'
import { exitCode } from './run.ts'
import { complain, outputColour, outputWidth, print } from './terminal.ts'
import { nameOf, readable, readTests, SUITE, type TestFile } from './tests.ts'

interface ConformOptions extends MachineOptions {
  readonly kernels?: string
  readonly output?: string
}

export function registerConform(program: Command): void {
  const command = program
    .command('conform')
    .description(
      'run the suite on real kernels, and compare what each does with the design that stands for it',
    )
    .argument('[paths...]', 'tests, and folders of tests; without any, the suite that comes with Cowherd')
    .option(
      '--kernels <names>',
      'kernels of "cowherd kernels", with commas between them, and host; without this, all but host',
    )
    .option('-o, --output <file>', 'write a page in Markdown, too')
    .option('--jobs <n>', 'machines that run at a time', whole, 1)
  for (const option of MACHINE_OPTIONS) command.addOption(option)
  command.action(async (paths: string[], options: ConformOptions) => {
    process.exitCode = await conform(paths, options)
  })
}

async function conform(paths: readonly string[], options: ConformOptions): Promise<number> {
  const found = readTests(paths.length === 0 ? [SUITE] : paths)
  if (found.errors.length > 0) throw new UsageError(found.errors.join('\n'))
  const tests = emittableOf(found.tests).map(({ test }) => test)
  if (tests.length === 0) throw new UsageError('none of these tests has a C form, so there is nothing to run')
  const reports = await faulty(async () => {
    const machines = machineNames(options.kernels).map(machineCalled)
    return runOn(machines, tests, options)
  })
  const conformance: Conformance = {
    rows: found.tests.map(rowOf),
    columns: reports,
    times: options.times,
    command: `cowherd conform --kernels ${options.kernels ?? 'all that were added'} --times ${options.times} --seed ${options.seed}`,
  }
  print(
    tableOf(
      tests.map(({ name }) => name),
      reports,
    ),
  )
  const text = { width: outputWidth(), colour: outputColour() }
  for (const report of reports) {
    for (const [i, comparison] of report.comparisons.entries()) {
      if (comparison?.agreement === 'agrees' || comparison?.agreement === 'skipped') continue
      print(renderComparison(tests[i]!.name, report, comparison, text))
    }
  }
  if (options.output !== undefined) {
    try {
      writeFileSync(options.output, conformancePage(conformance))
    } catch (error) {
      throw new UsageError(`${options.output}: ${readable(error)}`)
    }
    complain(`Wrote ${options.output}.`)
  }
  return exitCode(reports)
}

function machineNames(kernels: string | undefined): string[] {
  if (kernels === undefined) {
    const all = listKernels().map(({ release }) => `qemu:${release}`)
    if (all.length === 0) {
      throw new UsageError(
        'no kernel was added yet: "cowherd kernels add debian-6.12" adds one; or say --kernels host',
      )
    }
    return all
  }
  const names = kernels
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.map((name) => (name === 'host' || name.startsWith('qemu:') ? name : `qemu:${name}`))
}

function rowOf(file: TestFile): Conformance['rows'][number] {
  const [reason] = whyNotEmittable(file.test)
  const row = { name: nameOf(file), group: file.group }
  return reason === undefined ? row : { ...row, without: reason.message }
}

function tableOf(names: readonly string[], reports: readonly MachineReport[]): string {
  const width = Math.max(...names.map((name) => name.length))
  const head = reports.map(({ machine }) => machine.replace(/[-+].*/, ''))
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(width)}  ${cells.map((cell, i) => cell.padEnd(Math.max(6, head[i]!.length))).join(' ')}`.trimEnd()
  return [
    line('', head),
    ...names.map((name, i) =>
      line(
        name,
        reports.map(({ comparisons }) => cellMark(comparisons[i])),
      ),
    ),
    '',
    '= as the model says; 2/3 = so many of the allowed outcomes were seen; ≠ = not allowed; – = skipped;',
    'idle = the kernel did not do what was asked; ? = not decided',
    '',
  ].join('\n')
}
