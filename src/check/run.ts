/** Explores the system of a test, in slices, so that somebody can watch and stop it. */
import { type Exploration, type ExploreLimits, Explorer, type Memory } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { type Outcome, outcomeOf } from '../litmus/outcome.ts'
import { compile, type Program, type ProgramOptions } from '../litmus/program.ts'
import type { Rules } from '../mm/kernel.ts'

/** Called about ten times a second with the numbers so far; false stops the exploration. */
export type Watch = (progress: Progress) => boolean

export interface Progress {
  readonly states: number
  readonly depth: number
  readonly frontier: number
  readonly milliseconds: number
}

export interface RunOptions {
  readonly limits?: ExploreLimits
  readonly watch?: Watch | undefined
  /** Called before a generator is run to learn from it, with its name. */
  readonly onReplay?: ((procedure: string) => void) | undefined
  /** Called when that generator has come back. */
  readonly onReplayed?: (() => void) | undefined
}

export interface Run {
  readonly program: Program
  readonly explorer: Explorer
  readonly exploration: Exploration
  /** Each outcome once, the one with the shortest run first. */
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
  const explorer = new Explorer(compiled.system, options.limits, options.onReplay)
  explorer.automata.onReplayed = options.onReplayed
  while (!explorer.run(SLICE_MS)) {
    if (options.watch?.(explorer.result()) === false) break
  }
  const exploration = explorer.result()
  return { program: compiled, explorer, exploration, ends: endsOf(test, compiled, exploration) }
}

function endsOf(test: Litmus, { kernel }: Program, { finals }: Exploration): End[] {
  const ends = new Map<string, { outcome: Outcome; state: number; memories: Memory[] }>()
  for (const { bytes, state } of finals) {
    const memory: Memory = { get: (location) => bytes[location]! }
    const outcome = outcomeOf(test, kernel, memory)
    const end = ends.get(outcome.key)
    if (end === undefined) ends.set(outcome.key, { outcome, state, memories: [memory] })
    else {
      end.memories.push(memory)
      end.state = Math.min(end.state, state)
    }
  }
  return [...ends.values()].sort((a, b) => a.state - b.state)
}
