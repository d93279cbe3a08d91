/** From C to a static program that runs on any Linux of this processor. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MachineFault, reason } from './fault.ts'
import { succeed } from './programs.ts'

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
  process.on('exit', remove)
  try {
    return await work(folder)
  } finally {
    process.off('exit', remove)
    remove()
  }
}

/**
 * Compiles a program and returns the path of what came out.
 * @param folder where its source and the result are put
 * @throws MachineFault if there is no compiler, or it complains
 */
export async function build(program: string, folder: string, name: string): Promise<string> {
  const source = join(folder, `${name}.c`)
  try {
    writeFileSync(source, program)
  } catch (error) {
    throw new MachineFault(`${source}: ${reason(error)}`)
  }
  await succeed('gcc', [...FLAGS, '-o', join(folder, name), source])
  return join(folder, name)
}
