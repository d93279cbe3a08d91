/** Tests on real kernels, and what the model says of each: what `cowherd run` and `cowherd conform` share. */
import { Option } from 'commander'
import { type Litmus, print as printTest } from '../litmus/index.ts'
import { build, inScratch } from '../real/build.ts'
import { type Allowed, type Comparison, compare, variantsOf, without } from '../real/compare.ts'
import { emitAll, whyNotEmittable } from '../real/emit.ts'
import { MachineFault } from '../real/fault.ts'
import { findKernel } from '../real/kernels.ts'
import { HOST, type Machine, qemu, type RunSettings } from '../real/machine.ts'
import type { Observed } from '../real/observed.ts'
import { standInFor } from '../real/stand_in.ts'
import { asRunOn, type Version, versionOf } from '../real/ways.ts'
import { whole } from './choices.ts'
import { Interruption, UsageError } from './exit.ts'
import { Pool } from './pool.ts'
import { complain, ProgressLine } from './terminal.ts'
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

export const MACHINE_OPTIONS: readonly Option[] = [
  new Option('--times <n>', 'run each test so often').default(100).argParser(whole),
  new Option('--seed <n>', 'what random delays begin with').default(1).argParser(whole),
  new Option('--patience <s>', 'a run that takes longer than so many seconds hangs')
    .default(20)
    .argParser(whole),
  new Option('--limit <s>', 'end a machine after so many seconds').default(1800).argParser(whole),
  new Option('--system', 'on this machine, let tests have KSM run and make a control group'),
]

/**
 * `host`, or `qemu:<kernel>`.
 * @throws UsageError, MachineFault
 */
export function machineCalled(name: string): Machine {
  if (name === 'host') return HOST
  const [, kernel] = /^qemu:(.+)$/.exec(name) ?? []
  if (kernel === undefined) throw new UsageError(`"${name}" is no machine; expected host, or qemu:<kernel>`)
  return qemu(findKernel(kernel))
}

/** What one machine did with all tests, and the design that it was compared with. */
export interface MachineReport {
  readonly machine: string
  /** `uname -r`; empty if nothing was run. */
  readonly kernel: string
  readonly design: string
  readonly because: string
  /** One for each test, in their order; undefined for a test that was not begun. */
  readonly comparisons: readonly (Comparison | undefined)[]
}

/** The tests that have a C form, each under a name that no other one has. */
export function emittableOf(tests: readonly TestFile[]): { file: TestFile; test: Litmus }[] {
  return tests
    .filter(({ test }) => whyNotEmittable(test).length === 0)
    .map((file) => ({ file, test: { ...file.test, name: nameOf(file) } }))
}

/**
 * Runs tests on machines, as many at a time as there are jobs.
 * @throws MachineFault; Interruption if somebody ends it
 */
export async function runOn(
  machines: readonly Machine[],
  tests: readonly Litmus[],
  options: MachineOptions,
): Promise<MachineReport[]> {
  const progress = new ProgressLine()
  const abort = new AbortController()
  const interrupt = (): void => abort.abort()
  for (const signal of SIGNALS) process.on(signal, interrupt)
  const pool = new Pool(2)
  const begun = new Map<string, number>()
  const show = (name: string, tests: number): void => {
    begun.set(name, tests)
    progress.show([...begun].map(([machine, n]) => `${machine} ${n}/${names.length}`).join('  '))
  }
  const names = tests.map(({ name }) => name)
  try {
    return await inScratch(async (folder) => {
      const program = await build(emitAll(tests), folder, 'test')
      const reports: MachineReport[] = []
      const waiting = [...machines.entries()]
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [i, machine] = next
          const settings: RunSettings = {
            ...options,
            system: options.system === true,
            pages: options.pages === true,
            signal: abort.signal,
            onProgress: (n) => show(machine.name, n),
          }
          const observed = await machine.run(program, names, folder, settings).catch((error: unknown) => {
            // One machine that does not work is no reason to end the others.
            if (!(error instanceof MachineFault) || machines.length === 1 || abort.signal.aborted) throw error
            complain(error.message)
            return []
          })
          if (abort.signal.aborted) throw new Interruption(`${machine.name}: interrupted, and ended`)
          reports[i] = await reportOf(machine, tests, observed, pool)
        }
      }
      await Promise.all(Array.from({ length: options.jobs ?? 1 }, work))
      return reports
    })
  } finally {
    // Machines that are left must not outlive a failure of one.
    abort.abort()
    for (const signal of SIGNALS) process.off(signal, interrupt)
    progress.clear()
    await pool.close()
  }
}

/** What ends the machines, too. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function reportOf(
  machine: Machine,
  tests: readonly Litmus[],
  observed: readonly Observed[],
  pool: Pool,
): Promise<MachineReport> {
  const kernel = observed[0]?.kernel ?? machine.name
  const version = versionOf(kernel)
  if (observed.length === 0) {
    return {
      machine: machine.name,
      kernel,
      design: '–',
      because: 'nothing was run',
      comparisons: tests.map(() => undefined),
    }
  }
  const standIn = standInFor(version)
  if (standIn === undefined) {
    throw new MachineFault(`${machine.name}: no design stands for the kernel ${kernel || 'that ran nothing'}`)
  }
  const comparisons = await Promise.all(
    tests.map((test) => {
      const one = observed.find((each) => each.test === test.name)
      return one === undefined ? undefined : compareOne(test, one, version, standIn.design.name, pool)
    }),
  )
  const { design, because } = standIn
  return { machine: machine.name, kernel, design: design.name, because, comparisons }
}

/** Explores the test as it was run, and without what the kernel did not do. */
async function compareOne(
  test: Litmus,
  observed: Observed,
  version: Version,
  design: string,
  pool: Pool,
): Promise<Comparison> {
  const allowed = new Map<string, Allowed>()
  const wanted = [[], ...observed.seen.flatMap(variantsOf)]
  for (const lines of wanted) {
    if (observed.ending === 'skipped' || allowed.has(lines.join())) continue
    const adapted = asRunOn(without(test, lines), version)
    // A name such as `pin/read-pin` is none that a test could have.
    const text = printTest({ ...adapted, name: 'as-run', conditions: [], expectations: [] })
    allowed.set(
      lines.join(),
      await pool.run('outcomes', {
        test: { file: test.name, text },
        design: { kind: 'built-in', name: design },
        limits: { states: MOST_STATES },
        copies: { states: MOST_COUNTING_STATES },
      }),
    )
  }
  return compare(observed, (lines) => allowed.get(lines.join()) ?? NOTHING_KNOWN)
}

const NOTHING_KNOWN: Allowed = { keys: [], exhaustive: false, copies: undefined }

/** No test of the suite has nearly so many. */
const MOST_STATES = 5_000_000
/** A few tests have more, and their copies are not compared. */
const MOST_COUNTING_STATES = 1_000_000
