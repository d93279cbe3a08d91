// Bundles bench/<name>.ts, since Node 20 does not run TypeScript, and runs it: node bench/run.mjs <name> [argument …]

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))

/** Programs of other threads, to lie beside the one that begins them. */
const BESIDE = { workers: ['../test/engine/crew_member.ts'] }

export async function run(name, args) {
  const directory = mkdtempSync(join(tmpdir(), 'cowherd-bench-'))
  try {
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    await build({
      entryPoints: [`${name}.ts`, ...(BESIDE[name] ?? [])].map((file) => join(here, file)),
      entryNames: '[name]',
      outdir: directory,
      external: ['esbuild'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      // What is written for Node's older modules asks for them in its own way.
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      // As in dist/: an exported program has the names of functions in it.
      keepNames: true,
      logLevel: 'warning',
    })
    const { status } = spawnSync(process.execPath, [join(directory, `${name}.js`), ...args], {
      stdio: 'inherit',
      cwd: join(here, '..'),
    })
    process.exitCode = status ?? 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, ...args] = process.argv.slice(2)
  if (name !== undefined && existsSync(join(here, `${name}.ts`))) await run(name, args)
  else {
    process.stderr.write('expected the name of a benchmark: node bench/run.mjs <name> [argument …]\n')
    process.exitCode = 2
  }
}
