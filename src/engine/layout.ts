/**
 * The shared locations of a system: one byte each, with a name for people and a range.
 *
 * A handle (`Cell`, `Lock`, `RwLock`) knows its location and offers the operations on it as
 * steps. Ranges are checked at every write, and they bound the engine's decision tables.
 */
import { plainKey } from './automaton.ts'
import type { Naming, Sort } from './naming.ts'
import {
  type AtomicRequest,
  atomic,
  BLOCKED,
  type Effect,
  type Response,
  type Steps,
  type View,
} from './operation.ts'

export interface Location {
  readonly name: string
  /** The largest value, 0 to 255. */
  readonly max: number
  readonly initial: number
}

/** Where the things of one sort are. */
export interface SortLayout {
  readonly sort: Sort
  /** The number of the first thing. */
  readonly first: number
  /** For each thing its locations, the same ones in the same order. */
  readonly members: readonly (readonly number[])[]
  /**
   * The location that holds the number of the first thing that was never used. All from there on
   * are as good as each other, so whoever takes a new one takes that.
   */
  readonly used: number
}

/** The shared locations of a system, declared one after the other before anything runs. */
export class Layout {
  readonly locations: Location[] = []
  readonly sorts: SortLayout[] = []
  /** What locations name, other than nothing. */
  readonly namings = new Map<number, Naming>()

  /**
   * Declares things of one sort to be interchangeable. A thing that was never used, or is of no use
   * any more, has 0 in all its locations.
   * @param first the number of the first
   * @param members for each its cells, the same ones in the same order
   * @param used holds the number of the first that was never used
   */
  sort(sort: Sort, first: number, members: readonly (readonly { location: number }[])[], used: Cell): void {
    this.sorts.push({
      sort,
      first,
      members: members.map((cells) => cells.map(({ location }) => location)),
      used: used.location,
    })
  }

  /** Declares what the values of a cell name. */
  naming(cell: Cell, naming: Naming): Cell {
    this.namings.set(cell.location, naming)
    return cell
  }

  /**
   * A location that holds a number.
   * @param max the largest value, 0 to 255
   * @throws RangeError if `max` or `initial` is out of range
   */
  cell(name: string, max: number, initial = 0): Cell {
    if (!(Number.isInteger(max) && max >= 0 && max <= 255)) {
      throw new RangeError(`location ${name}: max ${max} is not within 0..255`)
    }
    if (!(Number.isInteger(initial) && initial >= 0 && initial <= max)) {
      throw new RangeError(`location ${name}: initial value ${initial} is not within 0..${max}`)
    }
    return new Cell(this.locations.push({ name, max, initial }) - 1)
  }

  /** A lock that one of at most 16 threads can hold. */
  lock(name: string): Lock {
    return new Lock(this.cell(name, MAX_THREADS).location)
  }

  /**
   * A lock with many readers or one writer.
   * @param writersFirst a waiting writer keeps new readers out. Without it the lock is
   *   unfair: readers may always enter, which allows more runs but fewer deadlocks.
   */
  rwLock(name: string, writersFirst = false): RwLock {
    const state = this.cell(name, WRITER + MAX_THREADS).location
    const waiting = writersFirst ? this.cell(`${name}.waiting`, MAX_THREADS).location : -1
    return new RwLock(state, waiting)
  }
}

const MAX_THREADS = 16
/** An RwLock's value: 0 free, 1..16 that many readers, WRITER + thread when written. */
export const WRITER = 32

/** A number. */
export class Cell {
  constructor(readonly location: number) {}

  /** What it holds. */
  *read(): Steps<number> {
    return yield* atomic(read, this.location)
  }
  /** Whether it holds `value`: cheaper in states than `read`, since the response is one bit. */
  *is(value: number): Steps<boolean> {
    return (yield* atomic(test, this.location, value)) === 1
  }
  /** Whether it holds more than `value`. */
  *exceeds(value: number): Steps<boolean> {
    return (yield* atomic(exceeds, this.location, value)) === 1
  }
  /** @param value from 0 to what the location can hold; otherwise the system cannot be explored */
  *write(value: number): Steps<void> {
    yield* atomic(write, this.location, value)
  }
  /** Adds to what it holds, which must stay within 0 and what the location can hold. */
  *add(delta: number): Steps<void> {
    yield* atomic(add, this.location, delta)
  }
  /** Adds `delta` unless the value is `unless`; tells whether it did (`get_page_unless_zero`). */
  *addUnless(delta: number, unless: number): Steps<boolean> {
    return (yield* atomic(addUnless, this.location, delta, unless)) === 1
  }
  /** Subtracts one and tells whether the result is zero (`put_page_testzero`). */
  *decAndTest(): Steps<boolean> {
    return (yield* atomic(decAndTest, this.location)) === 1
  }
  /** Replaces `expected` by `desired`; tells whether it did. */
  *compareAndSwap(expected: number, desired: number): Steps<boolean> {
    return (yield* atomic(compareAndSwap, this.location, expected, desired)) === 1
  }
  /** Waits until it holds `value`. */
  *waitFor(value: number): Steps<void> {
    yield* atomic(waitFor, this.location, value)
  }
}

/** The operation of `Cell.read`, whose response names what the location names. */
export function read(view: View, _c: unknown, location: number): Response {
  return view.get(location)
}
function test(view: View, _c: unknown, location: number, value: number): Response {
  return view.get(location) === value ? 1 : 0
}
function exceeds(view: View, _c: unknown, location: number, value: number): Response {
  return view.get(location) > value ? 1 : 0
}
function write(view: View, _c: unknown, location: number, value: number): Response {
  view.set(location, value)
  return 0
}
function add(view: View, _c: unknown, location: number, delta: number): Response {
  view.set(location, view.get(location) + delta)
  return 0
}
function addUnless(view: View, _c: unknown, location: number, delta: number, unless: number): Response {
  const value = view.get(location)
  if (value === unless) return 0
  view.set(location, value + delta)
  return 1
}
function decAndTest(view: View, _c: unknown, location: number): Response {
  const value = view.get(location) - 1
  view.set(location, value)
  return value === 0 ? 1 : 0
}
function compareAndSwap(view: View, _c: unknown, location: number, old: number, desired: number): Response {
  if (view.get(location) !== old) return 0
  view.set(location, desired)
  return 1
}
function waitFor(view: View, _c: unknown, location: number, value: number): Response {
  return view.get(location) === value ? 0 : BLOCKED
}

/** A mutual-exclusion lock. Not recursive: a thread that locks it twice waits for ever. */
export class Lock {
  constructor(readonly location: number) {}

  /** Waits until nobody holds it, and takes it. */
  *lock(): Steps<void> {
    yield* atomic(lock, this.location)
  }
  /** Takes it unless somebody holds it; tells whether it did. */
  *tryLock(): Steps<boolean> {
    return (yield* atomic(tryLock, this.location)) === 1
  }
  /** The run fails if this thread does not hold it. */
  *unlock(): Steps<void> {
    yield* atomic(unlock, this.location)
  }
}

function lock(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== 0) return BLOCKED
  view.set(location, view.thread + 1)
  return 0
}
function tryLock(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== 0) return 0
  view.set(location, view.thread + 1)
  return 1
}
function unlock(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== view.thread + 1)
    return view.fail('a thread unlocks a lock that it does not hold')
  view.set(location, 0)
  return 0
}

/** A reader/writer lock. Not recursive in either mode. */
export class RwLock {
  /** @param waiting the location that counts waiting writers, or -1 for an unfair lock */
  constructor(
    readonly location: number,
    readonly waiting: number,
  ) {}

  /** Waits until no writer holds it, or waits for it if it is fair; then takes it beside other readers. */
  *readLock(): Steps<void> {
    yield* atomic(readLock, this.location, this.waiting)
  }
  /** The run fails if no reader holds it. */
  *readUnlock(): Steps<void> {
    yield* atomic(readUnlock, this.location)
  }
  /** Waits until nobody holds it, and takes it for this thread alone. */
  *writeLock(): Steps<void> {
    if (this.waiting >= 0) yield* atomic(add, this.waiting, 1)
    yield* atomic(writeLock, this.location, this.waiting)
  }
  /** The run fails if this thread does not hold it. */
  *writeUnlock(): Steps<void> {
    yield* atomic(writeUnlock, this.location)
  }
  /** Turns this thread's write lock into a read lock, letting nobody in between. */
  *downgrade(): Steps<void> {
    yield* atomic(downgrade, this.location)
  }
}

function readLock(view: View, _c: unknown, location: number, waiting: number): Response {
  const value = view.get(location)
  if (value >= WRITER) return BLOCKED
  if (waiting >= 0 && view.get(waiting) > 0) return BLOCKED
  view.set(location, value + 1)
  return 0
}
function readUnlock(view: View, _c: unknown, location: number): Response {
  const value = view.get(location)
  if (value === 0 || value >= WRITER) return view.fail('a thread drops a read lock that nobody holds')
  view.set(location, value - 1)
  return 0
}
function writeLock(view: View, _c: unknown, location: number, waiting: number): Response {
  if (view.get(location) !== 0) return BLOCKED
  view.set(location, WRITER + view.thread)
  if (waiting >= 0) view.set(waiting, view.get(waiting) - 1)
  return 0
}
function writeUnlock(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== WRITER + view.thread) {
    return view.fail('a thread drops a write lock that it does not hold')
  }
  view.set(location, 0)
  return 0
}
function downgrade(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== WRITER + view.thread) {
    return view.fail('a thread downgrades a write lock that it does not hold')
  }
  view.set(location, 1)
  return 0
}

/** The operations of the handles above: their first argument is the location that they are on. */
const ON_LOCATION: ReadonlySet<Effect> = new Set<Effect>([
  ...[read, test, exceeds, write, add, addUnless, decAndTest, compareAndSwap, waitFor],
  ...[lock, tryLock, unlock],
  ...[readLock, readUnlock, writeLock, writeUnlock, downgrade],
])

/** The location that an operation of a `Cell`, `Lock` or `RwLock` is on; undefined for any other operation. */
export function locationOf({ effect, args }: AtomicRequest): number | undefined {
  return ON_LOCATION.has(effect) ? (args[0] as number) : undefined
}

/** An operation as a person would write it, with the name of its location: `test(page 1.refcount, 2)`. */
export function inWords(request: AtomicRequest, locations: readonly Location[]): string {
  const location = locationOf(request)
  const [first, ...rest] = request.args.map((arg) => (arg === undefined ? 'nothing' : plainKey(arg)))
  const args = location === undefined ? (first === undefined ? [] : [first]) : [locations[location]!.name]
  return `${request.effect.name}(${[...args, ...rest].join(', ')})`
}
