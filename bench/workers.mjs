// Compares explorations by one and two threads: node bench/workers.mjs [model …]
// Bundles bench/workers.ts, since Node 20 does not run TypeScript.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const directory = mkdtempSync(join(tmpdir(), 'cowherd-bench-'))
try {
  const here = dirname(fileURLToPath(import.meta.url))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  await build({
    entryPoints: [join(here, 'workers.ts'), join(here, '../test/engine/crew_member.ts')],
    entryNames: '[name]',
    outdir: directory,
    external: ['esbuild'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
  const cwd = join(here, '..')
  const args = [join(directory, 'workers.js'), ...process.argv.slice(2)]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
