/**
 * A naive explorer, to check the engine against.
 *
 * It runs the generators themselves, on plain arrays, and keeps states as strings. Of the
 * engine it shares the types of requests and systems, and no code: what both of them say is
 * unlikely to be wrong in the same way.
 */
import type {
  Effect,
  Plain,
  Procedure,
  Request,
  Response,
  System,
  ThreadSpec,
  View,
} from '../src/engine/index.ts'

export interface NaiveResult {
  readonly states: number
  readonly transitions: number
  /** The memories in which a run can end, each as its bytes joined by commas. */
  readonly finals: ReadonlySet<string>
  /** Kind and message of everything that goes wrong, as `kind message`. */
  readonly failures: ReadonlySet<string>
  /** Steps of the shortest run to each member of `finals` and `failures`. */
  readonly distances: ReadonlyMap<string, number>
  /** Steps of the longest shortest run. */
  readonly depth: number
}

interface Activation {
  readonly procedure: Procedure
  readonly args: readonly Plain[]
  readonly responses: readonly Plain[]
}

/** A thread's activations, root first, the last with an atomic operation pending; empty when it has ended. */
interface Thread {
  readonly stack: readonly Activation[]
  readonly pending: { readonly effect: Effect; readonly args: readonly Plain[] } | undefined
}

interface State {
  readonly memory: readonly number[]
  readonly threads: readonly Thread[]
  readonly depth: number
}

/** The name of a memory in `NaiveResult.finals`. */
export function memoryKey(memory: Iterable<number>): string {
  return [...memory].join()
}

/**
 * Explores a system breadth first.
 * @throws Error if it has more than `maxStates` states
 */
export function naiveExplore(system: System, maxStates = 1_000_000): NaiveResult {
  const { context, layout } = system
  const procedureIds = new Map<Procedure, number>()
  const seen = new Set<string>()
  const queue: State[] = []
  const finals = new Set<string>()
  const failures = new Set<string>()
  const distances = new Map<string, number>()
  let transitions = 0

  const note = (set: Set<string>, key: string, depth: number): void => {
    set.add(key)
    distances.set(key, Math.min(depth, distances.get(key) ?? depth))
  }
  const holds = (check: System['invariant'], memory: readonly number[], depth: number): boolean => {
    const message = check?.({ get: (location) => memory[location]! })
    if (message !== undefined) note(failures, `invariant ${message}`, depth)
    return message === undefined
  }
  const add = (state: State): void => {
    const threads = state.threads.map(({ stack }) => stackKey(stack, procedureIds))
    const key = text([state.memory, threads])
    if (seen.has(key)) return
    seen.add(key)
    queue.push(state)
    if (seen.size > maxStates) throw new Error(`more than ${maxStates} states`)
  }

  const memory = layout.locations.map(({ initial }) => initial)
  const threads = system.threads.map(({ procedure, args }) =>
    settle(context, [{ procedure, args, responses: [] }]),
  )
  if (holds(system.invariant, memory, 0)) add({ memory, threads, depth: 0 })
  else seen.add('the initial state')

  for (const state of queue) {
    let stuck = true
    state.threads.forEach(({ stack, pending }, thread) => {
      if (pending === undefined) return
      const top = stack.at(-1)!
      for (const { response, memory, failure } of runs(system, pending, thread, state.memory)) {
        if (failure !== undefined) note(failures, `failure ${failure}`, state.depth + 1)
        if (response !== -1) stuck = false
        if (failure !== undefined || response === -1) continue
        transitions++
        if (!holds(system.invariant, memory, state.depth + 1)) continue
        const answered = { ...top, responses: [...top.responses, response] }
        const next = settle(context, [...stack.slice(0, -1), answered])
        add({ memory, threads: state.threads.with(thread, next), depth: state.depth + 1 })
      }
    })
    if (system.threads.every((spec, i) => hasFinished(spec, state.threads[i]!))) {
      note(finals, memoryKey(state.memory), state.depth)
      holds(system.finalInvariant, state.memory, state.depth)
    } else if (stuck) {
      note(failures, 'deadlock no thread can go on', state.depth)
    }
    if (state.threads.every((thread) => isAtRest(context, thread, procedureIds))) {
      holds(system.restInvariant, state.memory, state.depth)
    }
  }
  return { states: seen.size, transitions, finals, failures, distances, depth: queue.at(-1)?.depth ?? 0 }
}

/**
 * What runs with at most `most` preemptions can end in and how they can fail. A state is looked at
 * once for each thread that ran last and each number of preemptions so far: no run is spared for
 * being like another.
 * @throws Error if that is more than `maxStates`
 */
export function naivePreemptions(
  system: System,
  most: number,
  maxStates = 1_000_000,
): Pick<NaiveResult, 'states' | 'finals' | 'failures'> {
  const ids = new Map<Procedure, number>()
  const finals = new Set<string>()
  const failures = new Set<string>()
  const states = new Set<string>()
  const seen = new Set<string>()
  const queue: { state: State; last: number | undefined; left: number }[] = []
  const broken = (check: System['invariant'], memory: readonly number[]): boolean => {
    const message = check?.({ get: (location) => memory[location]! })
    if (message !== undefined) failures.add(`invariant ${message}`)
    return message !== undefined
  }
  const add = (state: State, last: number | undefined, left: number): void => {
    const key = text([state.memory, state.threads.map(({ stack }) => stackKey(stack, ids))])
    states.add(key)
    const moment = text([key, last ?? null, left])
    if (seen.has(moment)) return
    seen.add(moment)
    queue.push({ state, last, left })
    if (seen.size > maxStates) throw new Error(`more than ${maxStates} states`)
  }

  const memory = system.layout.locations.map(({ initial }) => initial)
  const threads = system.threads.map(({ procedure, args }) =>
    settle(system.context, [{ procedure, args, responses: [] }]),
  )
  if (broken(system.invariant, memory)) states.add('the initial state')
  else add({ memory, threads, depth: 0 }, undefined, most)
  for (const { state, last, left } of queue) {
    const able = state.threads.map(({ pending }, thread) =>
      pending === undefined
        ? []
        : runs(system, pending, thread, state.memory).filter(({ response }) => response !== -1),
    )
    able.forEach((ways, thread) => {
      const preempts = last !== undefined && thread !== last && able[last]!.length > 0
      if (preempts && left === 0) return
      for (const { response, memory, failure } of ways) {
        if (failure !== undefined) failures.add(`failure ${failure}`)
        else if (!broken(system.invariant, memory)) {
          const { stack } = state.threads[thread]!
          const top = stack.at(-1)!
          const answered = { ...top, responses: [...top.responses, response] }
          const next = settle(system.context, [...stack.slice(0, -1), answered])
          const after = { memory, threads: state.threads.with(thread, next), depth: 0 }
          add(after, thread, preempts ? left - 1 : left)
        }
      }
    })
    if (system.threads.every((spec, i) => hasFinished(spec, state.threads[i]!))) {
      finals.add(memoryKey(state.memory))
      broken(system.finalInvariant, state.memory)
    } else if (able.every((ways) => ways.length === 0)) {
      failures.add('deadlock no thread can go on')
    }
    if (state.threads.every((thread) => isAtRest(system.context, thread, ids))) {
      broken(system.restInvariant, state.memory)
    }
  }
  return { states: states.size, finals, failures }
}

function hasFinished(spec: ThreadSpec, thread: Thread): boolean {
  return spec.daemon === true || thread.pending === undefined
}

/** Whether the thread's root procedure was the last to do anything. */
function isAtRest(context: unknown, { stack }: Thread, ids: Map<Procedure, number>): boolean {
  if (stack.length <= 1) return true
  return stackKey(settle(context, [stack[0]!]).stack, ids) === stackKey(stack, ids)
}

/** Follows calls, tail calls and returns until an atomic operation is pending. */
function settle(context: unknown, activations: readonly Activation[]): Thread {
  const stack = [...activations]
  while (stack.length > 0) {
    const { procedure, args, responses } = stack.at(-1)!
    const steps = procedure(context, ...args)
    let result: IteratorResult<Request, Plain | void> = steps.next()
    for (const response of responses) result = steps.next(response)
    if (result.done) {
      stack.pop()
      const caller = stack.pop()
      if (caller !== undefined)
        stack.push({ ...caller, responses: [...caller.responses, result.value as Plain] })
    } else {
      const request = result.value
      if (request.kind === 'atomic') return { stack, pending: request }
      if (request.kind === 'tail') stack.pop()
      stack.push({ procedure: request.procedure, args: request.args, responses: [] })
    }
  }
  return { stack, pending: undefined }
}

interface Run {
  readonly response: Response
  readonly memory: readonly number[]
  readonly failure: string | undefined
}

/** Everything that an operation can do in a memory, one run for each way to choose. */
function runs(
  system: System,
  { effect, args }: { readonly effect: Effect; readonly args: readonly Plain[] },
  thread: number,
  before: readonly number[],
): Run[] {
  const { locations } = system.layout
  const found: Run[] = []
  const todo: (readonly number[])[] = [[]]
  for (const choices of todo) {
    const memory = [...before]
    const made: number[] = []
    let failure: string | undefined
    const view: View = {
      thread,
      get: (location) => memory[location]!,
      set: (location, value) => {
        if (!(value >= 0 && value <= locations[location]!.max)) throw new RangeError(`value ${value}`)
        memory[location] = value
      },
      choose: (n) => {
        if (made.length >= choices.length) for (let i = 1; i < n; i++) todo.push([...made, i])
        made.push(choices[made.length] ?? 0)
        return made.at(-1)!
      },
      fail: (message) => {
        failure = message
        return -2
      },
    }
    const response = effect(view, system.context, ...args)
    found.push({ response, memory, failure })
  }
  return found
}

function stackKey(stack: readonly Activation[], ids: Map<Procedure, number>): string {
  return text(
    stack.map(({ procedure, args, responses }) => {
      if (!ids.has(procedure)) ids.set(procedure, ids.size)
      return [ids.get(procedure)!, args, responses]
    }),
  )
}

function text(value: unknown): string {
  return JSON.stringify(value, (_name, part) => (part === undefined ? 'undefined' : part))
}
