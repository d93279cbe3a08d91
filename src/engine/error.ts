/** What the engine throws when the model that it was given cannot be explored. */

export type ModelFault =
  /** A generator or an operation that is not a pure function of what it was told. */
  | 'impure'
  /** A generator that threw. */
  | 'threw'
  /** An automaton, a stack or a table that grew past its limit. */
  | 'unbounded'
  /** A generator that took too long between two operations. */
  | 'slow'
  /** An operation that tells interchangeable things apart by their numbers. */
  | 'asymmetric'

/** A mistake in the model, never in the engine: the message names the function and says what to do. */
export class ModelError extends Error {
  constructor(
    readonly fault: ModelFault,
    /** The name of the generator or effect at fault. */
    readonly procedure: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ModelError'
  }
}
