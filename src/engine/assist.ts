/** What a thread does that another one has called for help with an exploration. */
import { ModelError } from './error.ts'
import { type ErrorNote, Hand } from './hand.ts'
import { AT_WORK, GO, HALT_ERROR, JOINED, MAX_HANDS, OVER, type Share } from './share.ts'
import type { System } from './system.ts'

export interface AssistHooks {
  /** Called before a generator runs to be learned from, with its name: a watchdog's heartbeat. */
  readonly onReplay?: (procedure: string) => void
  /** Called when that generator has come back. */
  readonly onReplayed?: () => void
  /** Called now and then by a thread that is well. */
  readonly onPortion?: () => void
}

/**
 * Explores together with the thread that made `share`, until that exploration is over. Errors
 * are told to that thread.
 * @param system what that thread explores: built anew, by the same code from the same things
 */
export function assist(system: System, share: Share, hooks: AssistHooks = {}): void {
  const { onReplay, onReplayed, onPortion } = hooks
  const control = new Int32Array(share.control)
  if (Atomics.load(control, OVER) === 1) return
  const hand = new Hand(system, share, onReplay)
  hand.learned.automata.onReplayed = onReplayed
  onPortion?.()
  const index = Atomics.add(control, JOINED, 1) + 1
  if (index >= MAX_HANDS) throw new RangeError(`more than ${MAX_HANDS} threads explore together`)
  hand.join(index)
  Atomics.notify(control, JOINED)
  const go = GO + 16 * index
  let level = 0
  for (;;) {
    while (Atomics.load(control, go) === level) {
      if (Atomics.load(control, OVER) === 1) return
      Atomics.wait(control, go, level, 1000)
    }
    level = Atomics.load(control, go)
    try {
      hand.work(Number.POSITIVE_INFINITY, onPortion)
    } catch (error) {
      hand.halt(HALT_ERROR)
      hand.note({ error: noteOf(error) })
    } finally {
      // Whatever happens, nobody may wait for this thread any more.
      if (Atomics.sub(control, AT_WORK, 1) === 1) Atomics.notify(control, AT_WORK)
    }
    onPortion?.()
  }
}

export function noteOf(error: unknown): ErrorNote {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack, cause } = error
  return {
    ...{ name, message, stack },
    ...(error instanceof ModelError && { fault: error.fault, procedure: error.procedure }),
    ...(cause !== undefined && { cause: noteOf(cause) }),
  }
}

/** The error that another thread met. */
export function errorFrom(note: ErrorNote): Error {
  const { name, message, stack, fault, procedure } = note
  const options = note.cause === undefined ? {} : { cause: errorFrom(note.cause) }
  const error =
    fault === undefined
      ? new Error(message, options)
      : new ModelError(fault as ModelError['fault'], procedure!, message, options)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
