// Measures anew what src/engine/estimate.ts knows, and how often it is right: node bench/estimates.mjs
// Bundles bench/estimates.ts, since Node 20 does not run TypeScript.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const directory = mkdtempSync(join(tmpdir(), 'cowherd-bench-'))
try {
  const outfile = join(directory, 'estimates.mjs')
  await build({
    entryPoints: [join(dirname(fileURLToPath(import.meta.url)), 'estimates.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
  const cwd = join(dirname(fileURLToPath(import.meta.url)), '..')
  const args = [outfile, ...process.argv.slice(2)]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
