/** Somewhere to run an emitted program: what every such machine is given, and this one; `qemu.ts` has the others. */
import { MachineFault } from './fault.ts'
import { type Observed, readObserved } from './observed.ts'
import { run } from './programs.ts'

export interface RunSettings {
  /** How often each test is run. */
  readonly times: number
  readonly seed: number
  /** Seconds for each run of a test, after which it hangs. */
  readonly patience: number
  /** Seconds for all tests together, after which the machine is ended. */
  readonly limit: number
  /** Whether settings of the whole machine may be changed for a while. A virtual machine's always may. */
  readonly system: boolean
  /** Whether the program is to tell what pages are made of when a run ends. */
  readonly pages: boolean
  readonly signal?: AbortSignal | undefined
  /** Called with the number of tests that have been begun. */
  readonly onProgress?: (begun: number) => void
  /** Called with what the user should know, though it is no fault. */
  readonly onNote?: (text: string) => void
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
    const { overtime, stderr } = await run(program, words(tests, settings), {
      endWithUs: true,
      onOutput: (text) => output.add(text),
      timeout: settings.limit * 1000,
      signal: settings.signal,
    })
    if (output.begun === 0 && !overtime && settings.signal?.aborted !== true) {
      throw new MachineFault(`the program began no test: ${stderr.trim() || 'it was ended before'}`)
    }
    return overtime
      ? output.observed('stopped', timeIsOver(settings))
      : output.observed('crashed', 'the program was ended in the middle of it')
  },
}

/** How a program is called. */
export function words(
  tests: readonly string[],
  { times, seed, patience, system, pages }: RunSettings,
): string[] {
  const numbers = ['--times', `${times}`, '--seed', `${seed}`, '--timeout', `${patience * 1000}`]
  return [...numbers, ...(system ? ['--system'] : []), ...(pages ? ['--pages'] : []), ...tests]
}

/** What to say of a test that was cut off because the machine's time was over. */
export function timeIsOver({ limit }: RunSettings): string {
  return `all tests together have ${limit} s, and they were over; a higher --limit gives them more`
}

/** What a program has printed so far. */
export class Output {
  private text = ''
  private readonly settings: RunSettings

  constructor(settings: RunSettings) {
    this.settings = settings
  }

  add(text: string): void {
    this.text += text
    this.settings.onProgress?.(this.begun)
  }

  /** How many tests the program has begun. */
  get begun(): number {
    return this.text.split(/^Test /m).length - 1
  }

  /** Whether a virtual machine has come so far that it can run programs. */
  get ready(): boolean {
    return /^Ready/m.test(this.text)
  }

  /** Whether a virtual machine has said that all is done. */
  get ended(): boolean {
    return /^End -?\d+/m.test(this.text)
  }

  /**
   * @param ending how a test that was cut off ended
   * @param message what to say of it
   */
  observed(ending: 'crashed' | 'stopped', message: string): Observed[] {
    return readObserved(this.text).map((one) =>
      one.ending === 'crashed' ? { ...one, ending, message } : one,
    )
  }
}
