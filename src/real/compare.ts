/** What a kernel did, beside what the design that stands for it allows. */
import type { Litmus } from '../litmus/ast.ts'
import { lineNumber } from '../litmus/diagnostic.ts'
import type { Copies, Observed, Seen } from './observed.ts'

export interface Allowed {
  readonly keys: readonly string[]
  /** Whether these are all; if not, what else was seen may be allowed, too. */
  readonly exhaustive: boolean
  /** How many pages may be copied in runs to each outcome; undefined if that is not known. */
  readonly copies: Readonly<Record<string, readonly number[]>> | undefined
}

/**
 * `agrees`: all that was seen is allowed. `idle`: so it is, but the kernel did in no run all that it was asked to and
 * need not do. `differs`: something that was seen is not allowed. `skipped`: nothing was run. `undecided`: the runs did
 * not come to their end, or nobody knows what is allowed.
 */
export type Agreement = 'agrees' | 'idle' | 'differs' | 'skipped' | 'undecided'

export interface Comparison {
  readonly observed: Observed
  readonly agreement: Agreement
  /** What was seen and is not allowed. */
  readonly forbidden: readonly Seen[]
  /** Numbers of copies that were seen, with an outcome that is allowed, and that are not allowed with it. */
  readonly strangeCopies: readonly { readonly seen: Seen; readonly copies: Copies }[]
  /** What is allowed and was not seen, which says nothing of whether it can happen. */
  readonly unseen: readonly string[]
  readonly allowed: Allowed
  /** In how many runs the kernel did all that it was asked to do and need not do; undefined if there is no such thing. */
  readonly effective: number | undefined
}

/**
 * The tests as which a test may be judged: as it stands, and, for runs in which the kernel did not do what a
 * statement asks for and it need not do, without that statement.
 *
 * @returns for each line of the histogram, the sets of lines whose statements may be left out
 */
export function variantsOf({ effects }: Seen): number[][] {
  const stayed = effects.filter(({ done }) => !done).map(({ line }) => line)
  return stayed.length === 0 ? [[]] : [[], stayed]
}

/** A test without the statements on some lines. */
export function without(test: Litmus, lines: readonly number[]): Litmus {
  if (lines.length === 0) return test
  const stays = (start: number): boolean => !lines.includes(lineNumber(test.source, start))
  return {
    ...test,
    processes: test.processes.map((process) => ({
      ...process,
      threads: process.threads.map((thread) => ({
        ...thread,
        statements: thread.statements.filter(
          ({ kind, span }) => !['pageout', 'reclaim', 'merge'].includes(kind) || stays(span.start),
        ),
      })),
    })),
  }
}

/**
 * Compares.
 * @param allowedFor what is allowed for a test without the statements on some lines, as `variantsOf` gives them
 */
export function compare(observed: Observed, allowedFor: (lines: readonly number[]) => Allowed): Comparison {
  const allowed = allowedFor([])
  const allowing = (seen: Seen): Allowed[] =>
    variantsOf(seen)
      .map(allowedFor)
      .filter(({ keys }) => keys.includes(seen.key))
  const isAllowed = (seen: Seen): boolean => allowing(seen).length > 0
  const strange = observed.seen.filter((seen) => !isAllowed(seen))
  const complete = observed.seen.every((seen) =>
    variantsOf(seen).every((lines) => allowedFor(lines).exhaustive),
  )
  const forbidden = complete ? strange : []
  const strangeCopies = observed.seen.flatMap((seen) =>
    seen.copies
      .filter((copies) => isAllowed(seen) && !allowing(seen).some((one) => mayCopy(one, seen.key, copies)))
      .map((copies) => ({ seen, copies })),
  )
  const unseen = allowed.keys.filter((key) => !observed.seen.some((seen) => seen.key === key))
  const effective = observed.seen.some(({ effects }) => effects.length > 0)
    ? observed.seen.reduce(
        (sum, { effects, times }) => sum + (effects.every(({ done }) => done) ? times : 0),
        0,
      )
    : undefined
  return {
    observed,
    agreement: strangeCopies.length > 0 ? 'differs' : agreementOf(observed, strange, complete, effective),
    forbidden,
    strangeCopies,
    unseen,
    allowed,
    effective,
  }
}

function mayCopy({ copies }: Allowed, key: string, { least, most }: Copies): boolean {
  return copies === undefined || (copies[key] ?? []).some((number) => least <= number && number <= most)
}

function agreementOf(
  { ending }: Observed,
  strange: readonly Seen[],
  complete: boolean,
  effective: number | undefined,
): Agreement {
  if (ending === 'skipped') return 'skipped'
  if (strange.length > 0) return complete ? 'differs' : 'undecided'
  if (ending !== 'done') return 'undecided'
  return effective === 0 ? 'idle' : 'agrees'
}
