/**
 * The state graph of a finished exploration, as plain data: every state with what it holds, every
 * step with where it leads. For other programs, and for small systems: everything is written out.
 */
import { DONE } from './control.ts'
import { inWords } from './layout.ts'
import { goesOn, type Leaf, leavesOf } from './leaves.ts'
import type { Search } from './search.ts'

export interface StateGraph {
  readonly threads: readonly { readonly name: string; readonly daemon: boolean }[]
  /** The names of the shared locations, in the order of their values. */
  readonly locations: readonly string[]
  /** By number; the first is where every run begins. */
  readonly states: readonly GraphState[]
  readonly steps: readonly GraphStep[]
}

export interface GraphState {
  readonly values: readonly number[]
  /** By thread what it would do next, such as `dup_mmap: writeLock(parent.mmap_lock)`; null when it has ended. */
  readonly next: readonly (string | null)[]
  /** Whether a run can end here: all threads but the daemons have ended. */
  readonly final: boolean
}

export interface GraphStep {
  readonly from: number
  /** Null if the run ends in this step since it fails, or leads to a memory that an invariant forbids. */
  readonly to: number | null
  readonly thread: number
  readonly operation: string
  /** What changes: the location, by its index, and its values before and after. */
  readonly changes: readonly (readonly [location: number, before: number, after: number])[]
  /** What went wrong, where `to` is null. */
  readonly failure: string | null
}

/**
 * The graph of all states.
 * @throws Error if the exploration is not complete
 */
export function stateGraph(explorer: Search): StateGraph {
  const { bounded } = explorer.result()
  if (bounded !== undefined) throw new Error(`the exploration is not complete: ${bounded}`)
  const { layout, threads } = explorer.system
  const { controls } = explorer.learned
  const count = explorer.count
  const leaves = threads.map(() => new Map<number, readonly Leaf[]>())
  const numbers = new Map<string, number>()
  const states: { values: number[]; at: number[] }[] = []
  for (let state = 0; state < count; state++) {
    const values = [...explorer.memories.copy(explorer.memoryOf(state))]
    const at = threads.map((_, thread) => explorer.controlOf(state, thread))
    states.push({ values, at })
    numbers.set(keyOf(values, at), state)
  }

  const steps: GraphStep[] = []
  states.forEach(({ values, at }, from) => {
    at.forEach((control, thread) => {
      if (control === DONE) return
      const known = leaves[thread]!.get(control) ?? leavesOf(explorer, thread, control)
      leaves[thread]!.set(control, known)
      const operation = inWords(controls[thread]!.operation(control), layout.locations)
      for (const { reads, writes, response, next, failure } of known) {
        if (!reads.every(({ location, value }) => values[location] === value)) continue
        const step = { from, thread, operation }
        if (!goesOn(response)) {
          if (failure !== undefined) steps.push({ ...step, to: null, changes: [], failure })
          continue
        }
        const after = [...values]
        for (const { location, value } of writes) after[location] = value
        const changes = writes
          .filter(({ location, value }) => values[location] !== value)
          .map(({ location, value }) => [location, values[location]!, value] as const)
        const to = numbers.get(
          keyOf(
            after,
            at.map((c, other) => (other === thread ? next! : c)),
          ),
        )
        const forbidden = to === undefined ? forbids(explorer, after) : null
        steps.push({ ...step, to: to ?? null, changes, failure: forbidden })
      }
    })
  })
  return {
    threads: threads.map(({ name, daemon }) => ({ name, daemon: daemon === true })),
    locations: layout.locations.map(({ name }) => name),
    states: states.map(({ values, at }) => ({
      values,
      next: at.map((control, thread) => (control === DONE ? null : pendingAt(explorer, thread, control))),
      final: threads.every(({ daemon }, thread) => daemon === true || at[thread] === DONE),
    })),
    steps,
  }
}

function keyOf(values: readonly number[], at: readonly number[]): string {
  return `${values} ${at}`
}

function forbids(explorer: Search, values: readonly number[]): string {
  const message = explorer.system.invariant?.({ get: (location) => values[location]! })
  if (message === undefined) throw new Error('a step leads to a state that was not explored')
  return message
}

/** The innermost procedure and the operation that is pending in it. */
export function pendingAt(explorer: Search, thread: number, control: number): string {
  const controls = explorer.learned.controls[thread]!
  const { procedure } = controls.stack(control).node.activation
  return `${procedure.name}: ${inWords(controls.operation(control), explorer.system.layout.locations)}`
}
