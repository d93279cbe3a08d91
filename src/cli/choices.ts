/** What the command line lets a person choose: designs, limits. */
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DESIGNS, VARIANTS } from '../designs/index.ts'
import {
  BREADTH_FIRST,
  type Coverage,
  type ExploreLimits,
  MAX_SEED,
  MAX_STATES,
  REDUCTIONS,
  type SearchMode,
} from '../engine/index.ts'
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
    .option('--max-states <n>', 'end each exploration after that many states', wholeUpTo(MAX_STATES))
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

export interface SearchOptions extends LimitOptions {
  readonly depthFirst?: true
  readonly hashCompaction?: true
  readonly random?: number
  readonly runs?: number
  readonly preemptions?: number
  readonly reductions: (typeof REDUCTION_CHOICES)[number]
  readonly workers?: number
}

const REDUCTION_CHOICES = ['auto', 'none', 'all', ...REDUCTIONS] as const

/** Random runs, unless somebody says how many. */
const RUNS = 10_000
/** Steps of a random run, unless somebody says how many: far more than any test of the suite takes. */
const RANDOM_STEPS = 1_000

/** Adds the options that say how each design is searched. */
export function addSearch(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--reductions <which>',
        'what is left out without changing what can happen; auto: all, but only where there are many states or too little memory',
      )
        .choices(REDUCTION_CHOICES)
        .default('auto'),
    )
    .addOption(
      new Option(
        '--depth-first',
        'search depth-first: the same states, but runs need not be the shortest',
      ).conflicts(['random', 'preemptions']),
    )
    .addOption(
      new Option('--random <seed>', 'only make random runs, the same for the same seed: proves nothing')
        .argParser(seed)
        .conflicts('preemptions'),
    )
    .addOption(
      new Option(
        '--hash-compaction',
        'remember only a fingerprint of each state: a third less memory, and a small chance, which is told, of missing a state',
      ).conflicts(['depthFirst', 'random', 'preemptions']),
    )
    .option('--runs <n>', `how many random runs (default: ${RUNS})`, whole)
    .option(
      '--preemptions <k>',
      'only look at runs in which a thread that could go on is interrupted at most k times',
      natural,
    )
}

/**
 * What the options of `addSearch` ask for.
 * @throws UsageError
 */
export function searchFrom(options: SearchOptions): SearchMode {
  const { depthFirst, hashCompaction, random, runs, preemptions, maxDepth, reductions } = options
  checkAlone(options)
  if (runs !== undefined && random === undefined) {
    throw new UsageError('--runs is for random runs: say --random <seed>, too')
  }
  if (depthFirst) return { mode: 'depth-first' }
  if (hashCompaction) return { mode: 'hash-compaction' }
  if (random !== undefined) {
    return { mode: 'random', seed: random, runs: runs ?? RUNS, steps: maxDepth ?? RANDOM_STEPS }
  }
  if (preemptions !== undefined) {
    if (maxDepth !== undefined)
      throw new UsageError('--preemptions looks at runs of any length, so there can be no --max-depth')
    return { mode: 'preemptions', most: preemptions }
  }
  if (reductions === 'auto') return { mode: 'breadth-first', reductions }
  if (reductions === 'none') return BREADTH_FIRST
  return { mode: 'breadth-first', reductions: reductions === 'all' ? REDUCTIONS : [reductions] }
}

/**
 * Several threads, and each reduction, go only with the breadth-first search of all states; and not with each other.
 * @throws UsageError
 */
function checkAlone(options: SearchOptions): void {
  const { workers = 1, depthFirst, hashCompaction, random, preemptions, reductions } = options
  const mode = [
    depthFirst && '--depth-first',
    hashCompaction && '--hash-compaction',
    random !== undefined && '--random',
    preemptions !== undefined && '--preemptions',
  ].find((option) => typeof option === 'string')
  const reduced = reductions !== 'auto' && reductions !== 'none' ? `--reductions ${reductions}` : undefined
  if (mode !== undefined && reduced !== undefined) {
    throw new UsageError(`${reduced} is for a breadth-first search, so it does not go with ${mode}`)
  }
  const alone = mode ?? reduced
  if (workers === 1 || alone === undefined) return
  throw new UsageError(
    `${alone} is for one thread, so it does not go with --workers ${workers}, by which several explore one thing together; --jobs is how many things are explored at the same time`,
  )
}

/** The options that search as somebody has searched; empty for breadth-first. */
export function optionsFor(search: Coverage): string {
  switch (search.mode) {
    case 'breadth-first': {
      const { reductions = [] } = search
      if (reductions.length === 0) return ''
      return `--reductions ${reductions.length === REDUCTIONS.length ? 'all' : reductions[0]}`
    }
    case 'hash-compaction':
      return '--hash-compaction'
    case 'depth-first':
      return '--depth-first'
    case 'random': {
      const { seed, runs, steps } = search
      return `--random ${seed} --runs ${Math.max(1, runs)}${steps === RANDOM_STEPS ? '' : ` --max-depth ${steps}`}`
    }
    case 'preemptions':
      return `--preemptions ${search.most}`
  }
}

/** The limits of a test's yardstick: of random runs, the length says nothing about it. */
export function yardstickLimitsOf(options: SearchOptions): ExploreLimits {
  const { maxDepth: _, ...others } = options
  return limitsOf(options.random === undefined ? options : others)
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
  const n = atMost(MOST_WORKERS, whole(text))
  if (n > 1 && typeof SharedArrayBuffer === 'undefined') {
    throw new InvalidArgumentError(
      'This JavaScript has no SharedArrayBuffer, so threads cannot explore together.',
    )
  }
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

/** @throws InvalidArgumentError if a number is larger */
export function atMost(most: number, n: number): number {
  if (n > most) throw new InvalidArgumentError(`Expected at most ${most}.`)
  return n
}

/** Reads a whole number from 1 to `most`. */
export function wholeUpTo(most: number): (text: string) => number {
  return (text) => {
    const n = whole(text)
    if (n > most) {
      throw new InvalidArgumentError(`Expected a whole number from 1 to ${most.toLocaleString('en')}.`)
    }
    return n
  }
}

/** A whole number from 0 up. */
export function natural(text: string): number {
  return numberUpTo(Number.MAX_SAFE_INTEGER, 'a whole number', text)
}

export function seed(text: string): number {
  return numberUpTo(MAX_SEED, 'a seed', text)
}

function numberUpTo(most: number, what: string, text: string): number {
  const n = Number(text)
  if (!/^\d+$/.test(text) || n > most) throw new InvalidArgumentError(`Expected ${what} from 0 to ${most}.`)
  return n
}

function positive(text: string): number {
  const n = Number(text)
  if (!(n > 0 && Number.isFinite(n))) throw new InvalidArgumentError('Expected a finite number above 0.')
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

/**
 * What `--outcome` asks for: `child.r0 == 1 and parent.x=0` as `['child.r0=1', 'parent.x=0']`.
 * @throws UsageError
 */
export function outcomeTerms(text: string): string[] {
  const terms = text
    .replaceAll(/\s*={1,2}\s*/g, '=')
    .split(/[\s,]+/)
    .filter((term) => term !== '' && term !== 'and')
  const wrong = terms.find((term) => !/^[^=]+=[^=]+$/.test(term))
  if (terms.length === 0 || wrong !== undefined) {
    throw new UsageError(`--outcome: expected terms such as child.r0=1, not "${wrong ?? text}"`)
  }
  return terms
}
