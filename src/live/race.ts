/**
 * A race: a litmus test that is run many times on live threads, as litmus7 runs tests on real
 * processors.
 *
 * Each thread of the test has a live thread of its own, and so has each kernel actor. They wait for each
 * other before a run, set out after pauses that differ from run to run, and may pause between any two
 * steps. Whoever arrives last reads the outcome, looks whether all counts are right, and makes memory
 * what it was, for the next run.
 */
import { type Outcome, outcomeOf, type Program } from '../litmus/index.ts'
import { ABORT, Arena, AWAKE, FIRST_OWN, MAX_THREADS, RUNNING } from './arena.ts'
import { Aborted, LiveFailure } from './error.ts'
import { Random } from './random.ts'
import { LiveThread } from './thread.ts'
import { Transaction } from './transaction.ts'

/** In `control`: the run that may be under way, counted from 1; OVER when there is none any more. */
const GENERATION = FIRST_OWN
/** In `control`: threads that have come to the end of this run. */
const ARRIVED = FIRST_OWN + 1
/** In `control`: threads that have still something to do in this run, daemons apart. */
const REMAINING = FIRST_OWN + 2
/** In `control`: why this run was given up. */
const GIVEN_UP = FIRST_OWN + 3
/** In `control`: how many runs there are to be. Whoever is in charge may lower it. */
const RUNS = FIRST_OWN + 4

const OVER = -1

/** Values of GIVEN_UP; the first reason counts. */
const NOT_GIVEN_UP = 0
const FAILURE = 1
const DEADLOCK = 2
const TOO_LONG = 3

/** How often a thread looks whether the next run has begun before it goes to sleep. */
const START_SPINS = 2_000

/** What came of some runs. Each thread has those at whose end it was the last, and the failures that it met. */
export interface Tally {
  /** How often each outcome was seen, by its key. */
  readonly outcomes: ReadonlyMap<string, number>
  /** How often a run failed, by what the model says of it: a step that found something wrong, or a count at the end. */
  readonly failures: ReadonlyMap<string, number>
}

export const DEADLOCKED = 'no thread can go on'
export const ENDLESS = 'the run did not come to an end'

export class Race {
  private readonly initial: Int32Array
  private readonly max: readonly number[]
  private readonly threads: number
  private readonly daemons: number
  private readonly outcomes = new Map<string, number>()
  private readonly failures = new Map<string, number>()

  /**
   * @param arena of the size of the program's layout
   * @param seed for all that is random: the choices that a test leaves open, and all pauses
   * @throws RangeError if the test has more threads than an arena can have
   */
  constructor(
    private readonly program: Program,
    private readonly arena: Arena,
    private readonly seed: number,
  ) {
    const { layout, threads } = program.system
    this.initial = Int32Array.from(layout.locations, ({ initial }) => initial)
    this.max = layout.locations.map(({ max }) => max)
    this.threads = threads.length
    this.daemons = threads.filter(({ daemon }) => daemon === true).length
    if (threads.length > MAX_THREADS) {
      throw new RangeError(`${threads.length} threads; at most ${MAX_THREADS} can run live`)
    }
  }

  /** A new arena for the threads of a program, in which a number of runs can begin. */
  static arenaFor(program: Program, runs: number): Arena {
    const arena = new Arena(program.system.layout.locations.length)
    Atomics.store(arena.control, RUNS, runs)
    return arena
  }

  /** Runs so far, for whoever watches. */
  static runsBegun(arena: Arena): number {
    return Math.max(0, Atomics.load(arena.control, GENERATION))
  }

  /** No further run is to begin. */
  static stop(arena: Arena): void {
    Atomics.store(arena.control, RUNS, 0)
  }

  /** Gives up the run that is under way, because it does not come to an end. */
  static giveUp(arena: Arena): void {
    Atomics.compareExchange(arena.control, GIVEN_UP, NOT_GIVEN_UP, TOO_LONG)
    arena.abort()
  }

  /** Begins the first run. To be called once, by anybody. */
  begin(): void {
    this.prepare()
    this.next(0)
  }

  /**
   * Takes the part of one thread in all runs; returns when the last one is over. Every thread of
   * the program must be taken, each by a live thread of its own.
   */
  take(thread: number): Tally {
    for (let run = 1; ; run++) {
      if (!this.waitFor(run)) return { outcomes: this.outcomes, failures: this.failures }
      this.runOnce(thread, run)
      if (Atomics.add(this.arena.control, ARRIVED, 1) === this.threads - 1) this.conclude(run)
    }
  }

  private runOnce(thread: number, run: number): void {
    const { arena, program } = this
    const { control } = arena
    const { procedure, args, daemon } = program.system.threads[thread]!
    const random = new Random(this.seed, run, thread)
    const transaction = new Transaction(thread, arena, this.max, random)
    const beforeStep = pauses(new Random(this.seed, run, 0xace), random)
    const live = new LiveThread(arena, transaction, program.kernel, {
      beforeStep,
      onDeadlock: () => this.giveUp(DEADLOCK),
    })
    try {
      beforeStep()
      live.run(procedure, args)
    } catch (error) {
      if (error instanceof LiveFailure) {
        if (this.giveUp(FAILURE)) note(this.failures, error.message)
      } else if (!(error instanceof Aborted)) throw error
    }
    const remaining = daemon === true ? undefined : Atomics.sub(control, REMAINING, 1) - 1
    if (remaining === 0 && this.daemons > 0) arena.abort()
    const running = Atomics.sub(control, RUNNING, 1) - 1
    if (running === 0 && Atomics.load(control, REMAINING) > 0) this.giveUp(DEADLOCK)
  }

  /** Ends the run for a reason; false if it has been ended for another. */
  private giveUp(reason: number): boolean {
    const first = Atomics.compareExchange(this.arena.control, GIVEN_UP, NOT_GIVEN_UP, reason) === NOT_GIVEN_UP
    this.arena.abort()
    return first
  }

  /** All threads have arrived: this one is alone now. */
  private conclude(run: number): void {
    const { control } = this.arena
    switch (Atomics.load(control, GIVEN_UP)) {
      case NOT_GIVEN_UP:
        this.judge()
        break
      case DEADLOCK:
        note(this.failures, DEADLOCKED)
        break
      case TOO_LONG:
        note(this.failures, ENDLESS)
        break
    }
    this.prepare()
    this.next(run)
  }

  private judge(): void {
    const { arena, program } = this
    const { invariant, restInvariant, finalInvariant } = program.system
    const broken = [invariant, restInvariant, finalInvariant]
      .map((holds) => holds?.(arena))
      .find((message) => message !== undefined)
    if (broken !== undefined) note(this.failures, broken)
    else note(this.outcomes, this.outcome().key)
  }

  private outcome(): Outcome {
    return outcomeOf(this.program.test, this.program.kernel, this.arena)
  }

  /** Makes everything as it is before a run. */
  private prepare(): void {
    const { control, wake } = this.arena
    this.arena.reset(this.initial)
    wake.fill(AWAKE)
    Atomics.store(control, RUNNING, this.threads)
    Atomics.store(control, REMAINING, this.threads - this.daemons)
    Atomics.store(control, GIVEN_UP, NOT_GIVEN_UP)
    Atomics.store(control, ARRIVED, 0)
    Atomics.store(control, ABORT, 0)
  }

  private next(run: number): void {
    const { control } = this.arena
    Atomics.store(control, GENERATION, run < Atomics.load(control, RUNS) ? run + 1 : OVER)
    Atomics.notify(control, GENERATION)
  }

  /** Waits until a run has begun; false if there will be none. */
  private waitFor(run: number): boolean {
    const { control } = this.arena
    for (let spins = 0; ; spins++) {
      const now = Atomics.load(control, GENERATION)
      if (now === run) return true
      if (now === OVER) return false
      if (spins >= START_SPINS) Atomics.wait(control, GENERATION, now)
    }
  }
}

/** Pauses are up to 2 to the power of one of these, in looks at nothing. */
const LENGTHS = [0, 4, 7, 9, 11, 13] as const
/** One step in so many is paused before. */
const RARITIES = [2, 8, 30] as const
/** One pause in so many is long enough for the system to let another thread have the processor. */
const RELEASES = [4, 1_000_000] as const

/**
 * What a thread does before each step: nothing, or a pause now and then. How often and how long is the same
 * for all threads in a run, and differs from run to run.
 * @param ofRun gives all threads of the run the same numbers
 */
function pauses(ofRun: Random, random: Random): () => void {
  const length = LENGTHS[ofRun.below(LENGTHS.length)]!
  const rarity = RARITIES[ofRun.below(RARITIES.length)]!
  const release = RELEASES[ofRun.below(RELEASES.length)]!
  const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  let first = true
  return () => {
    if (!first && random.below(rarity) !== 0) return
    first = false
    if (random.below(release) === 0) {
      Atomics.wait(nothing, 0, 0, 0.01)
      return
    }
    for (let spins = random.below(1 << length); spins > 0; spins--) Atomics.load(nothing, 0)
  }
}

function note(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
