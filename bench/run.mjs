// Bundles bench/<name>.ts, since Node 20 does not run TypeScript, and runs it: node bench/run.mjs <name> [argument …]

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))

export async function run(name, args) {
  const directory = mkdtempSync(join(tmpdir(), 'cowherd-bench-'))
  try {
    const outfile = join(directory, `${name}.mjs`)
    await build({
      entryPoints: [join(here, `${name}.ts`)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      // As in dist/: an exported program has the names of functions in it.
      keepNames: true,
      logLevel: 'warning',
    })
    const { status } = spawnSync(process.execPath, [outfile, ...args], {
      stdio: 'inherit',
      cwd: join(here, '..'),
    })
    process.exitCode = status ?? 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv[2], process.argv.slice(3))
