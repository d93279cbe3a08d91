/**
 * Breadth-first exploration by several threads: the same states, transitions, ends and ways to
 * fail as by one (`explore.ts`), and runs to them of the same length.
 *
 * One level after another is looked into. Within a level the threads take portions of states
 * until none are left; what they find belongs to the next level, whoever finds it. So a state
 * is always found in the level that is its distance, only its number and which of several
 * shortest runs leads to it are up to chance. Small levels are left to the thread that began;
 * others are called when a level is first large enough to be worth it.
 *
 * Between two levels all threads have come to rest, which the atomic countdown of those at
 * work tells: what they have written plainly before it can be read plainly after it.
 */
import { errorFrom } from './assist.ts'
import { AUTOMATON_LIMITS } from './automaton.ts'
import {
  type Bound,
  checkLimits,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
  type FailedRun,
  type FinalMemory,
} from './exploration.ts'
import { Hand, type Note } from './hand.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import type { Search } from './search.ts'
import {
  AT_WORK,
  COUNTERS,
  ENDS,
  FAILURES,
  GO,
  HALT,
  HALT_ASKED,
  HALT_ERROR,
  HALT_MEMORY,
  HALT_STATES,
  JOINED,
  KEEPS_STEPS,
  KEPT_BEFORE,
  LEVEL,
  LEVEL_BEFORE,
  LEVEL_BEGIN,
  LEVEL_END,
  MAX_HANDS,
  NEXT,
  OVER,
  PORTION,
  reserveShare,
  type Share,
  TeamError,
  watchOver,
} from './share.ts'
import type { System } from './system.ts'

/** Other threads that can be called for help. */
export interface Team {
  /** How many threads there are with the one that begins. */
  readonly size: number
  /**
   * Has every other thread `assist` with an exploration. Returns at once, and works although
   * the thread that calls waits without looking at its messages.
   */
  call(share: Share): void
  /**
   * States of a level from which on the others are called. From 1 on all levels are shared,
   * and the first one waits until everybody has come: that is for tests.
   */
  readonly from?: number
}

/** A level of fewer states is done before others are ready. */
const WORTH_SHARING = 2_000
/** States that a thread takes at once. */
const MOST_AT_ONCE = 1024
/** Longest sleep between two looks whether the others are well. */
const LOOK_MS = 20

const REASONS: Readonly<Record<number, Bound>> = { [HALT_STATES]: 'states', [HALT_MEMORY]: 'memory' }

/** The breadth-first search of several threads, as seen by the one that began it. */
export class ParallelExplorer implements Search {
  private readonly limits: Required<ExploreLimits>
  private readonly share: Share
  private readonly hand: Hand
  private readonly control: Int32Array
  private readonly counters: Float64Array
  private readonly finals: FinalMemory[] = []
  private readonly failed = new Map<string, { readonly run: FailedRun; readonly level: number }>()
  private readonly from: number
  /** The level that is looked into: where it begins, and where it ends. */
  private levelBegin = 0
  private levelEnd = 0
  private depth = 0
  private inLevel = false
  private handDone = false
  private called = false
  private elapsed = 0
  private over = false
  private stopped = false
  private bounded: Bound | undefined
  private endsRead = 0
  private failuresRead = 0

  /**
   * @throws RangeError if a limit or the size of the team is out of range
   * @throws OutOfMemory if not even an empty exploration has room
   */
  constructor(
    readonly system: System,
    private readonly team: Team,
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
    firstSlotBits?: number,
  ) {
    this.limits = { ...DEFAULT_LIMITS, automaton: AUTOMATON_LIMITS, ...limits }
    checkLimits(this.limits)
    if (!(Number.isInteger(team.size) && team.size >= 1 && team.size <= MAX_HANDS)) {
      throw new RangeError(`${team.size} threads are not within 1..${MAX_HANDS}`)
    }
    this.from = team.from ?? WORTH_SHARING
    this.share = reserveShare(
      this.limits,
      system.threads.length,
      system.layout.locations,
      team.size,
      firstSlotBits,
    )
    this.control = new Int32Array(this.share.control)
    this.counters = new Float64Array(this.share.counters)
    this.hand = new Hand(system, this.share, onReplay)
    if (!this.hand.begin()) this.levelEnd = 1
    this.collect()
  }

  run(budget = Number.POSITIVE_INFINITY): boolean {
    if (this.over || this.stopped) return true
    const began = Date.now()
    const stop = began + Math.min(budget, this.limits.milliseconds - this.elapsed)
    try {
      do this.over = this.workUntil(stop)
      while (!this.over && Date.now() < stop)
      this.elapsed += Date.now() - began
      if (!this.over && this.elapsed >= this.limits.milliseconds) {
        this.rest()
        this.bounded ??= 'time'
        this.over = true
      }
    } catch (error) {
      this.hand.halt(HALT_ERROR)
      this.dismiss()
      throw error
    }
    if (this.over) this.dismiss()
    return this.over
  }

  stop(): void {
    if (this.over || this.stopped) return
    this.rest()
    this.stopped = true
    this.dismiss()
  }

  result(): Exploration {
    const { count } = this
    return {
      search: { mode: 'breadth-first' },
      states: count,
      transitions: this.sum(1),
      memories: this.memories.count,
      depth: this.depth,
      ...(this.levelEnd > 0 && {
        level: { depth: this.depth, last: this.levelEnd - this.levelBegin, upTo: this.levelEnd },
      }),
      frontier: Math.max(0, count - this.sum(0)),
      milliseconds: this.elapsed,
      bytes: this.hand.byteLength,
      bounded: this.bounded ?? (this.over ? undefined : 'interrupted'),
      finals: [...this.finals],
      failures: this.failures(),
    }
  }

  get learned(): Learned {
    return this.hand.learned
  }

  get memories(): Memories {
    return this.hand.memories
  }

  get count(): number {
    return this.hand.visited.count
  }

  memoryOf(state: number): number {
    return this.hand.visited.memoryOf(state)
  }

  controlOf(state: number, thread: number): number {
    return this.hand.visited.controlOf(state, thread)
  }

  parentOf(state: number): number {
    return this.hand.visited.parentOf(state)
  }

  /** Works at levels until it is late; true when the exploration is over. */
  private workUntil(stop: number): boolean {
    if (!this.inLevel && !this.beginLevel()) return true
    this.handDone ||= this.hand.work(stop)
    if (!this.handDone || !this.waitForOthers(stop)) return false
    return this.endLevel()
  }

  /** False if there is no further level, or none within the bounds. */
  private beginLevel(): boolean {
    const { control, team } = this
    const first = this.levelEnd
    const end = this.count
    if (first === end) return false
    if (end > 1 && this.depth >= this.limits.depth) {
      this.bounded = 'depth'
      return false
    }
    if (end > 1) this.depth++
    const before = this.levelBegin
    this.levelBegin = first
    this.levelEnd = end
    const size = end - first
    const shared = team.size > 1 && size >= this.from
    if (shared) this.callOthers()
    const others = shared ? Math.min(team.size - 1, Atomics.load(control, JOINED)) : 0
    Atomics.store(control, LEVEL, this.depth)
    Atomics.store(control, LEVEL_BEFORE, before)
    Atomics.store(control, LEVEL_BEGIN, first)
    Atomics.store(control, LEVEL_END, end)
    const { keptBefore, keeps } = this.hand.diamonds.judge()
    const hasRoom = this.share.steps !== undefined
    Atomics.store(control, KEPT_BEFORE, hasRoom && keptBefore ? 1 : 0)
    Atomics.store(control, KEEPS_STEPS, hasRoom && keeps ? 1 : 0)
    Atomics.store(control, PORTION, Math.max(1, Math.min(MOST_AT_ONCE, Math.ceil(size / (8 * team.size)))))
    Atomics.store(control, NEXT, first)
    Atomics.store(control, AT_WORK, others)
    for (let i = 1; i <= others; i++) {
      // Never 0, where a thread that has joined begins.
      Atomics.add(control, GO + 16 * i, 1)
      Atomics.notify(control, GO + 16 * i)
    }
    this.inLevel = true
    this.handDone = false
    return true
  }

  private callOthers(): void {
    const { control, team } = this
    if (!this.called) {
      this.called = true
      team.call(this.share)
    }
    if (team.from === undefined || team.from > 1) return
    for (let joined = 0; joined < team.size - 1; joined = Atomics.load(control, JOINED)) {
      Atomics.wait(control, JOINED, joined, LOOK_MS)
      watchOver(control)
    }
  }

  /** Whether the others have come to rest before it was late. */
  private waitForOthers(stop: number): boolean {
    const { control } = this
    for (let left = Atomics.load(control, AT_WORK); left > 0; left = Atomics.load(control, AT_WORK)) {
      const now = Date.now()
      if (now >= stop) return false
      Atomics.wait(control, AT_WORK, left, Math.min(LOOK_MS, stop - now))
      watchOver(control)
    }
    return true
  }

  /** True if something has halted the exploration. */
  private endLevel(): boolean {
    this.inLevel = false
    this.collect()
    const halt = Atomics.load(this.control, HALT)
    if (halt === 0) return false
    if (halt === HALT_ERROR)
      throw new TeamError('a thread that explored with others could not even say why it failed')
    this.bounded = REASONS[halt]
    return true
  }

  /** Has everybody stop where they are. */
  private rest(): void {
    if (!this.inLevel) return
    this.hand.halt(HALT_ASKED)
    this.handDone ||= this.hand.work(Number.POSITIVE_INFINITY)
    this.waitForOthers(Number.POSITIVE_INFINITY)
    this.endLevel()
  }

  /** Lets the others go, and learns what they have learned: traces are read off here. */
  private dismiss(): void {
    const { control } = this
    Atomics.store(control, OVER, 1)
    for (let i = 1; i < MAX_HANDS; i++) Atomics.notify(control, GO + 16 * i)
    if (Atomics.load(control, HALT) !== HALT_ERROR) this.hand.log.catchUp()
  }

  /**
   * Reads what was found in a level, when everybody has come to rest.
   * @throws the error that a thread has met
   */
  private collect(): void {
    const { control, share } = this
    const ends = new Int32Array(share.ends)
    const found: FinalMemory[] = []
    for (; this.endsRead < control[ENDS]!; this.endsRead += 2) {
      const bytes = this.memories.copy(ends[this.endsRead]!)
      found.push({ bytes, state: ends[this.endsRead + 1]! })
    }
    // All are equally far away, and who came first is up to chance.
    this.finals.push(...found.sort((a, b) => compareBytes(a.bytes, b.bytes)))
    const used = control[FAILURES]!
    if (this.failuresRead === used) return
    const units = new Uint16Array(share.failures)
    let text = ''
    for (let i = this.failuresRead; i < used; i++) text += String.fromCharCode(units[i]!)
    this.failuresRead = used
    for (const line of text.trimEnd().split('\n')) {
      const note = JSON.parse(line) as Note
      if ('error' in note) throw errorFrom(note.error)
      this.keep(note.failed, note.level)
    }
  }

  /** Keeps one of the shortest runs that fail in one way. */
  private keep(found: FailedRun, level: number): void {
    // JSON has no undefined.
    const run: FailedRun = { ...found, step: found.step }
    const key = `${run.kind} ${run.message}`
    const known = this.failed.get(key)
    const better =
      known === undefined || (known.level === level && known.run.step !== undefined && run.step === undefined)
    if (better) this.failed.set(key, { run, level })
  }

  /** What goes wrong, the shortest run first, and then in an order that is not up to chance. */
  private failures(): FailedRun[] {
    const named = [...this.failed].map(([key, { run, level }]) => ({ key, run, level }))
    named.sort((a, b) => a.level - b.level || (a.key < b.key ? -1 : 1))
    return named.map(({ run }) => run)
  }

  private sum(counter: number): number {
    let sum = 0
    for (let i = 0; i < MAX_HANDS; i++) sum += this.counters[i * COUNTERS + counter]!
    return sum
  }
}

/** Which of two memories is to be named first. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const i = a.findIndex((byte, i) => byte !== b[i])
  return i < 0 ? 0 : a[i]! - b[i]!
}
