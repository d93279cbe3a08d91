/** Explores the system of a test, in slices, so that somebody can watch and stop it. */
import {
  type Estimate,
  type Exploration,
  type ExploreLimits,
  estimateStates,
  type Memory,
  type Search,
  type SearchMode,
  searchOf,
  type Team,
} from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { type Outcome, outcomeOf } from '../litmus/outcome.ts'
import { compile, type Program, type ProgramOptions } from '../litmus/program.ts'
import type { Rules } from '../mm/kernel.ts'

/** Called about ten times a second, and in the end, with the numbers so far; false stops the exploration. */
export type Watch = (progress: Progress) => boolean

export interface Progress {
  readonly states: number
  readonly depth: number
  readonly frontier: number
  readonly milliseconds: number
  /** About how many states there will be, where there is a guess. */
  readonly expected: Estimate | undefined
}

export interface RunOptions {
  readonly limits?: ExploreLimits
  /** How the states are gone through: breadth first unless something else is said. */
  readonly search?: SearchMode | undefined
  readonly watch?: Watch | undefined
  /**
   * Threads that can be called for help, if they can build the same system; undefined if they
   * cannot. Only a breadth-first search calls them.
   */
  readonly team?: ((rules: Rules, program: ProgramOptions) => Team | undefined) | undefined
  /** Called before a generator or an operation is run to learn from it, with its name. */
  readonly onReplay?: ((procedure: string) => void) | undefined
  /** Runs all generators and operations once more in the end, to see whether they still do the same: for rules of one's own. */
  readonly recheck?: boolean | undefined
  /** Called when that generator has come back. */
  readonly onReplayed?: (() => void) | undefined
}

export interface Run {
  readonly program: Program
  readonly explorer: Search
  readonly exploration: Exploration
  /** Each outcome once, the one found first first: breadth-first, that is the one with the shortest run. */
  readonly ends: readonly End[]
}

/** An outcome, the first final state that shows it, and all final memories that do. */
export interface End {
  readonly outcome: Outcome
  readonly state: number
  readonly memories: readonly Memory[]
}

const SLICE_MS = 100

/**
 * Explores one test under one set of rules.
 * @throws ModelError if the rules cannot be explored
 */
export function runTest(
  test: Litmus,
  rules: Rules,
  options: RunOptions = {},
  program: ProgramOptions = {},
): Run {
  const compiled = compile(test, rules, program)
  const team = options.team?.(rules, program)
  const explorer = searchOf(compiled.system, options.search, options.limits, options.onReplay, team)
  explorer.learned.automata.onReplayed = options.onReplayed
  const goesOn = (): boolean | undefined => {
    const { states, depth, frontier, milliseconds, level } = explorer.result()
    const expected = level && estimateStates(level)
    return options.watch?.({ states, depth, frontier, milliseconds, expected })
  }
  while (!explorer.run(SLICE_MS)) {
    if (goesOn() === false) {
      explorer.stop?.()
      break
    }
  }
  if (options.recheck) explorer.learned.recheck()
  // Whoever watches learns that no generator runs any more.
  goesOn()
  const exploration = explorer.result()
  const ends = endsOf(test, compiled, exploration)
  return { program: compiled, explorer, exploration, ends }
}

function endsOf(test: Litmus, { kernel }: Program, { finals }: Exploration): End[] {
  // Final memories come in the order in which they were found, so the first of an outcome has its run.
  const ends = new Map<string, { outcome: Outcome; state: number; memories: Memory[] }>()
  for (const { bytes, state } of finals) {
    const memory: Memory = { get: (location) => bytes[location]! }
    const outcome = outcomeOf(test, kernel, memory)
    const end = ends.get(outcome.key)
    if (end === undefined) ends.set(outcome.key, { outcome, state, memories: [memory] })
    else end.memories.push(memory)
  }
  return [...ends.values()]
}
