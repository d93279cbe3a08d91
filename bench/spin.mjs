// Compares the engine with SPIN on the same states:
//
//   node bench/spin.mjs [model …]   how fast both are (bench/spin.ts)
//   node bench/spin.mjs --table     all cells of the suite that are small enough (bench/spin_table.ts)
//
// Bundles the program, since Node 20 does not run TypeScript.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [first, ...rest] = process.argv.slice(2)
const table = first === '--table'
const directory = mkdtempSync(join(tmpdir(), 'cowherd-bench-'))
try {
  const outfile = join(directory, 'spin.mjs')
  await build({
    entryPoints: [join(dirname(fileURLToPath(import.meta.url)), table ? 'spin_table.ts' : 'spin.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // As in dist/: an exported program has the names of functions in it.
    keepNames: true,
    logLevel: 'warning',
  })
  const cwd = join(dirname(fileURLToPath(import.meta.url)), '..')
  const args = [outfile, ...(table || first === undefined ? rest : [first, ...rest])]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
