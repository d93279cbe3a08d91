/**
 * Learned automata: what a generator does, found out by running it.
 *
 * A deterministic generator is a function from the responses that it has been given to its
 * next request. For each activation (procedure, arguments) this file keeps the tree of
 * response histories seen so far; each node holds the request pending there. A generator
 * runs again only for a history that is new, always from its beginning; every
 * request on the way is compared with the recorded one: a generator that looks at anything
 * but its arguments and responses is caught here.
 */
import { ModelError } from './error.ts'
import type { Effect, Plain, Procedure, Request } from './operation.ts'

/** What is pending at a node: a request, or the result with which the activation ended. */
export type Pending = Request | { readonly kind: 'return'; readonly value: Plain }

export interface Activation {
  readonly procedure: Procedure
  readonly args: readonly Plain[]
  nodes: number
}

export interface AutomatonNode {
  readonly id: number
  readonly activation: Activation
  readonly pending: Pending
  /** The node before and the response that led here; undefined at the start. */
  readonly parent: AutomatonNode | undefined
  readonly response: Plain
  /** How many responses the activation has been given. */
  readonly depth: number
  /** By the key of a response, the node after it. */
  readonly edges: Map<number | string, AutomatonNode>
  /** Where the activation begins that a pending call or tail call makes, once it is known. */
  callee: AutomatonNode | undefined
}

export interface AutomatonLimits {
  /** Longest history of one activation, in responses. */
  readonly history: number
  /** Most nodes of one activation. */
  readonly nodes: number
  /** Longest replay, in milliseconds. */
  readonly replayMs: number
}

/** Far above what a bounded procedure needs (the deepest so far has 40), far below what memory can hold. */
export const AUTOMATON_LIMITS: AutomatonLimits = { history: 400, nodes: 50_000, replayMs: 2_000 }

/** How often a generator may take long before it is called slow. */
const ATTEMPTS = 3

/** A text that is equal for equal plain values; `undefined` differs from `null`. */
export function plainKey(value: Plain): string {
  if (typeof value === 'number') return String(value)
  return (
    JSON.stringify(value, (_name, part) => (part === undefined ? '\u0000undefined' : part)) ?? 'undefined'
  )
}

/** What responses are told apart by: most are numbers, which need no text. */
function responseKey(response: Plain): number | string {
  return typeof response === 'number' ? response : plainKey(response)
}

/** Whether two plain values hold the same. */
function samePlain(a: Plain, b: Plain): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((part, i) => samePlain(part, b[i]))
  }
  const [left, right] = [a, b] as Record<string, Plain>[]
  const names = Object.keys(left!)
  if (Array.isArray(b) || names.length !== Object.keys(right!).length) return false
  return names.every((name) => Object.hasOwn(right!, name) && samePlain(left![name], right![name]))
}

function samePending(a: Pending, b: Pending): boolean {
  if (a.kind === 'return' || b.kind === 'return') {
    return a.kind === 'return' && b.kind === 'return' && samePlain(a.value, b.value)
  }
  return a.kind === b.kind && targetOf(a) === targetOf(b) && samePlain(a.args, b.args)
}

function targetOf(request: Request): Effect | Procedure {
  return request.kind === 'atomic' ? request.effect : request.procedure
}

/** Freezes a plain value all the way down, so that no generator can use it as hidden state. */
export function freeze<T extends Plain>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part as Plain)
  }
  return value
}

export class Automata {
  private readonly activations = new Map<Procedure, Map<string, AutomatonNode>>()
  /** How many nodes and replays there have been: what learning cost. */
  nodes = 0
  replays = 0
  /** Called before a generator or an effect runs, with its name: a watchdog's heartbeat. */
  onReplay: ((procedure: string) => void) | undefined
  /** Called when it has come back: what is done from here on is no model's doing. */
  onReplayed: (() => void) | undefined

  constructor(
    private readonly context: unknown,
    private readonly limits: AutomatonLimits = AUTOMATON_LIMITS,
  ) {}

  /** Whether any thread has called the procedure. */
  called(procedure: Procedure): boolean {
    return this.activations.has(procedure)
  }

  /** The node at which an activation begins. */
  start(procedure: Procedure, args: readonly Plain[]): AutomatonNode {
    let byArgs = this.activations.get(procedure)
    if (byArgs === undefined) {
      byArgs = new Map()
      this.activations.set(procedure, byArgs)
    }
    const key = plainKey(args)
    let node = byArgs.get(key)
    if (node === undefined) {
      const activation: Activation = { procedure, args: freeze(args), nodes: 0 }
      node = this.learn(activation, undefined, undefined)
      byArgs.set(key, node)
    }
    return node
  }

  /** The node at which the activation begins that the pending call or tail call of `node` makes. */
  callee(node: AutomatonNode): AutomatonNode {
    const { pending } = node
    if (pending.kind !== 'call' && pending.kind !== 'tail') throw new Error('no call is pending')
    node.callee ??= this.start(pending.procedure, pending.args)
    return node.callee
  }

  /** The node after `node` when its pending request is answered with `response`. */
  next(node: AutomatonNode, response: Plain): AutomatonNode {
    const key = responseKey(response)
    let next = node.edges.get(key)
    if (next === undefined) {
      next = this.learn(node.activation, node, freeze(response))
      node.edges.set(key, next)
    }
    return next
  }

  /**
   * Runs all generators again, in their longest histories.
   * @throws ModelError if one does something else
   */
  recheck(): void {
    for (const byArgs of this.activations.values()) {
      for (const start of byArgs.values()) this.recheckFrom(start)
    }
  }

  private recheckFrom(start: AutomatonNode): void {
    const waiting = [start]
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      waiting.push(...node.edges.values())
      if (node.edges.size > 0) continue
      const { activation, parent, response, depth, pending } = node
      const again = this.replay(activation, parent, response)
      if (!samePending(again, pending)) throw impure(activation.procedure.name, depth, pending, again)
    }
  }

  private learn(activation: Activation, parent: AutomatonNode | undefined, response: Plain): AutomatonNode {
    const name = activation.procedure.name
    const depth = parent === undefined ? 0 : parent.depth + 1
    if (depth > this.limits.history) {
      throw new ModelError(
        'unbounded',
        name,
        `${name} has made ${depth} steps in one activation. A loop over shared state must be a call or a tail call, so that it comes back to a state seen before.`,
      )
    }
    if (++activation.nodes > this.limits.nodes) {
      throw new ModelError(
        'unbounded',
        name,
        `${name} has more than ${this.limits.nodes} different histories. Let it use less of each response, or move parts of it into procedures that it calls.`,
      )
    }
    const pending = this.replay(activation, parent, response)
    if (pending.kind === 'return' || pending.kind === 'tail') {
      // Nothing comes after it, so no later replay will compare it: that is done here.
      const again = this.replay(activation, parent, response)
      if (!samePending(again, pending)) throw impure(name, depth, pending, again)
    }
    const edges = new Map<number | string, AutomatonNode>()
    return { id: this.nodes++, activation, pending, parent, response, depth, edges, callee: undefined }
  }

  /** Runs a generator from its beginning; anew if that took long, since the machine may have been busy. */
  private replay(activation: Activation, parent: AutomatonNode | undefined, response: Plain): Pending {
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const pending = this.replayOnce(activation, parent, response, false)
      if (pending !== undefined) return pending
    }
    return this.replayOnce(activation, parent, response, true)!
  }

  /** Undefined if it took too long and this is not the last attempt. */
  private replayOnce(
    activation: Activation,
    parent: AutomatonNode | undefined,
    response: Plain,
    last: boolean,
  ): Pending | undefined {
    const { procedure, args } = activation
    const path: AutomatonNode[] = []
    for (let node = parent; node !== undefined; node = node.parent) path.push(node)
    path.reverse()

    this.replays++
    this.onReplay?.(procedure.name)
    const deadline = Date.now() + this.limits.replayMs
    const steps = this.run(procedure.name, () => procedure(this.context, ...args))
    let result = this.run(procedure.name, () => steps.next())
    for (let i = 0; i < path.length; i++) {
      const node = path[i]!
      const pending = pendingOf(result, procedure.name)
      if (!samePending(pending, node.pending)) {
        throw impure(procedure.name, i, node.pending, pending)
      }
      const answer = i + 1 < path.length ? path[i + 1]!.response : response
      result = this.run(procedure.name, () => steps.next(answer))
      if (Date.now() > deadline) {
        if (!last) return undefined
        throw new ModelError(
          'slow',
          procedure.name,
          `${procedure.name} needs more than ${this.limits.replayMs} ms for ${i + 1} steps. What it does between two steps must be short.`,
        )
      }
    }
    const pending = pendingOf(result, procedure.name)
    checkPlain(pending.kind === 'return' ? pending.value : pending.args, pending, procedure.name)
    if (pending.kind !== 'return') freeze(pending.args)
    else freeze(pending.value)
    this.onReplayed?.()
    return pending
  }

  private run<T>(name: string, step: () => T): T {
    try {
      return step()
    } catch (cause) {
      if (cause instanceof ModelError) throw cause
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new ModelError('threw', name, `${name} threw: ${message}`, { cause })
    }
  }
}

function pendingOf(result: IteratorResult<Request, Plain | void>, name: string): Pending {
  if (result.done) return { kind: 'return', value: result.value as Plain }
  const request = result.value as Partial<Request> | null | undefined
  const known = request?.kind === 'atomic' || request?.kind === 'call' || request?.kind === 'tail'
  if (!known || typeof targetOf(result.value) !== 'function' || !Array.isArray(result.value.args)) {
    throw new ModelError(
      'threw',
      name,
      `${name} yielded what is no request. Only atomic, call, tail and what is made of them may be yielded, with "yield*".`,
    )
  }
  return result.value
}

/** Deepest nesting of a plain value: far more than any has, and less than recursion can bear. */
const MAX_NESTING = 100

/** @throws ModelError if a value is none that can be compared by what it holds */
function checkPlain(value: unknown, where: Pending, name: string): void {
  const wrong = unplain(value, 0)
  if (wrong === undefined) return
  const target = where.kind === 'return' ? 'returns' : `passes to ${targetOf(where).name}`
  throw new ModelError(
    'threw',
    name,
    `${name} ${target} ${wrong}. Only numbers, strings, booleans, null, undefined, and lists and plain objects of them can be told apart.`,
  )
}

/** What keeps a value from being plain, in words. */
function unplain(value: unknown, nesting: number): string | undefined {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value !== 'object' || value === null) return undefined
  if (nesting === MAX_NESTING) return 'a value that contains itself, or is nested too deeply'
  const prototype = Object.getPrototypeOf(value)
  const plain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null
  if (!plain) return `a ${prototype.constructor?.name ?? 'special object'}`
  for (const part of Object.values(value)) {
    const wrong = unplain(part, nesting + 1)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function impure(name: string, step: number, before: Pending, now: Pending): ModelError {
  return new ModelError(
    'impure',
    name,
    `${name} did something else when it was run again with the same responses: its step ${step + 1} was ${describe(before)} and is now ${describe(now)}. It must depend on nothing but its arguments and the responses it is given, and call no function that it made itself.`,
  )
}

/** A pending request as a person would write it. */
export function describe(pending: Pending): string {
  if (pending.kind === 'return') return `return ${plainKey(pending.value)}`
  const name = pending.kind === 'atomic' ? pending.effect.name : pending.procedure.name
  return `${pending.kind === 'tail' ? 'tail ' : ''}${name}(${pending.args.map(plainKey).join(', ')})`
}
