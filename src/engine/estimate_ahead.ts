/**
 * How many states a system has, guessed before it is explored, from those that runs with few preemptions
 * lead to (`preemptions.ts`).
 *
 * Few preemptions lead to nearly every place of one thread together with every place of another: a
 * combination of two places takes two of them at most, if nobody has to wait. What they do not lead to is most
 * combinations of all threads. So the guess is the number of combinations of control states any two of which
 * have been seen together, times the memories that there were on average with one combination. Where the threads of
 * a system act upon each other mostly in pairs that is near, and with each further preemption it comes nearer;
 * how near, the suite of litmus tests has told (`npm run bench:estimates-ahead`).
 *
 * The combinations are counted by Knuth's method: walk to some of them at random, choosing for one thread after the other
 * among what agrees with those before, and multiply how many there were to choose from (Knuth, Estimating the
 * efficiency of backtrack programs, Mathematics of Computation 29, 1975). For two threads that is exact.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Estimate } from './estimate.ts'
import { OutOfMemory } from './segments.ts'
import { Tuples } from './tuples.ts'
import type { Visited } from './visited.ts'

/** Walks to combinations, in all; about. */
const WALKS = 20_000

// How many times as many states as guessed there are: at least, and at most times a power of what the guess has grown by. One
// preemption is not even enough for each pair of places.
const LEAST = 0.8
const MOST_AFTER_ONE = { times: 3, power: 0.5 }
const MOST_AFTER_MORE = { times: 1.05, power: 1.5 }
/** A range wider than that is none: only its lower end is worth saying. */
const WIDEST = 14

/** Bytes for what has been seen together. */
const MOST_BYTES = 2 ** 28

/**
 * About how many states there are. Guesses grow with each preemption, and mostly by less than with the one
 * before, so the last growth tells what is still to come.
 * @param preemptions with which runs the last guess was made, from 1 up
 * @param before the guess with one fewer
 */
export function estimateAhead(preemptions: number, before: number, last: number): Estimate {
  const growth = Math.max(1, last / before)
  const { times, power } = preemptions === 1 ? MOST_AFTER_ONE : MOST_AFTER_MORE
  const most = times * growth ** power
  return { low: last * LEAST, high: most / LEAST > WIDEST ? Number.POSITIVE_INFINITY : last * most }
}

/**
 * About how many states there are in all, as the first `states` of them tell.
 * @throws OutOfMemory if threads have been seen at too many places
 */
export function guessFrom(visited: Visited, threads: number, states: number): number {
  const pairs = new Pairs(visited, threads, states)
  return pairs.countCombinations() * (states / pairs.seen)
}

/** Which control states of two threads have been seen together. */
class Pairs {
  /** Combinations of control states of all threads that have been seen. */
  readonly seen: number
  /** By thread: how many control states have been seen. */
  private readonly sizes: readonly number[]
  /** By thread and a later one: a row for each control state of the first, with 1 for those of the other. */
  private readonly together: readonly (readonly Uint8Array[])[]

  constructor(
    visited: Visited,
    private readonly threads: number,
    states: number,
  ) {
    const places = Array.from({ length: threads }, () => new Map<number, number>())
    const combinations = new Tuples(threads)
    const combination = new Int32Array(threads)
    for (let state = 0; state < states; state++) {
      for (let thread = 0; thread < threads; thread++) {
        const control = visited.controlOf(state, thread)
        const known = places[thread]!
        if (!known.has(control)) known.set(control, known.size)
        combination[thread] = known.get(control)!
      }
      combinations.intern(combination, 0, combinations.hash(combination, 0))
    }
    const sizes = places.map(({ size }) => size)
    const bytes = sizes.reduce(
      (sum, size, i) => sum + size * sizes.slice(i + 1).reduce((a, b) => a + b, 0),
      0,
    )
    if (bytes > MOST_BYTES) throw new OutOfMemory(`no room for ${bytes} pairs of places`)
    this.seen = combinations.count
    this.sizes = sizes
    this.together = sizes.map((size, one) =>
      sizes.map((other, later) => new Uint8Array(later > one ? size * other : 0)),
    )
    for (let n = 0; n < combinations.count; n++) {
      for (let one = 0; one < threads; one++) {
        for (let later = one + 1; later < threads; later++) {
          const row = combinations.word(n, one) * sizes[later]!
          this.together[one]![later]![row + combinations.word(n, later)] = 1
        }
      }
    }
  }

  /** About how many combinations there are any two places of which have been seen together. */
  countCombinations(): number {
    const { threads, sizes } = this
    const walks = threads > 2 ? Math.ceil(WALKS / sizes[0]!) : 1
    const chance = xoroshiro128plus(1)
    const draw = (n: number): number => uniformInt(chance, 0, n - 1)
    const chosen = new Int32Array(threads)
    let sum = 0
    for (let first = 0; first < sizes[0]!; first++) {
      chosen[0] = first
      for (let walk = 0; walk < walks; walk++) sum += this.walk(chosen, draw) / walks
    }
    return sum
  }

  /** Walks to one combination of those that begin with `chosen[0]`. How many it stands for. */
  private walk(chosen: Int32Array, draw: (n: number) => number): number {
    let standsFor = 1
    for (let thread = 1; thread < this.threads && standsFor > 0; thread++) {
      const agreeing = this.agreeing(chosen, thread)
      standsFor *= agreeing.length
      if (standsFor > 0 && thread < this.threads - 1) chosen[thread] = agreeing[draw(agreeing.length)]!
    }
    return standsFor
  }

  /** The places of a thread that have been seen with each of those that are chosen for the threads before it. */
  private agreeing(chosen: Int32Array, thread: number): number[] {
    const size = this.sizes[thread]!
    const found: number[] = []
    for (let place = 0; place < size; place++) {
      let agrees = true
      for (let before = 0; before < thread && agrees; before++) {
        agrees = this.together[before]![thread]![chosen[before]! * size + place] === 1
      }
      if (agrees) found.push(place)
    }
    return found
  }
}
