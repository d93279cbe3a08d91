/**
 * Ctrl-C, and being asked to end: nothing ends without a word. A command that has something to say of what
 * it has found listens too; this is for when there is none, or it has been asked twice.
 */
import { INTERRUPTED, TERMINATED } from './exit.ts'

type Signal = 'SIGINT' | 'SIGTERM'

const ENDS: Readonly<Record<Signal, { readonly code: number; readonly word: string }>> = {
  SIGINT: { code: INTERRUPTED, word: 'interrupted' },
  SIGTERM: { code: TERMINATED, word: 'terminated' },
}

/** To be called before anybody else listens: whoever does then is the one to decide. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) endAtOnce(signal, 'before the end')
    })
  }
}

/** The second Ctrl-C: whoever presses it does not want to wait. */
export function endImpatiently(): never {
  endAtOnce('SIGINT', 'a second time, so what was found is not printed')
}

function endAtOnce(signal: Signal, what: string): never {
  const { code, word } = ENDS[signal]
  // A line of progress may stand there.
  const clear = process.stderr.isTTY === true ? '\r\x1b[K' : ''
  process.stderr.write(`${clear}${word} ${what}\n`)
  process.exit(code)
}
