/** The C that emitted programs have in common: `runtime/`, a file a topic. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the order in which they stand in a program; those in `ALWAYS` and `main` are always there. */
export const PARTS = [
  'core',
  'frames',
  'pages',
  'vmsplice',
  'io_uring',
  'process_vm',
  'fuse',
  'proc_mem',
  'gup_test',
  'swap',
  'reclaim',
  'ksm',
  'soft_dirty',
  'zero_page',
] as const
export type Part = (typeof PARTS)[number]

const ALWAYS: ReadonlySet<Part> = new Set(['core', 'frames', 'pages'])

/** The parts' text, each followed by an empty line. */
export function runtime(parts: ReadonlySet<Part>): string {
  const wanted = PARTS.filter((part) => ALWAYS.has(part) || parts.has(part))
  const files = [...wanted, ...(parts.has('reclaim') ? [] : ['no_group']), 'main']
  return files.map(runtimeFile).join('\n')
}

/** One file of `runtime/`. */
export function runtimeFile(name: string): string {
  return readFileSync(join(FOLDER, `${name}.c`), 'utf8')
}

/** `runtime/` at the root of the package, from its sources as from its build. */
const FOLDER = join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'runtime')

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder))
}
