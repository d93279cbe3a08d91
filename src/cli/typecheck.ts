/** `--typecheck`: the types of a person's own design, by the TypeScript compiler that is installed there. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UsageError } from './exit.ts'

/** The sources in a clone, where declarations may be old; the declarations in the package, which has no sources. */
const TYPES = ['../src/index.ts', './types/index.d.ts']

/** @throws UsageError with the compiler's complaints */
export function typecheck(file: string): void {
  const path = resolve(file)
  const compiler = compilerFor(path)
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-'))
  try {
    const project = join(folder, 'tsconfig.json')
    writeFileSync(project, JSON.stringify(configuration(path)))
    const { status, stdout, error } = spawnSync(process.execPath, [compiler, '-p', project], {
      encoding: 'utf8',
    })
    if (error !== undefined) throw new UsageError(`the TypeScript compiler cannot be run: ${error.message}`)
    if (status !== 0) throw new UsageError(stdout.trim())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compilerFor(path: string): string {
  for (const from of [pathToFileURL(path), import.meta.url]) {
    try {
      return createRequire(from).resolve('typescript/bin/tsc')
    } catch {
      // Then perhaps from the other place.
    }
  }
  throw new UsageError(
    `--typecheck needs TypeScript, which is not installed beside ${dirname(path)}: npm install --save-dev typescript`,
  )
}

function configuration(path: string) {
  const types = TYPES.map((file) => fileURLToPath(new URL(file, import.meta.url))).find(existsSync)
  if (types === undefined)
    throw new UsageError('the declarations of cowherd are missing from its installation')
  return {
    compilerOptions: {
      target: 'ES2023',
      lib: ['ES2023'],
      types: [],
      module: 'ESNext',
      moduleResolution: 'bundler',
      paths: { cowherd: [types] },
      allowImportingTsExtensions: true,
      allowJs: true,
      resolveJsonModule: true,
      noEmit: true,
      skipLibCheck: true,
      strict: true,
    },
    files: [path],
  }
}
