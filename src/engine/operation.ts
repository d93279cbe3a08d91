/**
 * What a thread of a system may ask the engine to do.
 *
 * A thread is written as an ordinary generator function. Each `yield*` of an atomic
 * operation is one indivisible step on the shared locations; whatever happens between two
 * yields is private to the thread and costs nothing. The engine resumes a generator only to
 * learn what it does next (see `automaton.ts`), so a generator must be a pure function of
 * its arguments and of the responses that it has been given.
 */

/** A value that can be compared by what it holds: the only kind allowed as argument or result of a call. */
export type Plain =
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [name: string]: Plain }

/**
 * The shared locations as one atomic operation sees them. The operation may read, write and
 * choose any number of times; other threads see all of it or nothing.
 */
export interface View {
  /** The thread that performs the operation: an index into the system's threads. */
  readonly thread: number
  get(location: number): number
  /** Throws if the value is outside the location's range. */
  set(location: number, value: number): void
  /** Any number from 0 to `n - 1`: the engine tries them all. */
  choose(n: number): number
  /** Makes this run end as a failure with a message, whatever the operation then returns. */
  fail(message: string): Response
}

/** What an operation tells the thread that performed it: a whole number from 0 up, or one of the two below. */
export type Response = number

/** Returned by an operation that cannot happen now: the thread waits, and the operation has no effect. */
export const BLOCKED: Response = -1

/** The response of an operation that failed; returned by `View.fail`. */
export const FAILED: Response = -2

/**
 * An atomic operation: a pure function of the context, its arguments and what it reads
 * through the view. A named function, since its name is what traces show.
 */
// biome-ignore lint/suspicious/noExplicitAny: an effect's parameters are its own affair; `atomic` ties them to the arguments.
export type Effect = (view: View, context: any, ...args: any[]) => Response

/** A generator function that threads can call; the context of the system is its first argument. */
// biome-ignore lint/suspicious/noExplicitAny: as for Effect; `call` ties the parameters to the arguments.
export type Procedure = (context: any, ...args: any[]) => Steps<Plain | void>

export interface AtomicRequest {
  readonly kind: 'atomic'
  readonly effect: Effect
  readonly args: readonly Plain[]
}

export type Request =
  | AtomicRequest
  | { readonly kind: 'call'; readonly procedure: Procedure; readonly args: readonly Plain[] }
  | { readonly kind: 'tail'; readonly procedure: Procedure; readonly args: readonly Plain[] }

/** The type of everything that a thread runs: yields requests, is sent responses, ends with a result. */
export type Steps<R> = Generator<Request, R, unknown>

/**
 * One atomic step.
 * @returns the effect's response, which should carry no more than the caller uses: states
 *   that differ only in a response that nobody looks at again are still different states.
 */
export function* atomic<C, A extends readonly Plain[]>(
  effect: (view: View, context: C, ...args: A) => Response,
  ...args: A
): Steps<number> {
  return (yield { kind: 'atomic', effect, args }) as number
}

/**
 * Calls a procedure as an activation of its own. When it returns, the caller remembers its
 * result and nothing else, so runs that differ only in how they got there become one state.
 */
export function* call<C, A extends readonly Plain[], R extends Plain | void>(
  procedure: (context: C, ...args: A) => Steps<R>,
  ...args: A
): Steps<R> {
  return (yield { kind: 'call', procedure: procedure as unknown as Procedure, args }) as R
}

/**
 * Calls a procedure in place of the caller, which is forgotten: how loops and retries are
 * written, so that they come back to a state seen before. Use as `return yield* tail(…)`.
 */
export function* tail<C, A extends readonly Plain[], R extends Plain | void>(
  procedure: (context: C, ...args: A) => Steps<R>,
  ...args: A
): Steps<R> {
  return (yield { kind: 'tail', procedure: procedure as unknown as Procedure, args }) as R
}

/** One step that picks a number from 0 to `n - 1`; the engine tries them all. */
export function* choose(n: number): Steps<number> {
  return yield* atomic(choose_, n)
}

function choose_(view: View, _context: unknown, n: number): Response {
  return view.choose(n)
}

/** Any one of some things, within an operation: the engine tries them all. There must be at least one. */
export function pick<T>(view: View, from: readonly T[]): T {
  return from[from.length === 1 ? 0 : view.choose(from.length)]!
}

/** Ends the run as a failure unless `condition` holds; costs no step when it does. */
export function* assert(condition: boolean, message: string): Steps<void> {
  if (!condition) yield* atomic(fail, message)
}

function fail(view: View, _context: unknown, message: string): Response {
  return view.fail(message)
}
