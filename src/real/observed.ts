/** What an emitted program printed, read back. */

/** How often so many pages were copied. Not every copy can be told from what reclaim or KSM does. */
export interface Copies {
  readonly least: number
  /** Infinity where nobody knows. */
  readonly most: number
  readonly times: number
}

/** An outcome, with what the kernel did besides. */
export interface Seen {
  /** As `Outcome.key`: `child.r0=0 parent.x=1`. */
  readonly key: string
  readonly times: number
  /** The lines of statements whose work the kernel need not do: whether it was done in those runs. */
  readonly effects: readonly { readonly line: number; readonly done: boolean }[]
  /** The copies in those runs in which they were counted, which is every other run if any. */
  readonly copies: readonly Copies[]
  /** What pages were made of in the end, if that was asked for: the most frequent first. */
  readonly pages: readonly Pages[]
}

/** What the kernel told of each page of each process. */
export interface Pages {
  readonly facts: readonly string[]
  readonly times: number
}

export interface Skip {
  readonly line: number
  readonly statement: string
  readonly reason: string
}

/** A reference that was taken as it stands in the test. */
export interface Exact {
  readonly line: number
  readonly statement: string
}

/** How a test's runs ended. `crashed`: the machine did, in the middle of them; `stopped`: it was made to. */
type Ending = 'done' | 'skipped' | 'hung' | 'broken' | 'crashed' | 'stopped'

/** Those that a program itself comes to. One that was interrupted says so, and could not know why. */
const OWN_ENDINGS: readonly (string | undefined)[] = ['done', 'skipped', 'hung', 'broken'] satisfies Ending[]

/** One test on one machine. */
export interface Observed {
  readonly test: string
  /** `uname -r`. */
  readonly kernel: string
  readonly ending: Ending
  /** What hung or broke; empty otherwise. */
  readonly message: string
  readonly skips: readonly Skip[]
  readonly exact: readonly Exact[]
  /** Why no copies were counted; undefined if they were. */
  readonly uncounted: string | undefined
  /** What of the pages cannot be told on this machine. */
  readonly untold: readonly string[]
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
  const seen = joined(
    lines.flatMap((line) => {
      const [, number, outcome, notes] = /^(\d+) +:>([^|]*)(.*)$/.exec(line) ?? []
      if (number === undefined) return []
      const times = Number(number)
      return [
        {
          key: keyOf(outcome!),
          times,
          effects: effectsOf(notes!),
          copies: copiesOf(notes!, times),
          pages: pagesOf(notes!, times),
        },
      ]
    }),
  )
  const skips = lines.flatMap((line) => {
    const [, number, statement, reason] = /^Skip line (\d+) "(.*?)": (.*)$/.exec(line) ?? []
    return number === undefined ? [] : [{ line: Number(number), statement: statement!, reason: reason! }]
  })
  const exact = lines.flatMap((line) => {
    const [, number, statement] = /^Exact line (\d+) "(.*)"$/.exec(line) ?? []
    return number === undefined ? [] : [{ line: Number(number), statement: statement! }]
  })
  const result = rest('Result')
  return {
    test: lines[0]!.trim(),
    kernel: (rest('Kernel') ?? '').split(' ')[0]!,
    ending: OWN_ENDINGS.includes(result) ? (result as Ending) : 'crashed',
    message: (lines.find((line) => line.startsWith('Hang')) ?? rest('Broken') ?? '').replace(/^Hang; /, ''),
    skips,
    exact: result === 'skipped' ? [] : exact,
    uncounted: /^Copies not counted: (.*)$/m.exec(block)?.[1],
    untold: lines.flatMap((line) => /^Pages (.*)$/.exec(line)?.[1] ?? []),
    seen,
    runs: seen.reduce((sum, { times }) => sum + times, 0),
  }
}

/** Lines that differ in the number of copies and in pages alone, as one. */
function joined(lines: readonly Seen[]): Seen[] {
  const found = new Map<string, Seen>()
  for (const line of lines) {
    const key = JSON.stringify([line.key, line.effects])
    const known = found.get(key)
    found.set(
      key,
      known === undefined
        ? line
        : {
            ...known,
            times: known.times + line.times,
            copies: summed([...known.copies, ...line.copies], ({ least, most }) => `${least} ${most}`),
            pages: summed([...known.pages, ...line.pages], ({ facts }) => facts.join()),
          },
    )
  }
  return [...found.values()].sort((a, b) => b.times - a.times)
}

/** Equal things as one, with how often all of them were seen; the most frequent first. */
function summed<T extends { readonly times: number }>(
  things: readonly T[],
  keyOf: (thing: T) => string,
): T[] {
  const found = new Map<string, T>()
  for (const thing of things) {
    const times = thing.times + (found.get(keyOf(thing))?.times ?? 0)
    found.set(keyOf(thing), { ...thing, times })
  }
  return [...found.values()].sort((a, b) => b.times - a.times)
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

function copiesOf(text: string, times: number): Copies[] {
  const [, least, most, more] = /copies (\d+)(?: to (\d+)| (or more))?/.exec(text) ?? []
  if (least === undefined) return []
  const highest = more === undefined ? Number(most ?? least) : Number.POSITIVE_INFINITY
  return [{ least: Number(least), most: highest, times }]
}

function pagesOf(text: string, times: number): Pages[] {
  const facts = [...text.matchAll(/page ([^|]*)/g)].map(([, fact]) => fact!.trim())
  return facts.length === 0 ? [] : [{ facts, times }]
}
