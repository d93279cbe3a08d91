/**
 * How many states a search that runs may come to: what its levels tell, and while that is no more than a lower
 * end, what a look ahead tells.
 */
import { type Estimate, type Exploration, estimateStates, ModelError, type System } from '../engine/index.ts'
import { expectStates } from './expect_states.ts'
import { progressOf, type Watching } from './watched.ts'

/** What is over before that needs no guess. */
const WORTH_A_LOOK_MS = 1_500
/** Takes about a second, and must not take for ever. */
const LOOKED_AT = { states: 200_000, milliseconds: 5_000 }

const UNKNOWN: Estimate = { low: 0, high: Number.POSITIVE_INFINITY }

export class Outlook {
  private ahead: Estimate | undefined

  /** @param system that is searched; undefined if a look ahead is not wanted */
  constructor(
    private readonly system: System | undefined,
    private readonly watching: Watching,
  ) {}

  /** What is to be expected of a search that has come so far; undefined if nobody can tell. Once this takes a second. */
  expect(soFar: Exploration): Estimate | undefined {
    const { level, states, milliseconds } = soFar
    // Only a search of all states, level by level, comes to as many as are guessed.
    if (level === undefined) return undefined
    const told = estimateStates(level)
    if (this.system === undefined || milliseconds < WORTH_A_LOOK_MS) return told
    if (told === undefined || told.high === Number.POSITIVE_INFINITY) {
      this.ahead ??= this.lookAhead(this.system, soFar)
    }
    // A look ahead that is overtaken by what has been found was wrong.
    if (this.ahead === undefined || this.ahead.high < states) return told
    return narrower(told, { low: Math.max(states, this.ahead.low), high: this.ahead.high })
  }

  /** Meanwhile whoever watches sees the search where it is. Nothing that goes wrong here says anything of the search. */
  private lookAhead(system: System, soFar: Exploration): Estimate {
    const { watch, ...watching } = this.watching
    const meanwhile = watch && (() => watch(progressOf(soFar, undefined)))
    const options = { ...watching, watch: meanwhile, recheck: false, limits: LOOKED_AT }
    try {
      return expectStates(system, options)?.states ?? UNKNOWN
    } catch (error) {
      if (error instanceof ModelError) return UNKNOWN
      throw error
    }
  }
}

function narrower(one: Estimate | undefined, other: Estimate): Estimate {
  const width = ({ low, high }: Estimate): number => high / low
  if (one === undefined || width(other) < width(one)) return other
  // Of two lower ends without upper ones the higher one says more.
  return one.high === Number.POSITIVE_INFINITY && other.low > one.low ? other : one
}
