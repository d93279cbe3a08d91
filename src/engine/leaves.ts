/**
 * The leaves of a decision tree: everything that a thread's pending operation was seen to do in
 * one control state, with what it read and chose, and the response that it gave.
 *
 * Trees keep the control state that follows a response and not the response itself. An effect is
 * a pure function of its reads and choices, so it is asked again along the path to a leaf.
 */
import { CHOOSE, FAIL, LEAF, READ, STUCK } from './decision.ts'
import { type AtomicRequest, BLOCKED, FAILED, type Response, type View } from './operation.ts'
import type { Search } from './search.ts'

export interface Leaf {
  /** In the order in which they were first read. */
  readonly reads: readonly { readonly location: number; readonly value: number }[]
  readonly choices: readonly number[]
  readonly writes: readonly { readonly location: number; readonly value: number }[]
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
  const { code } = explorer.learned.trees
  const { locations } = explorer.system.layout
  const operation = explorer.learned.controls[thread]!.operation(control)
  const leaves: Leaf[] = []
  const reach = (
    reads: Leaf['reads'],
    choices: readonly number[],
    writes: Leaf['writes'],
    next: number | undefined,
  ): void => {
    const answer = responseAlong(explorer.system.context, operation, thread, reads, choices)
    leaves.push({ reads, choices, writes, next, ...answer })
  }

  const walk = (slot: number, reads: Leaf['reads'], choices: readonly number[]): void => {
    const record = code[slot]!
    // Not learned: no run came here.
    if (record === 0) return
    const operand = code[record + 1]!
    switch (code[record]) {
      case READ:
        for (let value = 0; value <= locations[operand]!.max; value++) {
          walk(record + 2 + value, [...reads, { location: operand, value }], choices)
        }
        break
      case CHOOSE:
        for (let i = 0; i < operand; i++) walk(record + 2 + i, reads, [...choices, i])
        break
      case LEAF: {
        const writes = Array.from({ length: code[record + 2]! }, (_, i) => ({
          location: code[record + 3 + 2 * i]!,
          value: code[record + 4 + 2 * i]!,
        }))
        reach(reads, choices, writes, operand)
        break
      }
      case FAIL:
      case STUCK:
        reach(reads, choices, [], undefined)
        break
    }
  }
  walk(explorer.learned.rootOf(thread, control), [], [])
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
