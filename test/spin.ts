/** Runs the model checker SPIN, where it is installed, on a Promela program. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

export interface SpinResult {
  readonly states: number
  /** Without the one that SPIN counts for the initial state. */
  readonly transitions: number
  readonly errors: number
  /** Distinct messages, such as `invalid end state` and `assertion violated`. */
  readonly messages: readonly string[]
  /** What the run itself took, without compilation. */
  readonly seconds: number
  /** Megabytes, as SPIN reports them: everything, and the states alone as they are and with their table. */
  readonly megabytes: number
  readonly stateBytes: number
  readonly tableMegabytes: number
}

export interface SpinOptions {
  /** Flags of the C compiler in place of `-O0`, which is the quickest for small systems. */
  readonly compile?: readonly string[]
  /** Flags of the verifier in place of a depth of 1,000,000 and a table of 2^20 entries. */
  readonly run?: readonly string[]
}

/** Whether both SPIN and a C compiler are there. */
export function spinAvailable(): boolean {
  return spawnSync('spin', ['-V']).status === 0 && spawnSync('gcc', ['--version']).status === 0
}

/**
 * Counts the states of a program, all of them: no partial-order reduction, no optimisation
 * that drops variables, and no stop at the first error.
 * @throws Error if SPIN refuses the program or could not search all of it
 */
export async function runSpin(program: string, options: SpinOptions = {}): Promise<SpinResult> {
  const directory = await mkdtemp(join(tmpdir(), 'cowherd-spin-'))
  const inDirectory = { cwd: directory, maxBuffer: 2 ** 28 }
  try {
    await writeFile(join(directory, 'x.pml'), program)
    await exec('spin', ['-a', '-o1', '-o2', 'x.pml'], inDirectory)
    const defines = ['-DSAFETY', '-DNOREDUCE', '-DVECTORSZ=4096']
    await exec('gcc', [...(options.compile ?? ['-O0']), '-w', ...defines, '-o', 'pan', 'pan.c'], inDirectory)
    const flags = options.run ?? ['-m1000000', '-w20']
    const { stdout } = await exec('./pan', ['-c0', '-n', ...flags], inDirectory)
    return parse(stdout)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function parse(report: string): SpinResult {
  if (/max search depth too small|out of memory|aborted/i.test(report)) {
    throw new Error(`SPIN did not search everything:\n${report}`)
  }
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(report)?.[1]
    if (found === undefined) throw new Error(`no ${pattern} in what SPIN says:\n${report}`)
    return Number(found)
  }
  const messages = [...report.matchAll(/^pan:\d+: (invalid end state|assertion violated)/gm)].map(
    ([, what]) => what!,
  )
  return {
    states: number(/^\s*(\d+) states, stored/m),
    transitions: number(/^\s*(\d+) transitions/m) - 1,
    errors: number(/errors: (\d+)/),
    messages: [...new Set(messages)],
    seconds: number(/elapsed time ([\d.e+-]+)/),
    megabytes: number(/([\d.]+)\s+total actual memory usage/),
    stateBytes: number(/State-vector (\d+) byte/),
    tableMegabytes: number(/([\d.]+)\s+memory used for hash table/),
  }
}
