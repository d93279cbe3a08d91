/** What an emitted program printed, read back. */

/** One line of the histogram. */
export interface Seen {
  /** As `Outcome.key`: `child.r0=0 parent.x=1`. */
  readonly key: string
  readonly times: number
  /** The lines of statements whose work the kernel need not do: whether it was done in those runs. */
  readonly effects: readonly { readonly line: number; readonly done: boolean }[]
}

export interface Skip {
  readonly line: number
  readonly statement: string
  readonly reason: string
}

/** How a test's runs ended. `crashed`: the machine did, in the middle of them. */
export type Ending = 'done' | 'skipped' | 'hung' | 'broken' | 'crashed'

/** One test on one machine. */
export interface Observed {
  readonly test: string
  /** `uname -r`. */
  readonly kernel: string
  readonly ending: Ending
  /** What hung or broke; empty otherwise. */
  readonly message: string
  readonly skips: readonly Skip[]
  /** The most frequent first. */
  readonly seen: readonly Seen[]
  readonly runs: number
}

/** Reads tests off what has been printed so far; the last one may be cut off, and then counts as crashed. */
export function readObserved(output: string): Observed[] {
  const blocks = output.replaceAll('\r', '').split(/^Test /m)
  return blocks.slice(1).map(readBlock)
}

function readBlock(block: string): Observed {
  const lines = block.split('\n')
  const rest = (word: string): string | undefined =>
    lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1)
  const seen = lines.flatMap((line) => {
    const [, times, outcome, effects] = /^(\d+) +:>([^|]*)(.*)$/.exec(line) ?? []
    return times === undefined
      ? []
      : [{ key: keyOf(outcome!), times: Number(times), effects: effectsOf(effects!) }]
  })
  const skips = lines.flatMap((line) => {
    const [, number, statement, reason] = /^Skip line (\d+) "(.*?)": (.*)$/.exec(line) ?? []
    return number === undefined ? [] : [{ line: Number(number), statement: statement!, reason: reason! }]
  })
  return {
    test: lines[0]!.trim(),
    kernel: (rest('Kernel') ?? '').split(' ')[0]!,
    ending: (rest('Result') as Ending | undefined) ?? 'crashed',
    message: (lines.find((line) => line.startsWith('Hang')) ?? rest('Broken') ?? '').replace(/^Hang; /, ''),
    skips,
    seen,
    runs: seen.reduce((sum, { times }) => sum + times, 0),
  }
}

function keyOf(outcome: string): string {
  return outcome
    .split(';')
    .map((term) => term.trim())
    .filter((term) => term !== '')
    .join(' ')
}

function effectsOf(text: string): Seen['effects'] {
  return [...text.matchAll(/line (\d+) (done|stayed)/g)].map(([, line, how]) => ({
    line: Number(line),
    done: how === 'done',
  }))
}
