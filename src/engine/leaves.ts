/**
 * The leaves of a decision tree: everything that a thread's pending operation was seen to do in
 * one control state, with what it read and chose, and the response that it gave.
 *
 * Trees keep the control state that follows a response and not the response itself. An effect is
 * a pure function of its reads and choices, so it is asked again along the path to a leaf.
 */
import { LEAF, type ValueAt } from './decision.ts'
import { type AtomicRequest, BLOCKED, FAILED, type Response, type View } from './operation.ts'
import type { Search } from './search.ts'

export interface Leaf {
  /** In the order in which they were first read. */
  readonly reads: readonly ValueAt[]
  readonly choices: readonly number[]
  readonly writes: readonly ValueAt[]
  /** BLOCKED if the operation waits there, FAILED if the run ends there. */
  readonly response: Response
  /** The control state that follows; undefined if the response is BLOCKED or FAILED. */
  readonly next: number | undefined
  /** What went wrong, if the response is FAILED. */
  readonly failure: string | undefined
}

/**
 * The leaves learned so far, in the order of the tree.
 * @param control a control state of the thread that is not DONE
 */
export function leavesOf(explorer: Search, thread: number, control: number): Leaf[] {
  const { trees } = explorer.learned
  const operation = explorer.learned.controls[thread]!.operation(control)
  const leaves: Leaf[] = []
  trees.forEachLeaf(explorer.learned.rootOf(thread, control), (leaf, reads, choices) => {
    const { code } = trees
    const isStep = code[leaf] === LEAF
    const writes = Array.from({ length: isStep ? code[leaf + 2]! : 0 }, (_, i) => ({
      location: code[leaf + 3 + 2 * i]!,
      value: code[leaf + 4 + 2 * i]!,
    }))
    const next = isStep ? code[leaf + 1]! : undefined
    const answer = responseAlong(explorer.system.context, operation, thread, reads, choices)
    leaves.push({ reads, choices, writes, next, ...answer })
  })
  return leaves
}

function responseAlong(
  context: unknown,
  { effect, args }: AtomicRequest,
  thread: number,
  reads: Leaf['reads'],
  choices: readonly number[],
): Pick<Leaf, 'response' | 'failure'> {
  const memory = new Map(reads.map(({ location, value }) => [location, value]))
  let chosen = 0
  let failure: string | undefined
  const view: View = {
    thread,
    get: (location) => memory.get(location)!,
    set: (location, value) => {
      memory.set(location, value)
    },
    choose: () => choices[chosen++]!,
    fail: (message) => {
      failure = message
      return FAILED
    },
  }
  const response = effect(view, context, ...args)
  return { response: failure === undefined ? response : FAILED, failure }
}

/** Whether a response lets the thread go on. */
export function goesOn(response: Response): boolean {
  return response !== BLOCKED && response !== FAILED
}
