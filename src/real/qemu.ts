/** Virtual machines: a kernel, its modules, an init of ours and an emitted program, started by QEMU. */
import { accessSync, closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from './build.ts'
import { archive } from './cpio.ts'
import { MachineFault, reason } from './fault.ts'
import type { KernelImage } from './kernels.ts'
import { type Machine, Output, type RunSettings, timeIsOver, words } from './machine.ts'
import type { Observed } from './observed.ts'
import { run } from './programs.ts'
import { runtimeFile } from './runtime.ts'

const QEMU = 'qemu-system-x86_64'

/** How long a kernel may take under KVM until it runs its init; it takes about one second. */
const START_MS = 20_000

/**
 * Whether machines are started under KVM. That /dev/kvm is there does not mean that it works, least of all within
 * another virtual machine: the first kernel that starts in software and has not started under it decides for all that follow.
 */
let kvmWorks: boolean | undefined

/** A virtual machine with this kernel. One that crashes is started again for the tests that are left. */
export function qemu(kernel: KernelImage): Machine {
  return {
    name: kernel.release,
    async run(program, tests, folder, settings) {
      const init = await build(runtimeFile('init'), folder, `init-${kernel.release}`)
      const deadline = Date.now() + settings.limit * 1000
      const found = new Map<string, Observed>()
      for (let left = tests; left.length > 0; left = tests.filter((name) => !found.has(name))) {
        const initrd = pack(kernel, init, program, left, folder, settings)
        const seen = await live(kernel, initrd, folder, deadline, settings)
        for (const one of seen) found.set(one.test, one)
        if (seen.length === 0 || settings.signal?.aborted === true || Date.now() >= deadline) break
      }
      return [...found.values()]
    },
  }
}

/** Writes the archive that a machine starts from. */
function pack(
  kernel: KernelImage,
  init: string,
  program: string,
  tests: readonly string[],
  folder: string,
  settings: RunSettings,
): string {
  const initrd = join(folder, `${kernel.release}.initrd`)
  const file = (path: string, from: string, mode = 0o100755) => ({ path, content: readFileSync(from), mode })
  const call = Buffer.from(words(tests, { ...settings, system: true }).join('\n'))
  try {
    const files = [
      file('init', init),
      file('test', program),
      ...kernel.modules.map((path) => file(`modules/${basename(path)}`, path, 0o100644)),
      { path: 'words', content: call, mode: 0o100644 },
    ]
    writeFileSync(initrd, gzipSync(archive(files), { level: 1 }))
  } catch (error) {
    throw new MachineFault(`${folder}: ${reason(error)}`)
  }
  return initrd
}

/** One life of a machine, under KVM if that works. */
async function live(
  kernel: KernelImage,
  initrd: string,
  folder: string,
  deadline: number,
  settings: RunSettings,
): Promise<Observed[]> {
  let complaint: string | undefined
  kvmWorks ??= hasKvm()
  if (kvmWorks) {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), START_MS)
    const signals = settings.signal === undefined ? [late.signal] : [late.signal, settings.signal]
    const life = await boot(kernel, initrd, folder, deadline, true, {
      ...settings,
      signal: AbortSignal.any(signals),
      onReady: () => clearTimeout(timer),
    })
    clearTimeout(timer)
    if (life.output.ready || life.overtime || settings.signal?.aborted === true) {
      return judge(kernel, life, settings)
    }
    complaint = late.signal.aborted
      ? `${kernel.release} did not start under it in ${START_MS / 1000} s`
      : life.stderr.trim().split('\n')[0] || 'QEMU ended'
  }
  const giveUpKvm = (): void => {
    if (complaint === undefined || !kvmWorks) return
    kvmWorks = false
    settings.onNote?.(`KVM is there and does not work (${complaint}), so machines run in software.`)
  }
  const inSoftware = { ...settings, onReady: giveUpKvm }
  return judge(kernel, await boot(kernel, initrd, folder, deadline, false, inSoftware), settings)
}

/** How a machine lived. */
interface Life {
  readonly output: Output
  /** What its kernel said. */
  readonly log: string
  readonly stderr: string
  readonly killed: boolean
  readonly overtime: boolean
}

async function boot(
  kernel: KernelImage,
  initrd: string,
  folder: string,
  deadline: number,
  kvm: boolean,
  settings: RunSettings & { readonly onReady?: () => void },
): Promise<Life> {
  const messages = join(folder, `${kernel.release}.log`)
  try {
    writeFileSync(messages, '')
  } catch (error) {
    throw new MachineFault(`${folder}: ${reason(error)}`)
  }
  const output = new Output(settings)
  const { code, stderr, overtime } = await run(QEMU, options(kernel, initrd, messages, kvm), {
    endWithUs: true,
    onOutput: (text) => {
      output.add(text)
      if (output.ready) settings.onReady?.()
    },
    timeout: Math.max(1, deadline - Date.now()),
    signal: settings.signal,
  })
  return { output, log: readFileSync(messages, 'latin1'), stderr, killed: code === null, overtime }
}

/**
 * What was observed while a machine lived.
 * @throws MachineFault if that was nothing
 */
function judge(kernel: KernelImage, life: Life, settings: RunSettings): Observed[] {
  const { output, log, killed, overtime } = life
  const panic = /.*(Kernel panic|BUG:|Oops).*/
    .exec(log)?.[0]
    .replace(/^\[[^\]]*\]\s*/, '')
    .trim()
  // What QEMU says when we end it is about us.
  const complaint = killed && (overtime || settings.signal?.aborted === true) ? '' : life.stderr.trim()
  const why = panic ?? (overtime ? timeIsOver(settings) : complaint || 'the machine stopped')
  const seen = output.observed(panic === undefined && overtime ? 'stopped' : 'crashed', why)
  if (seen.length > 0 || output.ended || settings.signal?.aborted === true) return seen
  const last = log.trim().split('\n').slice(-3).join('\n')
  const begun = overtime
    ? `no test was begun within ${settings.limit} s (--limit)`
    : `no test was begun: ${why}`
  throw new MachineFault(
    `${kernel.release} in ${QEMU}: ${begun}; ${last === '' ? 'the kernel said nothing' : `the last that the kernel said was\n${last}`}`,
  )
}

/**
 * Without KVM, QEMU 7.2 crashed a kernel once with flags in disorder. We suspect an interrupted `cmpxchg16b`, which the kernel
 * does without if there is none; it has not happened since.
 */
const SOFTWARE_CPU = 'max,cx16=off,la57=off'

function options(kernel: KernelImage, initrd: string, messages: string, kvm: boolean): string[] {
  const machine = ['-nodefaults', '-display', 'none', '-no-reboot', '-smp', '2', '-m', '512']
  const faster = kvm ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg', '-cpu', SOFTWARE_CPU]
  const lines = ['-serial', `file:${messages}`, '-serial', 'stdio', '-monitor', 'none']
  const command = 'console=ttyS0 panic=-1 loglevel=4 mitigations=off no_timer_check random.trust_cpu=on'
  return [...machine, ...faster, ...lines, '-kernel', kernel.image, '-initrd', initrd, '-append', command]
}

function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    closeSync(openSync('/dev/kvm', 'r+'))
    return true
  } catch {
    return false
  }
}
