/**
 * An atomic operation on real shared memory.
 *
 * Which locations an effect reads and writes shows only when it is run. So it is run on what
 * is there now, with the version of each location that it reads and with its writes kept back; then the
 * locations to be written are locked in the order of their numbers, the versions are looked at again,
 * and if none has changed, the writes are done and the locks dropped. Otherwise nothing has happened, and
 * it is run again. Locks are held for the writes alone, and only steps that touch the same location
 * get in each other's way.
 *
 * A step that has taken place did so at one moment: for one that writes, when all its locks are
 * held; for one that only reads, when the last location has been read. At that moment every location that
 * it read was as it saw it.
 *
 * An effect may meanwhile see a mixture of moments that never was. It is a pure function, so the
 * worst that can come of it is that it throws or fails, and that counts only once the versions have been
 * found unchanged.
 */
import { BLOCKED, type Effect, FAILED, type Plain, type Response, type View } from '../engine/index.ts'
import type { Arena } from './arena.ts'
import type { Contents } from './contents.ts'
import { Aborted, LiveFailure } from './error.ts'
import type { Random } from './random.ts'

/** How often a locked location is looked at before the thread lets others have the processor. */
const SPINS = 200
/** From so many writes on they are found by a table and not one by one. */
const MANY_WRITES = 16

export class Transaction implements View {
  private readonly reads: number[] = []
  private readonly seen: number[] = []
  private readCount = 0
  private readonly writes: number[] = []
  private readonly values: number[] = []
  private readonly locked: number[] = []
  private writeCount = 0
  private readonly written = new Map<number, number>()
  private failure: string | undefined
  /** Locations from here on stand for what pages hold, and are written without being locked. */
  private readonly firstContent: number
  private readonly puts: (readonly [to: number, from: number])[] = []

  /**
   * @param max the largest value of each location, or undefined if anything may be written
   * @param random what `choose` chooses by
   * @param contents where whole pages are copied; undefined if words are locations as all others
   */
  constructor(
    readonly thread: number,
    private readonly arena: Arena,
    private readonly max: readonly number[] | undefined,
    private readonly random: Random,
    private readonly contents?: Contents,
  ) {
    this.firstContent = contents?.first ?? Number.POSITIVE_INFINITY
  }

  /**
   * Performs an effect, as one step.
   * @returns its response; after BLOCKED, what it read is still known to `unchanged` and `eachRead`
   * @throws LiveFailure if the effect fails, and whatever it throws
   */
  perform(effect: Effect, context: unknown, args: readonly Plain[]): Response {
    for (let attempt = 0; ; attempt++) {
      this.begin()
      let response: Response
      try {
        response = effect(this, context, ...args)
      } catch (error) {
        if (this.unchanged()) throw error
        this.stepAside(attempt)
        continue
      }
      if (this.failure !== undefined) {
        if (this.unchanged()) throw new LiveFailure(this.failure)
      } else if ((this.writeCount === 0 && this.puts.length === 0) || response === BLOCKED) {
        if (this.unchanged()) return response
      } else if (this.commit()) return response
      this.stepAside(attempt)
    }
  }

  get(location: number): number {
    if (location >= this.firstContent) return location
    const index = this.indexOfWrite(location)
    if (index >= 0) return this.values[index]!
    const { version, value } = this.arena
    for (let spins = 0; ; spins++) {
      const before = Atomics.load(version, location)
      if ((before & 1) === 0) {
        const found = Atomics.load(value, location)
        if (Atomics.load(version, location) === before) {
          this.reads[this.readCount] = location
          this.seen[this.readCount++] = before
          return found
        }
      }
      if (spins >= SPINS) this.nap(location)
    }
  }

  set(location: number, value: number): void {
    if (this.max !== undefined && !(Number.isInteger(value) && value >= 0 && value <= this.max[location]!)) {
      throw new RangeError(`location ${location}: ${value} is not within 0..${this.max[location]}`)
    }
    if (location >= this.firstContent) {
      this.puts.push([location, value])
      return
    }
    const index = this.indexOfWrite(location)
    if (index >= 0) {
      this.values[index] = value
      return
    }
    if (this.writeCount >= MANY_WRITES) {
      if (this.written.size === 0) {
        for (let i = 0; i < this.writeCount; i++) this.written.set(this.writes[i]!, i)
      }
      this.written.set(location, this.writeCount)
    }
    this.writes[this.writeCount] = location
    this.values[this.writeCount++] = value
  }

  choose(n: number): number {
    return this.random.below(n)
  }

  fail(message: string): Response {
    this.failure ??= message
    return FAILED
  }

  /** Whether every location that was read is still as it was. */
  unchanged(): boolean {
    const { version } = this.arena
    for (let i = 0; i < this.readCount; i++) {
      if (Atomics.load(version, this.reads[i]!) !== this.seen[i]) return false
    }
    return true
  }

  /** Calls a function with each location that was read. */
  eachRead(visit: (location: number) => void): void {
    for (let i = 0; i < this.readCount; i++) visit(this.reads[i]!)
  }

  private begin(): void {
    this.readCount = 0
    this.writeCount = 0
    this.failure = undefined
    if (this.puts.length > 0) this.puts.length = 0
    if (this.written.size > 0) this.written.clear()
  }

  private indexOfWrite(location: number): number {
    if (this.written.size > 0) return this.written.get(location) ?? -1
    for (let i = 0; i < this.writeCount; i++) if (this.writes[i] === location) return i
    return -1
  }

  /** Does the writes, if nothing that was read has changed. */
  private commit(): boolean {
    const { version, value } = this.arena
    this.sortWrites()
    let held = 0
    try {
      for (; held < this.writeCount; held++) this.locked[held] = this.lock(this.writes[held]!)
      if (!this.readsHoldUnderLocks()) {
        this.unlock(held)
        return false
      }
      for (const [to, from] of this.puts) this.contents!.put(to, from)
    } catch (error) {
      this.unlock(held)
      throw error
    }
    for (let i = 0; i < this.writeCount; i++) Atomics.store(value, this.writes[i]!, this.values[i]!)
    for (let i = 0; i < this.writeCount; i++)
      Atomics.store(version, this.writes[i]!, (this.locked[i]! + 2) | 0)
    for (let i = 0; i < this.writeCount; i++) this.wakeWaiters(this.writes[i]!)
    return true
  }

  /** Drops the first locks that were taken; nothing has been written. */
  private unlock(held: number): void {
    const { version } = this.arena
    for (let i = 0; i < held; i++) Atomics.store(version, this.writes[i]!, this.locked[i]!)
  }

  /** All threads lock in the same order, so none waits in a circle. */
  private sortWrites(): void {
    const { writes, values, writeCount } = this
    for (let i = 1; i < writeCount; i++) {
      if (writes[i - 1]! <= writes[i]!) continue
      if (i > MANY_WRITES) {
        this.sortManyWrites()
        return
      }
      const [location, value] = [writes[i]!, values[i]!]
      let j = i
      for (; j > 0 && writes[j - 1]! > location; j--) {
        writes[j] = writes[j - 1]!
        values[j] = values[j - 1]!
      }
      writes[j] = location
      values[j] = value
    }
  }

  private sortManyWrites(): void {
    const order = Array.from({ length: this.writeCount }, (_, i) => i)
    order.sort((a, b) => this.writes[a]! - this.writes[b]!)
    const [writes, values] = [order.map((i) => this.writes[i]!), order.map((i) => this.values[i]!)]
    for (let i = 0; i < this.writeCount; i++) {
      this.writes[i] = writes[i]!
      this.values[i] = values[i]!
    }
  }

  /** Waits until nobody writes the location and makes its version odd; returns what it was. */
  private lock(location: number): number {
    const { version } = this.arena
    for (let spins = 0; ; spins++) {
      const before = Atomics.load(version, location)
      if ((before & 1) === 0 && Atomics.compareExchange(version, location, before, before + 1) === before) {
        return before
      }
      if (spins >= SPINS) this.nap(location)
    }
  }

  private readsHoldUnderLocks(): boolean {
    const { version } = this.arena
    for (let i = 0; i < this.readCount; i++) {
      const location = this.reads[i]!
      const now = Atomics.load(version, location)
      if (now === this.seen[i]) continue
      // Odd because this very step has locked it.
      const own = this.lockedAs(location)
      if (own !== this.seen[i]) return false
    }
    return true
  }

  /** The version at which this step locked a location; undefined if it did not. The writes are sorted. */
  private lockedAs(location: number): number | undefined {
    let low = 0
    let high = this.writeCount - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const at = this.writes[middle]!
      if (at === location) return this.locked[middle]
      if (at < location) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  private wakeWaiters(location: number): void {
    const { waiters } = this.arena
    if (Atomics.load(waiters, location) === 0) return
    let mask = Atomics.exchange(waiters, location, 0)
    while (mask !== 0) {
      const thread = 31 - Math.clz32(mask)
      mask &= ~(1 << thread)
      this.arena.awaken(thread)
    }
  }

  /** For two threads whose steps undo each other's attempts: they come back at different times. */
  private stepAside(attempt: number): void {
    const { version } = this.arena
    for (let spins = this.random.below(1 << Math.min(attempt, 10)); spins > 0; spins--)
      Atomics.load(version, 0)
  }

  private nap(location: number): void {
    // Whoever holds it may be gone for good.
    if (this.arena.aborted) throw new Aborted()
    this.arena.nap(location)
  }
}
