/** Runs the command line as a person would: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, inject } from 'vitest'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly cwd?: string
  /** Options of Node itself. */
  readonly node?: readonly string[]
  /** Is given the process once it runs. */
  readonly whenRunning?: (child: ChildProcess) => void
}

export function cowherd(
  args: readonly string[],
  { cwd, node = [], whenRunning }: Options = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', COLUMNS: '80' }
    const child = spawn(process.execPath, [...node, CLI, ...args], {
      ...{ cwd, env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    whenRunning?.(child)
  })
}

/** A folder for one file of tests, gone when they are over. */
export function scratch(): {
  readonly folder: string
  write(name: string, content: string | Buffer): string
} {
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    write: (name, content) => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    },
  }
}

/** A stack trace is for whoever wrote a program, never for whoever uses it. */
export function looksLikeStack(text: string): boolean {
  return /^\s+at .+:\d+:\d+/m.test(text) || text.includes('node:internal')
}

/** CVE-2020-29374: under v5.7 the child sees what the parent stores after the fork. */
export const LEAK = `test leak
page x = 0
process parent { fork child; wait unmapped; x = 1; signal written }
process child { pin p = x for read, get; unmap x; signal unmapped; wait written; r0 = p }
never child.r0 == 1
`

/** Takes many seconds to explore. */
export const LARGE = `test large
page x: a = 0, b = 0
page y: c = 0, d = 0
process p {
  thread one { fork q; a = 1; c = 2; r0 = b; r1 = d }
  thread two { a = 3; b = 4; r2 = a; pin u = x for write, get; u.a = 5; release u }
  thread three { c = 3; d = 4; r3 = c; dontneed y; r4 = d }
}
process q {
  thread one { a = 5; c = 6; r0 = b; r1 = d }
  thread two { a = 7; b = 8; r2 = a }
}
`
