/** Kernels for virtual machines: a folder each, in the user's cache, with the image and the modules that tests need. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { MachineFault, reason } from './fault.ts'

export interface KernelImage {
  /** `uname -r`, which is its name, too. */
  readonly release: string
  /** The kernel's own line about itself: the compiler, the distribution's version. */
  readonly banner: string
  /** Where it came from: a package with its version, or a file. */
  readonly source: string
  readonly image: string
  /** Modules to load, uncompressed. */
  readonly modules: readonly string[]
}

/** Modules that tests need where a kernel does not have them built in: a RAM disk for swap, and FUSE. */
export const MODULES = ['brd', 'fuse']

const IMAGE = 'vmlinuz'
const FACTS = 'kernel.json'

/** Where kernels are kept: `$XDG_CACHE_HOME/cowherd/kernels`. */
export function kernelsFolder(): string {
  const cache = process.env.XDG_CACHE_HOME
  return join(cache !== undefined && cache !== '' ? cache : join(homedir(), '.cache'), 'cowherd', 'kernels')
}

/** All kernels that were added, by release. */
export function listKernels(): KernelImage[] {
  const folder = kernelsFolder()
  if (!existsSync(folder)) return []
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    throw new MachineFault(`${folder}: ${reason(error)}`)
  }
  return names
    .filter((name) => existsSync(join(folder, name, FACTS)))
    .flatMap((name) => {
      try {
        return [readKernel(name)]
      } catch {
        return [] // damaged: to be added again
      }
    })
    .sort((a, b) => a.release.localeCompare(b.release, 'en', { numeric: true }))
}

/**
 * The kernel of that release, or the only one whose release begins so: `6.1`, or as it was added `debian-6.1`, is
 * 6.1.0-50 and not 6.12.
 * @throws MachineFault
 */
export function findKernel(name: string): KernelImage {
  const all = listKernels()
  const exact = all.find(({ release }) => release === name)
  if (exact !== undefined) return exact
  const start = name.replace(/^debian-/, '')
  const numberGoesOn = (release: string): boolean => /^\d\d/.test(release.slice(start.length - 1))
  const alike = all.filter(({ release }) => release.startsWith(start) && !numberGoesOn(release))
  if (alike.length === 1) return alike[0]!
  const names = (alike.length > 1 ? alike : all).map(({ release }) => release).join(', ')
  if (alike.length > 1) throw new MachineFault(`several kernels begin with "${name}": ${names}; say which`)
  const there = all.length === 0 ? 'none was added yet' : `there are ${names}`
  throw new MachineFault(`there is no kernel "${name}": ${there}; "cowherd kernels add" adds one`)
}

/**
 * Keeps a kernel.
 * @param modules by file name, uncompressed
 * @throws MachineFault if the image is not a kernel, or it cannot be written
 */
export function keepKernel(
  image: Buffer,
  modules: ReadonlyMap<string, Buffer>,
  source: string,
  file: string,
): KernelImage {
  const banner = bannerOf(image, file)
  const release = banner.split(' ')[0]!
  const folder = join(kernelsFolder(), release)
  try {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, 'modules'), { recursive: true })
    writeFileSync(join(folder, IMAGE), image)
    for (const [name, content] of modules) writeFileSync(join(folder, 'modules', name), content)
    writeFileSync(join(folder, FACTS), `${JSON.stringify({ banner, source }, null, 2)}\n`)
  } catch (error) {
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch {} // whatever keeps it from being written may keep it from being removed
    throw new MachineFault(`${folder}: ${reason(error)}`)
  }
  return readKernel(release)
}

/** Removes a kernel. */
export function removeKernel({ release }: KernelImage): void {
  try {
    rmSync(join(kernelsFolder(), release), { recursive: true })
  } catch (error) {
    throw new MachineFault(`${join(kernelsFolder(), release)}: ${reason(error)}`)
  }
}

/**
 * What an image for x86 says of itself (Documentation/arch/x86/boot.rst: the header's magic, and `kernel_version`).
 * @throws MachineFault if it is none
 */
export function bannerOf(image: Buffer, file: string): string {
  const isKernel = image.length > 0x1000 && image.toString('latin1', 0x202, 0x206) === 'HdrS'
  const at = isKernel ? 0x200 + image.readUInt16LE(0x20e) : 0
  const banner = isKernel ? image.toString('latin1', at, image.indexOf(0, at)) : ''
  // The release names a folder, so it is a name and no path.
  if (!/^\d+\.\d+[\w.+~-]* /.test(banner)) {
    throw new MachineFault(`${file}: this is not a kernel image for x86 (a bzImage, /boot/vmlinuz-…)`)
  }
  return banner
}

function readKernel(name: string): KernelImage {
  const folder = join(kernelsFolder(), name)
  const { banner, source } = JSON.parse(readFileSync(join(folder, FACTS), 'utf8')) as Record<string, string>
  const modules = readdirSync(join(folder, 'modules')).map((file) => join(folder, 'modules', file))
  return { release: basename(folder), banner: banner!, source: source!, image: join(folder, IMAGE), modules }
}
