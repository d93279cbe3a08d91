/** `cowherd conform`: the suite on several kernels, as a table. */
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { Agreement } from '../real/compare.ts'
import { whyNotEmittable } from '../real/emit.ts'
import { listKernels } from '../real/kernels.ts'
import { type Conformance, cellMark, conformancePage } from '../report/conformance.ts'
import { whole } from './choices.ts'
import { UsageError } from './exit.ts'
import {
  exitCode,
  MACHINE_OPTIONS,
  type MachineOptions,
  type Measurement,
  measure,
  printComparisons,
} from './machines.ts'
import { complain, print } from './terminal.ts'
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
  if (options.output !== undefined) checkFolder(options.output)
  const measured = await measure(machineNames(options.kernels), found.tests, options)
  const conformance: Conformance = {
    rows: found.tests.map(rowOf),
    columns: measured.columns,
    times: options.times,
    command: `cowherd conform --kernels ${options.kernels ?? 'all that were added'} --times ${options.times} --seed ${options.seed}`,
  }
  print(tableOf(measured))
  printComparisons(measured, (one) => !UNREMARKABLE.includes(one?.agreement))
  if (options.output !== undefined) {
    try {
      writeFileSync(options.output, conformancePage(conformance))
    } catch (error) {
      throw new UsageError(`${options.output}: ${readable(error)}`)
    }
    complain(`Wrote ${options.output}.`)
  }
  return exitCode(measured)
}

/** What the table says already. */
const UNREMARKABLE: readonly (Agreement | undefined)[] = ['agrees', 'idle', 'skipped']

/**
 * Runs may take hours: that the page can be written is found out before.
 * @throws UsageError
 */
function checkFolder(output: string): void {
  try {
    accessSync(existsSync(output) ? output : dirname(output), constants.W_OK)
    if (existsSync(output) && statSync(output).isDirectory())
      throw new UsageError(`${output}: it is a folder`)
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${output}: ${readable(error)}`)
  }
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
  if (names.length === 0) throw new UsageError('--kernels names no kernel; expected such as 6.12,host')
  return names.map((name) => (name === 'host' || name.startsWith('qemu:') ? name : `qemu:${name}`))
}

function rowOf(file: TestFile): Conformance['rows'][number] {
  const [reason] = whyNotEmittable(file.test)
  const row = { name: nameOf(file), group: file.group }
  return reason === undefined ? row : { ...row, without: reason.message }
}

function tableOf({ names, columns }: Measurement): string {
  const width = Math.max(...names.map((name) => name.length))
  const head = columns.map(({ machine }) => machine.replace(/[-+].*/, ''))
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(width)}  ${cells.map((cell, i) => cell.padEnd(Math.max(8, head[i]!.length))).join(' ')}`.trimEnd()
  return [
    line('', head),
    ...names.map((name, i) =>
      line(
        name,
        columns.map(({ comparisons }) => cellMark(comparisons[i])),
      ),
    ),
    '',
    '= as the model says; 2/3 = so many of the allowed outcomes were seen; ≠ = not allowed; – = skipped;',
    '(7) = in so many runs the kernel did all that was asked; idle = in none; ? = not decided',
    '',
  ].join('\n')
}
