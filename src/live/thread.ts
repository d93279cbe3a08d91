/**
 * A live thread: runs a generator of steps by performing each of them on shared memory.
 *
 * A call runs the called generator to its end and goes on with its result; a tail call takes the
 * caller's place. A step that cannot happen yet puts the thread to sleep until a location that the step
 * has read is written.
 */
import {
  BLOCKED,
  type Effect,
  type Plain,
  type Procedure,
  type Request,
  type Response,
  type Steps,
} from '../engine/index.ts'
import { type Arena, ASLEEP, AWAKE, RUNNING, wakeWord } from './arena.ts'
import { Aborted } from './error.ts'
import type { Transaction } from './transaction.ts'

/** How often a step that cannot happen is looked at again before the thread goes to sleep. */
const SPINS = 50
/** How long a thread sleeps at most before it looks up, in milliseconds. */
const LOOK_UP_MS = 50

export interface ThreadOptions {
  /** Called before each step. */
  readonly beforeStep?: (effect: Effect) => void
  /** Called after each step with what it did, and at the beginning of each call. */
  readonly observe?: (done: Effect | Procedure, args: readonly Plain[]) => void
  /** Called when no thread is left that could wake this one. Not all may notice. */
  readonly onDeadlock?: () => void
}

export class LiveThread {
  constructor(
    private readonly arena: Arena,
    private readonly transaction: Transaction,
    private readonly context: unknown,
    private readonly options: ThreadOptions = {},
  ) {}

  /**
   * Runs a procedure to its end.
   * @returns its result
   * @throws Aborted, LiveFailure, and whatever the procedure throws
   */
  run(procedure: Procedure, args: readonly Plain[]): Plain | void {
    const callers: Steps<Plain | void>[] = []
    let steps = procedure(this.context, ...args)
    let answer: Plain | void
    for (;;) {
      const { done, value } = steps.next(answer) as IteratorResult<Request, Plain | void>
      if (done) {
        const caller = callers.pop()
        if (caller === undefined) return value
        steps = caller
        answer = value
        continue
      }
      switch (value.kind) {
        case 'atomic':
          answer = this.step(value)
          break
        case 'call':
          this.options.observe?.(value.procedure, value.args)
          callers.push(steps)
          steps = value.procedure(this.context, ...value.args)
          answer = undefined
          break
        case 'tail':
          this.options.observe?.(value.procedure, value.args)
          steps = value.procedure(this.context, ...value.args)
          answer = undefined
          break
      }
    }
  }

  private step({ effect, args }: Request & { kind: 'atomic' }): Response {
    const { arena, transaction, context, options } = this
    options.beforeStep?.(effect)
    for (let spins = 0; ; spins++) {
      if (arena.aborted) throw new Aborted()
      const response = transaction.perform(effect, context, args)
      if (response !== BLOCKED) {
        options.observe?.(effect, args)
        return response
      }
      if (spins >= SPINS) this.sleep()
    }
  }

  /** Sleeps until something that the step has read is written, or all are to stop. */
  private sleep(): void {
    const { arena, transaction } = this
    const { thread } = transaction
    const { wake, waiters, control } = arena
    const at = wakeWord(thread)
    Atomics.store(wake, at, ASLEEP)
    transaction.eachRead((location) => Atomics.or(waiters, location, 1 << thread))
    // Who writes from now on sees the bits; who wrote before has changed a version.
    if (!transaction.unchanged() || arena.aborted) {
      if (Atomics.compareExchange(wake, at, ASLEEP, AWAKE) === AWAKE) Atomics.sub(control, RUNNING, 1)
      return
    }
    // Who wakes a thread counts it as running from then on, so the last one that is left is stuck.
    if (Atomics.sub(control, RUNNING, 1) === 1) this.options.onDeadlock?.()
    while (Atomics.load(wake, at) === ASLEEP) {
      Atomics.wait(wake, at, ASLEEP, LOOK_UP_MS)
      arena.onWait?.()
    }
  }
}
