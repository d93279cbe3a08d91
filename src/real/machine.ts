/** Somewhere to run an emitted program: this machine, or a virtual one. */
import { accessSync, closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from './build.ts'
import { archive } from './cpio.ts'
import { MachineFault, reason } from './fault.ts'
import type { KernelImage } from './kernels.ts'
import { type Observed, readObserved } from './observed.ts'
import { run } from './programs.ts'
import { runtimeFile } from './runtime.ts'

export interface RunSettings {
  /** How often each test is run. */
  readonly times: number
  readonly seed: number
  /** Seconds for each run of a test, after which it hangs. */
  readonly patience: number
  /** Seconds for all tests together. */
  readonly limit: number
  /** Whether settings of the whole machine may be changed for a while. A virtual machine's always may. */
  readonly system: boolean
  /** Whether the program is to tell what pages are made of when a run ends. */
  readonly pages: boolean
  readonly signal?: AbortSignal | undefined
  /** Called with the number of tests that have been begun. */
  readonly onProgress?: (begun: number) => void
}

export interface Machine {
  /** What it is called in tables. */
  readonly name: string
  /**
   * Runs tests with an emitted program.
   * @param program its path, as `build` returns it
   * @param tests which of its tests
   * @param folder for its files
   * @returns what was observed of each test that was begun, in any order
   * @throws MachineFault
   */
  run(program: string, tests: readonly string[], folder: string, settings: RunSettings): Promise<Observed[]>
}

/** This machine. */
export const HOST: Machine = {
  name: 'host',
  async run(program, tests, _folder, settings) {
    const output = new Output(settings)
    await run(program, words(tests, settings), {
      endWithUs: true,
      onOutput: (text) => output.add(text),
      timeout: settings.limit * 1000,
      signal: settings.signal,
    })
    return output.observed()
  },
}

/** A virtual machine with this kernel. One that crashes is started again for the tests that are left. */
export function qemu(kernel: KernelImage): Machine {
  return {
    name: kernel.release,
    async run(program, tests, folder, settings) {
      const init = await build(runtimeFile('init'), folder, `init-${kernel.release}`)
      const found = new Map<string, Observed>()
      for (let left = tests; left.length > 0; left = tests.filter((name) => !found.has(name))) {
        const seen = await boot(kernel, init, program, left, folder, settings)
        for (const one of seen) found.set(one.test, one)
        if (seen.length === 0 || settings.signal?.aborted === true) break
      }
      return [...found.values()]
    },
  }
}

const QEMU = 'qemu-system-x86_64'

/** One life of a virtual machine. */
async function boot(
  kernel: KernelImage,
  init: string,
  program: string,
  tests: readonly string[],
  folder: string,
  settings: RunSettings,
): Promise<Observed[]> {
  const initrd = join(folder, `${kernel.release}.initrd`)
  const messages = join(folder, `${kernel.release}.log`)
  const file = (path: string, from: string, mode = 0o100755) => ({ path, content: readFileSync(from), mode })
  try {
    const files = [
      file('init', init),
      file('test', program),
      ...kernel.modules.map((path) => file(`modules/${basename(path)}`, path, 0o100644)),
      {
        path: 'words',
        content: Buffer.from(words(tests, { ...settings, system: true }).join('\n')),
        mode: 0o100644,
      },
    ]
    writeFileSync(initrd, gzipSync(archive(files), { level: 1 }))
    writeFileSync(messages, '')
  } catch (error) {
    throw new MachineFault(`${folder}: ${reason(error)}`)
  }
  const output = new Output(settings)
  const ended = await run(QEMU, options(kernel, initrd, messages), {
    endWithUs: true,
    onOutput: (text) => output.add(text),
    timeout: settings.limit * 1000,
    signal: settings.signal,
  })
  const log = readFileSync(messages, 'latin1')
  const seen = output.observed(diagnosis(log))
  if (settings.signal?.aborted === true || output.ended) return seen
  if (seen.length > 0 && ended.code !== null) return seen
  const what = `${kernel.release} in ${QEMU}`
  if (ended.code === null && ended.stderr === '' && seen.length > 0) return seen
  if (/panic|BUG|Oops/.test(log)) throw new MachineFault(`${what}: ${diagnosis(log)}`)
  if (ended.stderr !== '') throw new MachineFault(`${what}: ${ended.stderr.trim()}`)
  throw new MachineFault(
    `${what}: no test was begun within ${settings.limit} s; the last that the kernel said was\n${log.trim().split('\n').slice(-3).join('\n')}`,
  )
}

/** The kernel's last words, if it panicked; else how it ended. */
function diagnosis(log: string): string {
  const panic = /.*(Kernel panic|BUG:|Oops).*/.exec(log)?.[0]
  return panic === undefined
    ? 'the machine stopped, or ran out of time'
    : panic.replace(/^\[[^\]]*\]\s*/, '').trim()
}

/**
 * Without KVM, QEMU 7.2 crashed a kernel once with flags in disorder. We suspect an interrupted `cmpxchg16b`, which the kernel
 * does without if there is none; it has not happened since.
 */
const SOFTWARE_CPU = 'max,cx16=off,la57=off'

function options(kernel: KernelImage, initrd: string, messages: string): string[] {
  const machine = ['-nodefaults', '-display', 'none', '-no-reboot', '-smp', '2', '-m', '512']
  const faster = hasKvm() ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg', '-cpu', SOFTWARE_CPU]
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

function words(tests: readonly string[], { times, seed, patience, system, pages }: RunSettings): string[] {
  const numbers = ['--times', `${times}`, '--seed', `${seed}`, '--timeout', `${patience * 1000}`]
  return [...numbers, ...(system ? ['--system'] : []), ...(pages ? ['--pages'] : []), ...tests]
}

/** What a program has printed so far. */
class Output {
  private text = ''
  private readonly settings: RunSettings

  constructor(settings: RunSettings) {
    this.settings = settings
  }

  add(text: string): void {
    this.text += text
    this.settings.onProgress?.(this.text.split(/^Test /m).length - 1)
  }

  /** Whether a virtual machine has said that all is done. */
  get ended(): boolean {
    return /^End -?\d+/m.test(this.text)
  }

  /** @param why what to say of a test that was cut off */
  observed(why = 'the program was ended in the middle of it, or ran out of time'): Observed[] {
    return readObserved(this.text).map((one) => (one.ending === 'crashed' ? { ...one, message: why } : one))
  }
}
