/** Kernels out of Debian's packages: fetched with apt, unpacked with dpkg. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { inScratch } from './build.ts'
import { MachineFault, reason } from './fault.ts'
import { type KernelImage, keepKernel, MODULES } from './kernels.ts'
import { run, succeed } from './programs.ts'

/** The suites of Debian that `cowherd conform` is run with, and what their kernel package is called. */
export const KNOWN: Readonly<Record<string, { readonly suite: string; readonly name: string }>> = {
  'debian-5.10': { suite: 'bullseye-security', name: 'linux-image-cloud-amd64' },
  'debian-6.1': { suite: 'bookworm', name: 'linux-image-cloud-amd64' },
  'debian-6.12': { suite: 'bookworm-backports', name: 'linux-image-cloud-amd64' },
  'debian-7.2': { suite: 'forky', name: 'linux-image-cloud-amd64' },
  'debian-7.3': { suite: 'experimental', name: 'linux-image-cloud-amd64' },
}

interface FetchOptions {
  /** A suite of Debian; without it, apt's own sources are asked. */
  readonly suite?: string | undefined
  /** Debian's archive. */
  readonly mirror: string
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Packages that a kernel package may only refer to: a newer one of the name, or its halves. */
const PARTS = /^linux-(image|binary|modules)-/

/**
 * Fetches a kernel package, with what it consists of, and keeps the kernel that is in it.
 * @throws MachineFault
 */
export function addPackage(name: string, options: FetchOptions): Promise<KernelImage> {
  return inScratch(async (folder) => {
    const apt = options.suite === undefined ? [] : await ownSources(folder, options.suite, options.mirror)
    const fetched = new Set<string>()
    const waiting = [name]
    const files: string[] = []
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (fetched.has(next)) continue
      fetched.add(next)
      const parts = await dependencies(next, apt, options)
      waiting.push(...parts)
      // A package that is made of others has nothing in it, and is not always there.
      if (parts.length === 0) files.push(await download(next, folder, apt, options))
    }
    return addFiles(files)
  })
}

/** The names of the packages that a kernel package is made of; none if it is one itself. */
async function dependencies(name: string, apt: readonly string[], options: FetchOptions): Promise<string[]> {
  const shown = await run('apt-cache', [...apt, '--no-all-versions', 'show', name])
  if (shown.code !== 0) throw cannotBeHad(name, options, shown.stderr.trim())
  const [, list] = /^Depends: (.*)$/m.exec(shown.stdout.toString()) ?? []
  const names = (list ?? '').split(/[,|]/).map((word) => word.trim().split(/[ :]/)[0]!)
  return names.filter((one) => PARTS.test(one) && one !== name)
}

function cannotBeHad(name: string, { suite, mirror }: FetchOptions, why: string): MachineFault {
  const where = suite === undefined ? 'your apt sources' : `${suite} of ${mirror}`
  return new MachineFault(`the package ${name} cannot be had from ${where}: ${why}`)
}

async function download(
  name: string,
  folder: string,
  apt: readonly string[],
  options: FetchOptions,
): Promise<string> {
  const into = join(folder, `package-${name}`)
  try {
    mkdirSync(into)
  } catch (error) {
    throw new MachineFault(`${into}: ${reason(error)}`)
  }
  try {
    // Who asks for a suite means that suite's package, also where a newer one is known.
    const wanted = options.suite === undefined ? name : `${name}/${options.suite}`
    await succeed('apt-get', [...apt, 'download', wanted], { cwd: into })
  } catch (error) {
    if (!(error instanceof MachineFault) || !error.message.includes('exit code')) throw error
    throw cannotBeHad(name, options, error.message)
  }
  return join(into, readdirSync(into).find((file) => file.endsWith('.deb'))!)
}

/** Options that have apt ask a suite of Debian's archive, without a look at how the machine is set up. */
async function ownSources(folder: string, suite: string, mirror: string): Promise<string[]> {
  const base = suite.endsWith('-security') ? `${mirror}-security` : mirror
  const list = join(folder, 'sources.list')
  mkdirSync(join(folder, 'state', 'lists', 'partial'), { recursive: true })
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true })
  writeFileSync(list, `deb [arch=amd64 signed-by=${KEYRING}] ${base} ${suite} main\n`)
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await succeed('apt-get', [...options, '-qq', 'update'])
  return options
}

/**
 * Keeps the kernel that is in some package files.
 * @throws MachineFault
 */
export function addFiles(files: readonly string[]): Promise<KernelImage> {
  return inScratch(async (folder) => {
    for (const file of files) await succeed('dpkg-deb', ['-x', file, folder])
    const image = filesBelow(folder).find((path) => /\/vmlinuz[^/]*$/.test(path))
    if (image === undefined) {
      const names = files.map((file) => basename(file)).join(', ')
      throw new MachineFault(`there is no kernel (vmlinuz) in ${names}`)
    }
    const modules = new Map<string, Buffer>()
    for (const path of filesBelow(folder)) {
      const [, name, packed] = /\/([\w-]+)\.ko(\.xz)?$/.exec(path) ?? []
      if (name === undefined || !MODULES.includes(name)) continue
      modules.set(
        `${name}.ko`,
        packed === undefined ? readFileSync(path) : (await succeed('xz', ['-dc', path])).stdout,
      )
    }
    const source = files
      .map((file) => decodeURIComponent(basename(file, '.deb')))
      .filter((name) => !/modules/.test(name))
    return keepKernel(readFileSync(image), modules, source.at(-1) ?? '', basename(image))
  })
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return entry.isFile() ? [path] : []
  })
}
