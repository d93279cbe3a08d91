// Builds dist/ with esbuild. `npm ci` runs this (`prepare`), so it has to be quick and needs nothing but
// what is in node_modules.
//
//   node build.mjs           the programs
//   node build.mjs --types   the programs and their declarations; every entry must exist (`prepack`)

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(fileURLToPath(import.meta.url))
const at = (path) => join(root, path)
const packing = process.argv.includes('--types')

/**
 * What is built: `dist/<name>.js` from its source. A package is only packed with every required entry. What is for the
 * web is one file that needs no other: a worker there has no import map that could say where packages are.
 */
const ENTRIES = [
  { name: 'cli', source: 'src/cli/main.ts', required: true, main: true },
  { name: 'index', source: 'src/index.ts', required: true },
  { name: 'live', source: 'src/live.ts', required: true },
  { name: 'live_web', source: 'src/live/index.ts', required: true, web: true },
  { name: 'worker', source: 'src/cli/worker.ts', required: false },
  { name: 'watched_worker', source: 'src/cli/watched_worker.ts', required: false },
  { name: 'live_worker', source: 'src/cli/live_worker.ts', required: true },
]

const present = ENTRIES.filter((entry) => existsSync(at(entry.source)))
for (const entry of ENTRIES) {
  if (present.includes(entry) || !entry.required) continue
  if (packing)
    fail(`${entry.source} is missing, and the package cannot be packed without dist/${entry.name}.js`)
  console.log(`build: ${entry.source} is not there yet, so there is no dist/${entry.name}.js`)
}

if (present.length > 0) await bundle()
if (packing) declarations()

/**
 * The command line is built by itself, since the main thread explores nothing and needs only a part of what workers need.
 * What workers run and what designs import as 'cowherd' is one build with shared chunks: these must meet in the same
 * module instances. Chunks lie beside the entries, so that a path relative to `import.meta.url` means the same in
 * each of them. Packages are not bundled: npm installs them anyway, with their licences.
 */
async function bundle() {
  const forNode = { splitting: true, packages: 'external', platform: 'node', target: 'node20' }
  const results = await Promise.all([
    bundleOf((entry) => entry.main, forNode),
    bundleOf((entry) => !entry.main && !entry.web, forNode),
    bundleOf((entry) => entry.web, { platform: 'browser', target: 'es2022' }),
  ]).catch(() => process.exit(1)) // esbuild has printed what is wrong, with the place

  // Only now: a failed build leaves the last good one in place.
  const files = results.flatMap(({ outputFiles }) => outputFiles)
  const cli = files.find(({ path }) => path === at('dist/cli.js'))
  if (cli !== undefined && !cli.text.startsWith('#!/usr/bin/env node\n')) {
    fail('src/cli/main.ts must begin with the line #!/usr/bin/env node')
  }
  put(files, () => readdir('dist').filter((path) => /\.js(\.map)?$/.test(path)))
}

/**
 * Puts files where they belong, and takes others away. Somebody may be running what is there, such as a test
 * while another one packs: nobody sees a file half written, and a file that is already right stays as it is.
 * @param files each with its absolute `path` and its `contents`, bytes
 * @param there tells the paths of such files that there are: an older build may have left some
 */
function put(files, there) {
  try {
    const fresh = join(scratch(), 'fresh')
    for (const { path, contents } of files) {
      const mode = path === at('dist/cli.js') ? 0o755 : 0o644
      const isThere = existsSync(path) && readFileSync(path).equals(contents)
      if (isThere && (statSync(path).mode & 0o111) === (mode & 0o111)) continue
      writeFileSync(fresh, contents)
      chmodSync(fresh, mode)
      mkdirSync(dirname(path), { recursive: true })
      renameSync(fresh, path)
    }
    const wanted = new Set(files.map(({ path }) => path))
    for (const path of there()) if (!wanted.has(path)) rmSync(path, { force: true })
  } catch (error) {
    fail(error.message)
  }
}

function bundleOf(wanted, options) {
  return build({
    absWorkingDir: root,
    entryPoints: present.filter(wanted).map((entry) => ({ in: entry.source, out: entry.name })),
    outdir: 'dist',
    write: false,
    chunkNames: 'chunk-[hash]',
    bundle: true,
    // Traces show the names of the kernel's functions, and two files may have functions of the same name.
    keepNames: true,
    format: 'esm',
    sourcemap: 'linked',
    logLevel: 'warning',
    ...options,
  })
}

function declarations() {
  const made = scratch()
  const tsc = at('node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', made]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(1) // the compiler has printed what is wrong
  const files = readdir(made, { recursive: true }).filter((path) => path.endsWith('.d.ts'))
  const types = at('dist/types')
  put(
    files.map((path) => ({ path: join(types, relative(made, path)), contents: readFileSync(path) })),
    () => readdir('dist/types', { recursive: true }).filter((path) => path.endsWith('.d.ts')),
  )
}

/** The absolute paths of what is in a folder, if it is there. */
function readdir(folder, options) {
  const path = resolve(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, options).map((name) => join(path, name))
}

/** A folder on the same file system, gone when this ends. */
function scratch() {
  const folder = mkdtempSync(at('.build-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function fail(message) {
  console.error(`build: ${message}`)
  process.exit(1)
}
