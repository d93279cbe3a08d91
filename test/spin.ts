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
  /** Distinct messages: `invalid end state`, `assertion violated` and `end state in claim reached`. */
  readonly messages: readonly string[]
  /** What the search took, without compilation. */
  readonly seconds: number
  /** Bytes of the states, as SPIN keeps them, and of the table that finds them. */
  readonly bytes: number
}

export interface SpinVerifier {
  /** Searches everything; the flags are the verifier's, such as `-w24` for a larger table. */
  run(...flags: string[]): Promise<SpinResult>
  /** Removes the compiled program. */
  dispose(): Promise<void>
}

/** Whether both SPIN and a C compiler are there. */
export function spinAvailable(): boolean {
  return spawnSync('spin', ['-V']).status === 0 && spawnSync('gcc', ['--version']).status === 0
}

let quickest: string | undefined

/** The quickest C compiler that is there: what it compiles runs for less time than it takes to compile it. */
export function quickestCompiler(): string {
  quickest ??= spawnSync('tcc', ['-v']).status === 0 ? 'tcc' : 'gcc'
  return quickest
}

/**
 * Compiles a program so that SPIN counts all its states: no partial-order reduction, no
 * optimisation that drops variables, and no stop at the first error.
 * @param optimise the C compiler's flag; `-O0` is the quickest way to a small system's answer
 * @param compiler the C compiler
 * @param search with or without SPIN's partial-order reduction
 * @throws Error if SPIN refuses the program
 */
export async function compileSpin(
  program: string,
  optimise = '-O0',
  compiler = 'gcc',
  search: 'full' | 'reduced' = 'full',
): Promise<SpinVerifier> {
  const directory = await mkdtemp(join(tmpdir(), 'cowherd-spin-'))
  const options = { cwd: directory, maxBuffer: 2 ** 28 }
  const dispose = () => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(join(directory, 'x.pml'), program)
    await exec('spin', ['-a', '-o1', '-o2', 'x.pml'], options)
    const defines = ['-DSAFETY', '-DVECTORSZ=4096', ...(search === 'full' ? ['-DNOREDUCE'] : [])]
    await exec(compiler, [optimise, '-w', ...defines, '-o', 'pan', 'pan.c'], options)
  } catch (error) {
    await dispose()
    throw error
  }
  const run = async (...flags: string[]) => {
    const { stdout } = await exec('./pan', ['-c0', '-n', ...flags], options)
    return parse(stdout)
  }
  return { run, dispose }
}

const SMALL = ['-m1000000', '-w20']

/** Compiles and searches a small program. */
export async function runSpin(program: string, compiler = quickestCompiler()): Promise<SpinResult> {
  const verifier = await compileSpin(program, '-O0', compiler)
  try {
    return await verifier.run(...SMALL)
  } finally {
    await verifier.dispose()
  }
}

/** For each claim, by its macro, whether SPIN finds in a small program what it searches for. */
export async function runClaims(program: string, macros: readonly string[]): Promise<boolean[]> {
  // Not by `-D`, of which SPIN takes only so many.
  const asked = [...macros.map((macro) => `#define ${macro}`), program].join('\n')
  const verifier = await compileSpin(asked, '-O0', quickestCompiler())
  const found: boolean[] = []
  try {
    for (const macro of macros) {
      const { messages } = await verifier.run(...SMALL, '-A', '-N', macro.toLowerCase())
      found.push(messages.includes('end state in claim reached'))
    }
  } finally {
    await verifier.dispose()
  }
  return found
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
  const messages = [
    ...report.matchAll(/^pan:\d+: (invalid end state|assertion violated|end state in claim reached)/gm),
  ].map(([, what]) => what!)
  return {
    states: number(/^\s*(\d+) states, stored/m),
    transitions: number(/^\s*(\d+) transitions/m) - 1,
    errors: number(/errors: (\d+)/),
    messages: [...new Set(messages)],
    seconds: number(/elapsed time ([\d.e+-]+)/),
    bytes: 2 ** 20 * (number(/([\d.]+)\s+actual memory usage/) + number(/([\d.]+)\s+memory used for hash/)),
  }
}
