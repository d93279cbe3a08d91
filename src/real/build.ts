/** From C to a static program that runs on any Linux of this processor. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MachineFault, reason } from './fault.ts'
import { failure, run } from './programs.ts'

const FLAGS = ['-O1', '-Wall', '-Wextra', '-pthread', '-static']

/** A folder for the files of one run; gone when `work` is over, however it ends. */
export async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  let folder: string
  try {
    folder = mkdtempSync(join(tmpdir(), 'cowherd-'))
  } catch (error) {
    throw new MachineFault(`${tmpdir()}: ${reason(error)}`)
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const unwatch = removeWhenKilled(folder)
  process.on('exit', remove)
  try {
    return await work(folder)
  } finally {
    process.off('exit', remove)
    remove()
    unwatch()
  }
}

/** Has a shell remove a folder when this process is gone, be it killed: then the shell's input ends. */
function removeWhenKilled(folder: string): () => void {
  const script = 'read -r nothing; rm -rf "$1"'
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore']
  const shell = spawn('/bin/sh', ['-c', script, 'sh', folder], { stdio, detached: true })
  shell.on('error', () => {}) // without a shell a killed Cowherd leaves its folder
  shell.stdin.on('error', () => {})
  shell.unref()
  return () => shell.stdin.end()
}

/**
 * Compiles a program and returns the path of what came out.
 * @param folder where its source and the result are put
 * @throws MachineFault if there is no compiler, or it complains
 */
export async function build(
  program: string,
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const source = join(folder, `${name}.c`)
  try {
    writeFileSync(source, program)
  } catch (error) {
    throw new MachineFault(`${source}: ${reason(error)}`)
  }
  const { code, stderr } = await run('gcc', [...FLAGS, '-o', join(folder, name), source], { signal })
  if (/No space left on device/.test(stderr)) throw new MachineFault(`${folder}: the disk is full`)
  if (code !== 0) throw failure('gcc', code, stderr)
  return join(folder, name)
}
