/** How a command ends. */

export const OK = 0
/** An expectation was not met, or something is violated that nobody expected. */
export const SURPRISED = 1
/** The command could not be understood, or what it was given cannot be worked with. */
export const UNUSABLE = 2
/** Nothing is known of something, because this machine cannot do it: what test drivers take for a skip. */
export const SKIPPED = 77
/** Ctrl-C, as shells count it. */
export const INTERRUPTED = 130
/** Asked to end (SIGTERM), as shells count it. */
export const TERMINATED = 143

/** What was asked for cannot be done; the message says why, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Somebody pressed Ctrl-C; the message says what is missing because of it. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
}
