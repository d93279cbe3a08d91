/** A cell's state graph, or a run of it, as JSON for other programs; docs/export.md describes it. */
import {
  type Cell,
  type FailureReport,
  type OutcomeReport,
  witnessOf,
  witnessOfFailure,
} from '../check/index.ts'
import { type Bound, inWords, type StateGraph, stateGraph, type Trace } from '../engine/index.ts'

/** Changes when a reader of older documents could misread a newer one. */
const VERSION = 1

export interface GraphDocument {
  readonly format: 'cowherd-graph'
  readonly version: typeof VERSION
  readonly test: string
  readonly design: string
  readonly threads: StateGraph['threads']
  readonly locations: StateGraph['locations']
  /** What ended the exploration early, if anything did: then there may be worse than the run, and there is no graph. */
  readonly bounded: Bound | null
  readonly graph: Pick<StateGraph, 'states' | 'steps'> | null
  /** Null if no run comes to an end. */
  readonly run: RunDocument | null
}

export interface RunDocument {
  /** What the run leads to: an outcome, `parent.r0=1 …`, or what goes wrong. */
  readonly to: string
  readonly verdict: string
  /** By location. */
  readonly initial: readonly number[]
  readonly steps: readonly RunStep[]
}

export interface RunStep {
  readonly thread: number
  readonly operation: string
  /** The functions that the thread is in, outermost first. */
  readonly functions: readonly string[]
  readonly reads: readonly (readonly [location: number, value: number])[]
  readonly changes: readonly (readonly [location: number, before: number, after: number])[]
  readonly failure: string | null
}

/** What a run leads to, as `worstOf` chooses it. */
export type Chosen = { readonly outcome: OutcomeReport } | { readonly failure: FailureReport }

/** The run to what was chosen, and what that is called. */
export function chosenRun(cell: Cell, chosen: Chosen): { trace: Trace; to: string; verdict: string } {
  if ('failure' in chosen) {
    const { failure, message } = chosen.failure
    return { trace: witnessOfFailure(cell, chosen.failure), to: message, verdict: failure }
  }
  const { outcome, verdict } = chosen.outcome
  return { trace: witnessOf(cell, chosen.outcome), to: outcome.key, verdict }
}

/** @param whole with the graph of all states, for which the exploration must be complete */
export function graphDocument(cell: Cell, chosen: Chosen | undefined, whole: boolean): GraphDocument {
  const { explorer } = cell.run
  const { threads, layout } = explorer.system
  const graph = whole ? stateGraph(explorer) : undefined
  return {
    format: 'cowherd-graph',
    version: VERSION,
    test: cell.test.name,
    design: cell.design.name,
    threads: threads.map(({ name, daemon }) => ({ name, daemon: daemon === true })),
    locations: layout.locations.map(({ name }) => name),
    bounded: cell.exploration.bounded ?? null,
    graph: graph === undefined ? null : { states: graph.states, steps: graph.steps },
    run: chosen === undefined ? null : runDocument(cell, chosen),
  }
}

function runDocument(cell: Cell, chosen: Chosen): RunDocument {
  const { locations } = cell.run.explorer.system.layout
  const { trace, to, verdict } = chosenRun(cell, chosen)
  return {
    to,
    verdict,
    initial: [...trace.initial],
    steps: trace.steps.map(({ thread, effect, args, stack, reads, changes, failure }) => ({
      thread,
      operation: inWords({ kind: 'atomic', effect, args }, locations),
      functions: stack.map(({ procedure }) => procedure.name),
      reads: reads.map(({ location, value }) => [location, value] as const),
      changes: changes.map(({ location, before, after }) => [location, before, after] as const),
      failure: failure ?? null,
    })),
  }
}
