/** The suite's tests, parsed, for tests that run over all of them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Litmus, parse } from '../../src/litmus/index.ts'

export interface SuiteTest {
  readonly file: string
  readonly test: Litmus
}

/** Every test below a folder, in the order of their paths. */
export function corpus(folder = new URL('../../suite', import.meta.url).pathname): SuiteTest[] {
  return files(folder)
    .filter((file) => file.endsWith('.litmus'))
    .map((file) => ({ file, test: parse(readFileSync(file, 'utf8'), file).test }))
}

function files(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? files(path) : [path]
    })
}
