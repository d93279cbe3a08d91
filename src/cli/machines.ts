/** Tests on real kernels: what `cowherd run` and `cowherd conform` share. */
import { Option } from 'commander'
import type { Litmus } from '../litmus/index.ts'
import { build, inScratch } from '../real/build.ts'
import type { Comparison } from '../real/compare.ts'
import { emitAll, whyNotEmittable } from '../real/emit.ts'
import { MachineFault } from '../real/fault.ts'
import { findKernel } from '../real/kernels.ts'
import { HOST, type Machine, type RunSettings } from '../real/machine.ts'
import { qemu } from '../real/qemu.ts'
import type { KernelColumn } from '../report/conformance.ts'
import { renderComparison } from '../report/real.ts'
import { wholeUpTo } from './choices.ts'
import { Interruption, OK, SURPRISED, UNUSABLE, UsageError } from './exit.ts'
import { interruptible } from './interruptible.ts'
import { columnOf } from './kernel_column.ts'
import { faulty } from './kernels.ts'
import { Pool } from './pool.ts'
import { complain, outputColour, outputWidth, ProgressLine, print } from './terminal.ts'
import { nameOf, type TestFile } from './tests.ts'

export interface MachineOptions {
  readonly times: number
  readonly seed: number
  readonly patience: number
  readonly limit: number
  readonly system?: true
  readonly jobs?: number
  readonly pages?: true
}

/** Of what an emitted program counts. */
const MOST_NUMBER = 1_000_000_000

/** Times become milliseconds, for timers that have 31 bits. */
export const MACHINE_OPTIONS: readonly Option[] = [
  new Option('--times <n>', 'run each test so often').default(100).argParser(wholeUpTo(MOST_NUMBER)),
  new Option('--seed <n>', 'what random delays begin with').default(1).argParser(wholeUpTo(MOST_NUMBER)),
  new Option('--patience <s>', 'a run that takes longer than so many seconds hangs')
    .default(20)
    .argParser(wholeUpTo(100_000)),
  new Option('--limit <s>', 'end a machine after so many seconds')
    .default(1800)
    .argParser(wholeUpTo(1_000_000)),
  new Option('--system', 'on this machine, let tests have KSM run, make a control group, and use gup_test'),
]

/** What machines did, with the names of the tests in the order of each machine's comparisons. */
export interface Measurement {
  readonly names: readonly string[]
  readonly columns: readonly KernelColumn[]
}

/**
 * Runs those tests that have a C form on machines, `host` or `qemu:<kernel>`.
 * @throws UsageError if there is no such test or machine; Interruption if somebody ends it
 */
export async function measure(
  machines: readonly string[],
  files: readonly TestFile[],
  options: MachineOptions,
): Promise<Measurement> {
  const tests = emittable(files)
  if (tests.length === 0) throw new UsageError('none of these tests has a C form, so there is nothing to run')
  const columns = await faulty(async () => runOn(differing(machines.map(machineCalled)), tests, options))
  return { names: tests.map(({ name }) => name), columns }
}

/** Prints what each machine did with each test, as far as it is wanted. */
export function printComparisons(
  { names, columns }: Measurement,
  wanted: (comparison: Comparison | undefined) => boolean = () => true,
): void {
  const text = { width: outputWidth(), colour: outputColour() }
  for (const column of columns) {
    for (const [i, comparison] of column.comparisons.entries()) {
      if (wanted(comparison)) print(renderComparison(names[i]!, column, comparison, text))
    }
  }
}

/** 1 if a kernel did what the model forbids; 2 if a test came to no end. A skip is neither, and no pass: see `wasSkipped`. */
export function exitCode({ columns }: Measurement): number {
  const all = columns.flatMap(({ comparisons }) => comparisons)
  if (all.some((one) => one?.agreement === 'differs')) return SURPRISED
  return all.some((one) => one === undefined || one.agreement === 'undecided') ? UNUSABLE : OK
}

/** Whether any test was skipped. */
export function wasSkipped({ columns }: Measurement): boolean {
  return columns.some(({ comparisons }) => comparisons.some((one) => one?.agreement === 'skipped'))
}

/** @throws UsageError, MachineFault */
function machineCalled(name: string): Machine {
  if (name === 'host') return HOST
  const [, kernel] = /^qemu:(.+)$/.exec(name) ?? []
  if (kernel === undefined) throw new UsageError(`"${name}" is no machine; expected host, or qemu:<kernel>`)
  return qemu(findKernel(kernel))
}

/** A kernel may have been asked for by several names. */
function differing(machines: readonly Machine[]): Machine[] {
  return [...new Map(machines.map((machine) => [machine.name, machine])).values()]
}

/** The tests that have a C form, each under a name that no other one has. */
function emittable(files: readonly TestFile[]): Litmus[] {
  return files
    .filter(({ test }) => whyNotEmittable(test).length === 0)
    .map((file) => ({ ...file.test, name: nameOf(file) }))
}

/**
 * Runs tests on machines, as many at a time as there are jobs.
 * @throws MachineFault; Interruption if somebody ends it
 */
async function runOn(
  machines: readonly Machine[],
  tests: readonly Litmus[],
  options: MachineOptions,
): Promise<KernelColumn[]> {
  const progress = new ProgressLine()
  const abort = new AbortController()
  const pool = new Pool(2)
  const begun = new Map<string, number>()
  const show = (name: string, tests: number): void => {
    begun.set(name, tests)
    progress.show([...begun].map(([machine, n]) => `${machine} ${n}/${names.length}`).join('  '))
  }
  const names = tests.map(({ name }) => name)
  const column = async (machine: Machine, program: string, folder: string): Promise<KernelColumn> => {
    const settings: RunSettings = {
      ...options,
      system: options.system === true,
      pages: options.pages === true,
      signal: abort.signal,
      onProgress: (n) => show(machine.name, n),
      onNote: (text) => {
        progress.clear()
        complain(text)
      },
    }
    const observed = await machine.run(program, names, folder, settings).catch((error: unknown) => {
      // One machine that does not work is no reason to end the others.
      if (abort.signal.aborted) return []
      if (!(error instanceof MachineFault) || machines.length === 1) throw error
      complain(error.message)
      return []
    })
    if (abort.signal.aborted) throw new Interruption(`${machine.name}: interrupted, and ended`)
    try {
      const compared = await columnOf(machine, tests, observed, pool)
      if (!abort.signal.aborted) return compared
    } catch (error) {
      if (!abort.signal.aborted) throw error
    }
    // An exploration that was stopped knows less than was asked for.
    throw new Interruption(`${machine.name}: interrupted before all that it did was compared with the model`)
  }
  const work = async (folder: string): Promise<KernelColumn[]> => {
    const program = await build(emitAll(tests), folder, 'test', abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error
      return ''
    })
    if (abort.signal.aborted) throw new Interruption('interrupted before anything was run')
    const columns: KernelColumn[] = []
    const waiting = [...machines.entries()]
    const job = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [i, machine] = next
        columns[i] = await column(machine, program, folder)
      }
    }
    await Promise.all(Array.from({ length: options.jobs ?? 1 }, job))
    return columns
  }
  const explain = {
    interruption: () => 'interrupted',
    failure: (message: string) => `what the model allows cannot be found out: ${message}`,
  }
  try {
    return await interruptible(pool, progress, () => inScratch(work), explain, {
      signals: ['SIGINT', 'SIGTERM', 'SIGHUP'],
      onInterrupt: () => abort.abort(),
    })
  } finally {
    // Machines that are left must not outlive a failure of one.
    abort.abort()
  }
}
