/**
 * Traces: the run to a state, step by step, as it ran.
 *
 * States remember only the state before them, so each step is found again by trying the
 * successors of one state until one of them is the next.
 */
import type { AutomatonNode } from './automaton.ts'
import type { StackCell } from './control.ts'
import { DONE } from './control.ts'
import { CHOOSE, FAIL, LEAF, READ } from './decision.ts'
import type { FailedRun } from './exploration.ts'
import type { Effect, Plain, Procedure } from './operation.ts'
import { wayBetween } from './runs.ts'
import type { States } from './search.ts'
import { Stepper } from './stepper.ts'

/** One activation on a thread's stack. */
export interface Frame {
  readonly procedure: Procedure
  readonly args: readonly Plain[]
  /** How many of its operations and calls have been answered: how far it has come. */
  readonly position: number
}

/** What a thread that has not ended would do next. */
export interface Pending {
  readonly thread: number
  readonly effect: Effect
  readonly args: readonly Plain[]
  /** The thread's activations, outermost first. */
  readonly stack: readonly Frame[]
}

export interface Change {
  readonly location: number
  readonly before: number
  readonly after: number
}

/** One atomic step of a run. */
export interface Step {
  readonly thread: number
  readonly effect: Effect
  readonly args: readonly Plain[]
  /** The thread's activations while it performs the step, outermost first. */
  readonly stack: readonly Frame[]
  /** The activations afterwards; empty when the thread has ended. */
  readonly stackAfter: readonly Frame[]
  /** Whether the first `k` activations are still the same ones afterwards. */
  readonly kept: number
  /** What it looked at, in order. */
  readonly reads: readonly { readonly location: number; readonly value: number }[]
  readonly changes: readonly Change[]
  /** Set if this step is a failure. */
  readonly failure: string | undefined
}

export interface Trace {
  readonly initial: Uint8Array
  readonly steps: readonly Step[]
}

interface Successor {
  readonly thread: number
  readonly control: number
  readonly reads: { location: number; value: number }[]
  readonly writes: { location: number; value: number }[]
  readonly failure: string | undefined
}

/** The run by which a search first came to a state; after a breadth-first one, a shortest. */
export function traceTo(search: States, state: number): Trace {
  return traceThrough(asRan(search, state))
}

/** The run that was first seen to fail in this way, with the failing step at its end. */
export function traceOfFailure(search: States, failed: FailedRun): Trace {
  const ran = asRan(search, failed.state)
  const trace = traceThrough(ran)
  if (failed.step === undefined) return trace
  const { thread, alternative } = failed.step
  const successors = successorsOf(ran.states, ran.state, thread)
  // As it ran, things may have other numbers, and so the alternatives another order.
  const fails = (successor: Successor): boolean => failureOf(ran.states, ran.state, successor) !== undefined
  const isIt = (successor: Successor): boolean =>
    failureOf(ran.states, ran.state, successor) === failed.message
  const successor = isIt(successors[alternative]!)
    ? successors[alternative]!
    : (successors.find(isIt) ?? successors.find(fails)!)
  return { initial: trace.initial, steps: [...trace.steps, stepOf(ran.states, ran.state, successor)] }
}

/** What each thread that has not ended would do next in a state; in a deadlock, what it waits for. */
export function pendingIn(search: States, at: number): Pending[] {
  const { states, state } = asRan(search, at)
  return states.learned.controls.flatMap((controls, thread) => {
    const control = states.controlOf(state, thread)
    if (control === DONE) return []
    const { effect, args } = controls.operation(control)
    return [{ thread, effect, args, stack: cellsOf(controls.stack(control)).map(frameOf) }]
  })
}

/** Every step that can come next in a state, of every thread. */
export function stepsFrom(search: States, at: number): Step[] {
  const { states, state } = asRan(search, at)
  return states.learned.controls.flatMap((_, thread) =>
    successorsOf(states, state, thread).map((successor) => stepOf(states, state, successor)),
  )
}

/** A state among states that are as they ran. */
interface Ran {
  readonly states: States
  readonly state: number
}

function asRan(search: States, state: number): Ran {
  const run = search.concrete?.(state)
  return run === undefined ? { states: search, state } : { states: run, state: run.count - 1 }
}

function traceThrough({ states, state }: Ran): Trace {
  const path = [state]
  for (let s = state; s !== 0; path.push(s)) s = states.parentOf(s)
  path.reverse()
  const stepper = new Stepper(states.learned, states.memories)
  const steps: Step[] = []
  for (let i = 1; i < path.length; i++) {
    const from = path[i - 1]!
    const [thread, way] = wayBetween(states, stepper, from, path[i]!)
    steps.push(stepOf(states, from, successorsOf(states, from, thread)[way]!))
  }
  return { initial: states.memories.copy(states.memoryOf(0)), steps }
}

/** What is wrong with a step: its own failure, or that the invariant does not hold afterwards. */
function failureOf(states: States, from: number, successor: Successor): string | undefined {
  if (successor.failure !== undefined) return successor.failure
  const memory = states.memories.copy(states.memoryOf(from))
  for (const { location, value } of successor.writes) memory[location] = value
  return states.learned.system.invariant?.({ get: (location) => memory[location]! })
}

/** What one thread can do in a state: one successor for each alternative, in the stepper's order. */
function successorsOf(states: States, state: number, thread: number): Successor[] {
  const control = states.controlOf(state, thread)
  if (control === DONE) return []
  const memory = states.memoryOf(state)
  const bytes = states.memories.copy(memory)
  const successors: Successor[] = []

  const walk = (slot: number, reads: Successor['reads']): void => {
    if (states.learned.trees.code[slot] === 0)
      states.learned.learn(thread, control, (location) => bytes[location]!)
    const { code, messages } = states.learned.trees
    const record = code[slot]!
    const operand = code[record + 1]!
    switch (code[record]) {
      case READ: {
        const value = bytes[operand]!
        walk(record + 2 + value, [...reads, { location: operand, value }])
        break
      }
      case CHOOSE:
        for (let i = 0; i < operand; i++) walk(record + 2 + i, reads)
        break
      case LEAF: {
        const writes = []
        for (let i = 0; i < code[record + 2]!; i++) {
          writes.push({ location: code[record + 3 + 2 * i]!, value: code[record + 4 + 2 * i]! })
        }
        successors.push({ thread, control: operand, reads, writes, failure: undefined })
        break
      }
      case FAIL:
        successors.push({ thread, control: DONE, reads, writes: [], failure: messages[operand]! })
        break
    }
  }
  walk(states.learned.rootOf(thread, control), [])
  return successors
}

function stepOf(states: States, from: number, successor: Successor): Step {
  const { thread, control } = successor
  const controls = states.learned.controls[thread]!
  const pending = states.controlOf(from, thread)
  const { effect, args } = controls.operation(pending)
  const before = cellsOf(controls.stack(pending))
  const after = control === DONE ? [] : cellsOf(controls.stack(control))
  const bytes = states.memories.copy(states.memoryOf(from))
  return {
    thread,
    effect,
    args,
    stack: before.map(frameOf),
    stackAfter: after.map(frameOf),
    kept: keptBetween(before, after),
    reads: successor.reads,
    changes: successor.writes
      .map(({ location, value }) => ({ location, before: bytes[location]!, after: value }))
      .filter((change) => change.before !== change.after),
    failure: successor.failure,
  }
}

/** A stack's cells, outermost first. */
function cellsOf(top: StackCell): StackCell[] {
  const cells: StackCell[] = []
  for (let cell: StackCell | undefined = top; cell !== undefined; cell = cell.below) cells.unshift(cell)
  return cells
}

function frameOf(cell: StackCell): Frame {
  const { activation, depth } = cell.node
  return { procedure: activation.procedure, args: activation.args, position: depth }
}

/**
 * How many activations, from the outermost, live on through a step: those whose pending call
 * is the same, and the first that moved on to a later node of the same activation.
 */
function keptBetween(before: readonly StackCell[], after: readonly StackCell[]): number {
  let kept = 0
  while (kept < before.length && kept < after.length) {
    const a = before[kept]!.node
    const b = after[kept]!.node
    if (a !== b) return isLater(b, a) ? kept + 1 : kept
    kept++
  }
  return kept
}

function isLater(node: AutomatonNode, than: AutomatonNode): boolean {
  for (let n = node.parent; n !== undefined; n = n.parent) if (n === than) return true
  return false
}
