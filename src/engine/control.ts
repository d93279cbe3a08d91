/**
 * Control states: where a thread is, as one small number.
 *
 * A thread is a stack of automaton nodes. Every node below the top waits for a call to
 * return; the top one waits for an atomic operation. Calls, returns and tail calls touch
 * nothing shared, so they are followed at once and cost no states. Stacks are interned as
 * linked cells, and those with an atomic operation on top are numbered densely per thread.
 */
import type { Automata, AutomatonNode } from './automaton.ts'
import { ModelError } from './error.ts'
import type { AtomicRequest, Plain } from './operation.ts'
import type { ThreadSpec } from './system.ts'

/** The control state of a thread that has ended. */
export const DONE = 0

/** Deepest stack of calls, and most calls, returns and tail calls between two operations. */
const MAX_STACK = 100
const MAX_SILENT = 10_000

/** Control states are packed into 16 bits. */
export const MAX_CONTROL_STATES = 65_535

/** One activation of a thread's stack, linked to the one that called it. */
export interface StackCell {
  readonly node: AutomatonNode
  readonly below: StackCell | undefined
  readonly height: number
}

interface InternedCell extends StackCell {
  readonly above: Map<AutomatonNode, InternedCell>
  state: number
  atRest: boolean
}

export class ControlStates {
  private readonly bottom = new Map<AutomatonNode, InternedCell>()
  /** By control state; entry 0 stands for DONE. */
  private readonly cells: (InternedCell | undefined)[] = [undefined]
  readonly initial: number

  constructor(
    private readonly automata: Automata,
    thread: ThreadSpec,
  ) {
    this.initial = this.settle(undefined, automata.start(thread.procedure, thread.args))
  }

  get count(): number {
    return this.cells.length
  }

  /** The stack of a control state that is not DONE, top first. */
  stack(state: number): StackCell {
    return this.cells[state]!
  }

  /** The atomic operation that is pending in a control state that is not DONE. */
  operation(state: number): AtomicRequest {
    return this.cells[state]!.node.pending as AtomicRequest
  }

  /**
   * Whether the thread's root procedure was the last to do anything: it has just begun, or
   * performed an operation, or got the result of a call. Also if it has ended.
   */
  atRest(state: number): boolean {
    return state === DONE || this.cells[state]!.atRest
  }

  /** The control state after the operation of `state` has been answered with `response`. */
  after(state: number, response: Plain): number {
    const cell = this.cells[state]!
    return this.settle(cell.below as InternedCell | undefined, this.automata.next(cell.node, response))
  }

  /** The control state with the same stack, but for other nodes of the same procedures in it. */
  renamed(state: number, rename: (node: AutomatonNode) => AutomatonNode): number {
    if (state === DONE) return DONE
    const original = this.cells[state]!
    const build = (cell: StackCell): InternedCell => {
      const below = cell.below === undefined ? undefined : build(cell.below)
      return this.intern(below, rename(cell.node))
    }
    const cell = build(original)
    if (original.atRest) cell.atRest = true
    return this.number(cell)
  }

  /** Follows calls and returns from `node`, on top of `below`, to the next atomic operation. */
  private settle(below: InternedCell | undefined, node: AutomatonNode): number {
    let top = node
    let rest = below
    let atRest = below === undefined
    for (let silent = 0; silent < MAX_SILENT; silent++) {
      const pending = top.pending
      switch (pending.kind) {
        case 'atomic': {
          const cell = this.intern(rest, top)
          // Never the other way: the root procedure came first to whatever comes after it.
          if (atRest) cell.atRest = true
          return this.number(cell)
        }
        case 'call': {
          const caller = this.intern(rest, top)
          if (caller.height >= MAX_STACK) {
            throw new ModelError(
              'unbounded',
              pending.procedure.name,
              `${pending.procedure.name} is called ${MAX_STACK} calls deep. Let a loop be a tail call.`,
            )
          }
          rest = caller
          top = this.automata.start(pending.procedure, pending.args)
          break
        }
        case 'tail':
          top = this.automata.start(pending.procedure, pending.args)
          break
        case 'return':
          if (rest === undefined) return DONE
          top = this.automata.next(rest.node, pending.value)
          rest = rest.below as InternedCell | undefined
          atRest ||= rest === undefined
          break
      }
    }
    const name = top.activation.procedure.name
    throw new ModelError('unbounded', name, `${name} calls for ever without performing an operation.`)
  }

  private intern(below: InternedCell | undefined, node: AutomatonNode): InternedCell {
    const siblings = below === undefined ? this.bottom : below.above
    let cell = siblings.get(node)
    if (cell === undefined) {
      cell = {
        node,
        below,
        height: below === undefined ? 1 : below.height + 1,
        above: new Map(),
        state: -1,
        atRest: false,
      }
      siblings.set(node, cell)
    }
    return cell
  }

  private number(cell: InternedCell): number {
    if (cell.state < 0) {
      if (this.cells.length >= MAX_CONTROL_STATES) {
        const name = cell.node.activation.procedure.name
        throw new ModelError(
          'unbounded',
          name,
          `a thread has more than ${MAX_CONTROL_STATES} control states; ${name} is one of the functions that it was in. Loops must be calls or tail calls, and responses should carry only what is used.`,
        )
      }
      cell.state = this.cells.push(cell) - 1
    }
    return cell.state
  }
}
