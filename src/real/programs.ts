/** Other programs, run to their ends. */
import { spawn, spawnSync } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { MachineFault, reason } from './fault.ts'

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
  /** Whether it was ended because its time was over. */
  readonly overtime: boolean
}

export interface RunOptions {
  readonly cwd?: string
  /** Is given what the program prints as it comes. */
  readonly onOutput?: (text: string) => void
  /** After so many milliseconds the program is killed. */
  readonly timeout?: number
  /** Whether the program is to end if this one is killed, where `setpriv` can see to that. */
  readonly endWithUs?: boolean
  /** Kills the program. */
  readonly signal?: AbortSignal | undefined
}

/** What to install where a program is missing. */
const PACKAGES: Readonly<Record<string, string>> = {
  gcc: 'gcc and libc6-dev (or what your system calls them)',
  'qemu-system-x86_64': 'qemu-system-x86',
  'dpkg-deb': 'dpkg',
  'apt-get': 'apt',
  'apt-cache': 'apt',
  xz: 'xz-utils',
}

/**
 * Runs a program and waits until it has ended.
 * @throws MachineFault if there is no such program
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd, onOutput, timeout, signal, endWithUs } = options
  return new Promise((resolve, rejectWith) => {
    const words = endWithUs === true && canSetpriv() ? ['setpriv', '--pdeathsig', 'TERM', program] : [program]
    const child = spawn(words[0]!, [...words.slice(1), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    // A character may come in two pieces.
    const decoder = new StringDecoder('utf8')
    let stderr = ''
    const kill = (): void => {
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
    }
    let overtime = false
    const timeIsOver = (): void => {
      overtime = true
      kill()
    }
    const timer = timeout === undefined ? undefined : setTimeout(timeIsOver, timeout)
    if (signal?.aborted === true) kill()
    signal?.addEventListener('abort', kill, { once: true })
    child.stdout.on('data', (bytes: Buffer) => {
      stdout.push(bytes)
      onOutput?.(decoder.write(bytes))
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', kill)
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      end()
      const missing = error.code === 'ENOENT' && PACKAGES[program] !== undefined
      const what = missing
        ? `there is no ${program}; install ${PACKAGES[program]}`
        : `${program}: ${reason(error)}`
      rejectWith(new MachineFault(what))
    })
    child.on('close', (code) => {
      end()
      resolve({ code, stdout: Buffer.concat(stdout), stderr, overtime })
    })
  })
}

/** `setpriv` is of util-linux, and can do this since 2.33. */
function canSetpriv(): boolean {
  return spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
}

/** How long a program has to undo what it did, once it is asked to end. */
const GRACE_MS = 5_000

/**
 * As `run`, but anything else than success is a fault.
 * @throws MachineFault with what the program complained about
 */
export async function succeed(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const ended = await run(program, args, options)
  if (ended.code === 0) return ended
  throw failure(program, ended.code, ended.stderr)
}

/** What to say of a program that failed. */
export function failure(program: string, code: number | null, stderr: string): MachineFault {
  const said = stderr.trim().split('\n').slice(-5).join('\n')
  const how = code === null ? 'was killed' : `failed (exit code ${code})`
  return new MachineFault(`${program} ${how}${said === '' ? '' : `:\n${said}`}`)
}
