/** What the command line lets a person choose: designs, limits. */
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DESIGNS, VARIANTS } from '../designs/index.ts'
import type { ExploreLimits } from '../engine/index.ts'
import { didYouMean } from '../litmus/diagnostic.ts'
import { UsageError } from './exit.ts'
import type { DesignSource } from './protocol.ts'
import { readable } from './tests.ts'

/** More threads than this do not explore together. */
const MOST_WORKERS = 64

export interface LimitOptions {
  readonly maxStates?: number
  readonly maxDepth?: number
  readonly maxSeconds?: number
  readonly maxMemory?: number
}

/** Adds the options that bound each exploration. */
export function addLimits(command: Command): Command {
  return command
    .option('--max-states <n>', 'end each exploration after that many states', whole)
    .option('--max-depth <n>', 'look at runs of at most that many steps', whole)
    .option('--max-seconds <s>', 'end each exploration after that time', positive)
    .option('--max-memory <MiB>', 'end each exploration when its states fill that much', positive)
}

export function limitsOf(options: LimitOptions): ExploreLimits {
  const { maxStates, maxDepth, maxSeconds, maxMemory } = options
  return {
    ...(maxStates !== undefined && { states: maxStates }),
    ...(maxDepth !== undefined && { depth: maxDepth }),
    ...(maxSeconds !== undefined && { milliseconds: maxSeconds * 1000 }),
    ...(maxMemory !== undefined && { bytes: maxMemory * 2 ** 20 }),
  }
}

export function jobsOption(): Option {
  return new Option(
    '--jobs <n>',
    'explorations at the same time, by default as many as keep all processors busy',
  ).argParser(whole)
}

export function workersOption(): Option {
  return new Option('--workers <n>', 'threads that explore one thing together').default(1).argParser(workers)
}

/** How many explorations there are to be at the same time. */
export function jobsOf({ jobs, workers = 1 }: { readonly jobs?: number; readonly workers?: number }): number {
  return jobs ?? Math.max(1, Math.floor(availableParallelism() / workers))
}

function workers(text: string): number {
  const n = whole(text)
  if (n > MOST_WORKERS) throw new InvalidArgumentError(`Expected at most ${MOST_WORKERS}.`)
  return n
}

export function designOption(): Option {
  return new Option(
    '-d, --design <names>',
    'designs by name, with commas between them or one option each, "all", or a file: ./my-design.ts',
  ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
}

/** A whole number from 1 up. */
export function whole(text: string): number {
  const n = Number(text.replaceAll(/[_,](?=\d{3})/g, ''))
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('Expected a whole number from 1 up.')
  return n
}

function positive(text: string): number {
  const n = Number(text)
  if (!(n > 0 && Number.isFinite(n))) throw new InvalidArgumentError('Expected a number above 0.')
  return n
}

/** Whether somebody means a file, and not the name of a design. */
export function isFileName(text: string): boolean {
  return /[/\\]/.test(text) || ['.ts', '.mts', '.js', '.mjs'].includes(extname(text))
}

/**
 * The designs that `--design` asks for, each once.
 * @throws UsageError for what is none, with what was probably meant
 */
export async function chooseDesigns(values: readonly string[]): Promise<DesignSource[]> {
  const chosen = new Map<string, DesignSource>()
  const problems: string[] = []
  for (const word of values.flatMap((value) => value.split(',')).map((text) => text.trim())) {
    if (word === '') continue
    if (word === 'all') for (const { name } of DESIGNS) chosen.set(name, { kind: 'built-in', name })
    else if (isFileName(word)) {
      try {
        const { bundleDesign } = await import('./bundle_design.ts')
        chosen.set(word, await bundleDesign(word))
      } catch (error) {
        problems.push(readable(error))
      }
    } else if (ALL_NAMES.includes(word)) chosen.set(word, { kind: 'built-in', name: word })
    else problems.push(unknownDesign(word))
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  if (chosen.size === 0) throw new UsageError(`--design names no design; there are ${ALL_NAMES.join(', ')}`)
  return [...chosen.values()]
}

export const ALL_NAMES: readonly string[] = [...DESIGNS, ...VARIANTS].map(({ name }) => name)

export function unknownDesign(name: string): string {
  return `unknown design "${name}"${didYouMean(name, ALL_NAMES) || '.'} There are ${ALL_NAMES.join(', ')}, all, or a file such as ./my-design.ts`
}
