/** `cowherd kernels`: the kernels that virtual machines can be started with. */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { addFiles, addPackage, KNOWN } from '../real/debian.ts'
import { MachineFault } from '../real/fault.ts'
import {
  findKernel,
  type KernelImage,
  keepKernel,
  kernelsFolder,
  listKernels,
  removeKernel,
} from '../real/kernels.ts'
import { UsageError } from './exit.ts'
import { complain, print } from './terminal.ts'
import { readable } from './tests.ts'

interface AddOptions {
  readonly suite?: string
  readonly mirror: string
}

export function registerKernels(program: Command): void {
  const kernels = program
    .command('kernels')
    .description('add, list and remove kernels for "cowherd run --on qemu:<kernel>" and "cowherd conform"')
  kernels
    .command('add')
    .description('add a kernel: a package that apt can fetch, .deb files, or a bzImage')
    .argument('<what...>', `a package, files, or one of ${Object.keys(KNOWN).join(', ')}`)
    .option('--suite <suite>', 'fetch the package from this suite of Debian, whatever apt is set up for')
    .option('--mirror <url>', 'Debian’s archive, for --suite', 'http://deb.debian.org/debian')
    .action(async (what: string[], options: AddOptions) => {
      for (const kernel of await faulty(() => add(what, options))) complain(`Added ${line(kernel)}`)
    })
  kernels
    .command('list', { isDefault: true })
    .description('list the kernels that were added')
    .action(async () => {
      const all = await faulty(async () => listKernels())
      if (all.length === 0) complain('No kernel was added yet; "cowherd kernels add debian-6.12" adds one.')
      for (const kernel of all) print(line(kernel))
    })
  kernels
    .command('remove')
    .description('remove a kernel')
    .argument('<kernel>', 'its release, or how that begins')
    .action(async (name: string) => {
      const kernel = await faulty(async () => {
        const found = findKernel(name)
        removeKernel(found)
        return found
      })
      complain(`Removed ${kernel.release} from ${kernelsFolder()}.`)
    })
}

async function add(what: readonly string[], options: AddOptions): Promise<KernelImage[]> {
  const packages = what.filter((word) => !isFile(word))
  const debs = what.filter((word) => isFile(word) && word.endsWith('.deb'))
  const images = what.filter((word) => isFile(word) && !word.endsWith('.deb'))
  const added: KernelImage[] = []
  for (const file of [...debs, ...images]) {
    if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`)
  }
  for (const name of packages) {
    const known = KNOWN[name]
    complain(`Fetching ${known === undefined ? name : `${known.name} of ${known.suite}`} …`)
    added.push(await addPackage(known?.name ?? name, { ...options, ...(known && { suite: known.suite }) }))
  }
  // A kernel's package and that of its modules belong together.
  if (debs.length > 0) added.push(await addFiles(debs))
  for (const file of images) {
    try {
      added.push(keepKernel(readFileSync(file), new Map(), basename(file), file))
    } catch (error) {
      throw error instanceof MachineFault ? error : new UsageError(`${file}: ${readable(error)}`)
    }
  }
  return added
}

/** A path, and not the name of a package. */
function isFile(word: string): boolean {
  return /[/\\]/.test(word) || word.endsWith('.deb') || existsSync(word)
}

/**
 * What a machine cannot do is told like any other thing that cannot be done.
 * @throws UsageError
 */
export async function faulty<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MachineFault) throw new UsageError(error.message)
    throw error
  }
}

function line({ release, source, modules }: KernelImage): string {
  const names = modules.map((path) => basename(path, '.ko'))
  return `${release}  (${source}${names.length === 0 ? '' : `; modules ${names.join(', ')}`})`
}
