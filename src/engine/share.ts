/**
 * What the threads of one exploration share: the tables, and a block of numbers by which they
 * agree on what is to be done. It can be posted to another thread as it is.
 */
import type { ExploreLimits } from './exploration.ts'
import type { Location } from './layout.ts'
import { reserveSteps, type SharedSteps } from './level_steps.ts'
import { CHUNK_WORDS, chunksOf } from './memories.ts'
import { wordsOfState } from './packed.ts'
import { reserve } from './segments.ts'
import { reserveTuples, type TupleBuffers } from './shared_tuples.ts'

/** The most threads that can explore together. */
export const MAX_HANDS = 64

// The numbers. Those that many write to have a cache line of 16 words of their own.
/** Why everybody is to stop: one of the reasons below, or 0. */
export const HALT = 0
/** 1 when the exploration is over and nobody is needed any more. */
export const OVER = 1
/** Threads that have joined the one that began. */
export const JOINED = 2
/** States of the level that is looked into: the first one nobody has taken, the end, how many to take. */
export const NEXT = 16
export const LEVEL_END = 32
export const PORTION = 33
export const LEVEL = 34
/** The first state of the level, and of the one before; whether their steps are kept (`level_steps.ts`). */
export const LEVEL_BEGIN = 35
export const LEVEL_BEFORE = 36
export const KEEPS_STEPS = 37
export const KEPT_BEFORE = 38
/** Threads that have not finished their part of the level. */
export const AT_WORK = 48
/** Things learned so far, and whether somebody is learning. */
export const LEARNED = 64
export const LEARNING = 80
/** Words used of the list of ends, and UTF-16 units of the list of failures. */
export const ENDS = 96
export const FAILURES = 112
/** By thread: the level it is to work at, a line each. */
export const GO = 128
const CONTROL_WORDS = GO + 16 * MAX_HANDS
/** By thread: states looked into and transitions, as doubles, a line each. */
export const COUNTERS = 8

export const HALT_STATES = 1
export const HALT_MEMORY = 2
/** Somebody does not want it any more, or time is up. */
export const HALT_ASKED = 3
/** A thread met an error, which is among the failures. */
export const HALT_ERROR = 4
/** A thread is gone. */
export const HALT_DEATH = 5

/** Words of one thing learned: thread, control state, memory, and what the learner then knew. */
export const LEARNED_WORDS = 4
/** States that threads may find before they notice that there are too many. */
const OVERSHOOT = 2 ** 18
const MOST_LEARNED = 2 ** 22
const MOST_ENDS = 2 ** 24
const FAILURE_BYTES = 2 ** 24

export interface Share {
  readonly control: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
  readonly log: SharedArrayBuffer
  readonly ends: SharedArrayBuffer
  readonly failures: SharedArrayBuffer
  readonly states: TupleBuffers
  readonly chunks: TupleBuffers
  readonly vectors: TupleBuffers
  /** Undefined if there was no room for them. */
  readonly steps: readonly SharedSteps[] | undefined
  /** How many threads explore, at most. */
  readonly hands: number
  readonly limits: Required<ExploreLimits>
}

/**
 * Reserves what an exploration may need; it takes no room until it is used.
 * @throws OutOfMemory
 */
export function reserveShare(
  limits: Required<ExploreLimits>,
  threads: number,
  locations: readonly Location[],
  hands: number,
  firstSlotBits?: number,
): Share {
  const { states, bytes } = limits
  const most = states + OVERSHOOT
  // Memories and chunks: hardly more than states, but nothing says so.
  const many = 2 ** 28
  // Before the tables, which take what there is.
  const steps = reserveSteps(threads, most, bytes / 8)
  return {
    control: reserve(4 * CONTROL_WORDS),
    counters: reserve(8 * COUNTERS * MAX_HANDS),
    log: reserve(4 * LEARNED_WORDS * MOST_LEARNED),
    ends: reserve(8 * MOST_ENDS),
    failures: reserve(FAILURE_BYTES),
    states: reserveTuples(wordsOfState(threads), 1, most, bytes, firstSlotBits),
    chunks: reserveTuples(CHUNK_WORDS, 0, many, bytes, firstSlotBits),
    vectors: reserveTuples(chunksOf(locations), 1, many, bytes, firstSlotBits),
    steps,
    hands,
    limits,
  }
}

/** Tells the others that a thread is gone: they end with an error instead of waiting for it. */
export function reportDeath({ control }: Share): void {
  const words = new Int32Array(control)
  Atomics.store(words, HALT, HALT_DEATH)
  Atomics.notify(words, AT_WORK)
}

/** Why an exploration by several threads came to nothing. */
export class TeamError extends Error {
  override readonly name = 'TeamError'
}

/**
 * Called while waiting for another thread.
 * @throws TeamError if a thread is gone
 */
export function watchOver(control: Int32Array): void {
  if (Atomics.load(control, HALT) === HALT_DEATH) {
    throw new TeamError('a thread that explored with others has died, and took its part with it')
  }
}
