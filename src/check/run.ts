/** Explores the system of a test. */
import {
  type Exploration,
  type ExploreLimits,
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
import { Outlook } from './outlook.ts'
import { searchWatched, type Watching } from './watched.ts'

export interface RunOptions extends Watching {
  readonly limits?: ExploreLimits
  /** How the states are gone through: breadth first unless something else is said. */
  readonly search?: SearchMode | undefined
  /**
   * Threads that can be called for help, if they can build the same system; undefined if they
   * cannot. Only a breadth-first search calls them.
   */
  readonly team?: ((rules: Rules, program: ProgramOptions) => Team | undefined) | undefined
  /** Whether it is worth a second to guess early how many states there will be: somebody sees it. */
  readonly foresee?: boolean | undefined
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
  const outlook = new Outlook(options.foresee ? compiled.system : undefined, options)
  searchWatched(explorer, options, (soFar) => outlook.expect(soFar))
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
