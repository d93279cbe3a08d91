/**
 * Which parts of a program's source have run, as V8 tells: precise, down to the branches of a
 * function. The kernel's paths and the designs' rules run only to be learned from, and every history
 * that any interleaving gives them is run; so a branch that has not run is one that no interleaving takes.
 *
 * No list of functions is kept for it: V8 knows all that there are.
 */
import { Session } from 'node:inspector'
import { SourceMap } from 'node:module'
import type { SourceFunction } from '../report/unreached.ts'

/** A half-open range of a script's text. */
export type Interval = readonly [start: number, end: number]

export interface ScriptCoverage {
  readonly url: string
  /** All functions of the script by their ranges, in order. */
  readonly functions: readonly { readonly name: string; readonly range: Interval }[]
  /** The parts that have run, in order and apart. */
  readonly ran: readonly Interval[]
}

interface V8Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly {
      readonly functionName: string
      readonly ranges: readonly {
        readonly startOffset: number
        readonly endOffset: number
        readonly count: number
      }[]
    }[]
  }[]
}

/** Watches what this thread runs from now on, for good. */
class SourceWatch {
  private readonly session = new Session()

  constructor() {
    this.session.connect()
    this.session.post('Profiler.enable')
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** What has run since this was last asked. */
  take(wanted: (url: string) => boolean): ScriptCoverage[] {
    let taken: V8Coverage | undefined
    // Within one thread the answer comes before `post` returns.
    this.session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error
      taken = coverage
    })
    return taken!.result.filter(({ url }) => wanted(url)).map(scriptCoverage)
  }
}

let watch: SourceWatch | undefined

/** This thread's watch, which begins with the first call. */
export function watchSource(): SourceWatch {
  watch ??= new SourceWatch()
  return watch
}

function scriptCoverage({ url, functions }: V8Coverage['result'][number]): ScriptCoverage {
  const length = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)))
  const ran = new Uint8Array(length)
  // Outer ranges come before those within them.
  const ranges = functions.flatMap((one) => one.ranges)
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  return {
    url,
    functions: functions
      .filter(({ functionName, ranges }) => functionName !== '' || ranges[0]!.startOffset > 0)
      .map(({ functionName, ranges }) => ({
        name: functionName,
        range: [ranges[0]!.startOffset, ranges[0]!.endOffset] as const,
      })),
    ran: intervalsOf(ran),
  }
}

function intervalsOf(bits: Uint8Array): Interval[] {
  const intervals: Interval[] = []
  for (let at = bits.indexOf(1); at >= 0; ) {
    const end = bits.indexOf(0, at)
    intervals.push([at, end < 0 ? bits.length : end])
    at = end < 0 ? -1 : bits.indexOf(1, end)
  }
  return intervals
}

interface Merged {
  readonly functions: Map<string, ScriptCoverage['functions'][number]>
  readonly ran: Interval[]
}

/** What several threads have run of the same scripts. */
export function mergeCoverage(all: readonly ScriptCoverage[]): ScriptCoverage[] {
  const byUrl = new Map<string, Merged>()
  for (const { url, functions, ran } of all) {
    const known: Merged = byUrl.get(url) ?? { functions: new Map(), ran: [] }
    byUrl.set(url, known)
    for (const one of functions) known.functions.set(one.range.join(), one)
    known.ran.push(...ran)
  }
  return [...byUrl].map(([url, { functions, ran }]) => {
    const bits = new Uint8Array(Math.max(0, ...ran.map(([, end]) => end)))
    for (const [start, end] of ran) bits.fill(1, start, end)
    return {
      url,
      functions: [...functions.values()].sort((a, b) => a.range[0] - b.range[0]),
      ran: intervalsOf(bits),
    }
  })
}

/**
 * The functions of a script's sources.
 * @param code the script's text
 * @param map its source map, as JSON, with the sources' texts in it
 */
export function sourceFunctions(script: ScriptCoverage, code: string, map: string): SourceFunction[] {
  const payload = JSON.parse(map) as { sources: string[]; sourcesContent?: (string | null)[] }
  const texts = new Map(
    payload.sources.map((source, i) => [source, (payload.sourcesContent?.[i] ?? '').split('\n')]),
  )
  const sourceMap = new SourceMap(JSON.parse(map))
  const lineStarts = [0]
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) lineStarts.push(at + 1)
  const whence = (offset: number): { source: string; line: number } | undefined => {
    let line = lineStarts.findLastIndex((start) => start <= offset)
    line = Math.max(0, line)
    const entry = sourceMap.findEntry(line, offset - lineStarts[line]!)
    return 'originalSource' in entry
      ? { source: entry.originalSource, line: entry.originalLine + 1 }
      : undefined
  }
  const ran = new Uint8Array(code.length)
  for (const [start, end] of script.ran) ran.fill(1, start, end)

  return script.functions.flatMap(({ name, range }): SourceFunction[] => {
    const from = whence(range[0])
    if (from === undefined) return []
    const called = ran.indexOf(1, range[0]) >= 0 && ran.indexOf(1, range[0]) < range[1]
    // What esbuild has added.
    if (name.startsWith('<')) return []
    const outer = script.functions.find(
      (f) =>
        f.range[0] <= range[0] && range[1] <= f.range[1] && f.range.join() !== range.join() && f.name !== '',
    )
    if (!called && outer !== undefined && ran.subarray(...outer.range).indexOf(1) < 0) return []
    const inner = script.functions.filter(
      (f) => f.range !== range && f.range[0] >= range[0] && f.range[1] <= range[1],
    )
    const untaken: { line: number; text: string }[] = []
    if (called) {
      for (let at = ran.indexOf(0, range[0]); at >= 0 && at < range[1]; ) {
        const next = ran.indexOf(1, at)
        const end = next < 0 ? range[1] : Math.min(next, range[1])
        // A function in it that was never called is told of by itself.
        const itsOwn = inner.every((f) => !(f.range[0] <= at && end <= f.range[1]))
        const first = at + code.slice(at, end).search(/[^\s{};)]/)
        const place = itsOwn && first >= at ? whence(first) : undefined
        if (
          place !== undefined &&
          place.source === from.source &&
          !untaken.some((u) => u.line === place.line)
        ) {
          untaken.push({ line: place.line, text: texts.get(place.source)?.[place.line - 1]?.trim() ?? '' })
        }
        at = ran.indexOf(0, end)
      }
    }
    // V8 has the name from the bundle, where one of two functions of a name is called something else.
    const declared = /\bfunction\*? (\w+)/.exec(texts.get(from.source)?.[from.line - 1] ?? '')?.[1]
    const own = declared !== undefined && name.startsWith(declared) ? declared : name
    return [{ source: from.source, name: own, line: from.line, called, untaken }]
  })
}
