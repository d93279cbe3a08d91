/** Small systems with known answers, for the engine's tests and its benchmark. */
import {
  atomic,
  BLOCKED,
  call,
  Layout,
  type Plain,
  type Procedure,
  type Response,
  type Steps,
  type System,
  type ThreadSpec,
  tail,
  type View,
} from '../../src/engine/index.ts'

/** A thread whose name is its procedure's. */
export function thread(procedure: Procedure, ...args: Plain[]): ThreadSpec {
  return { name: procedure.name, procedure, args }
}

/** A thread that need not finish. */
export function daemon(procedure: Procedure, ...args: Plain[]): ThreadSpec {
  return { ...thread(procedure, ...args), daemon: true }
}

/** `n` threads that run the same procedure, with their number as argument. */
export function threads(n: number, procedure: Procedure): ThreadSpec[] {
  return Array.from({ length: n }, (_, i) => thread(procedure, i))
}

type Checks = Pick<System, 'invariant' | 'restInvariant' | 'finalInvariant'>

/** A system whose procedures need no context. */
export function system(layout: Layout, specs: readonly ThreadSpec[], checks: Checks = {}): System {
  return { context: undefined, layout, threads: specs, ...checks }
}

/** Each thread reads a number and writes back one more, `rounds` times; two that do so at once lose an update. */
export function counters(n: number, rounds = 1): System {
  const layout = new Layout()
  const x = layout.cell('x', n * rounds)
  function* increment(): Steps<void> {
    yield* x.write((yield* x.read()) + 1)
  }
  function* worker(): Steps<void> {
    for (let i = 0; i < rounds; i++) yield* call(increment)
  }
  return system(layout, threads(n, worker), {
    finalInvariant: (memory) => (memory.get(x.location) < n * rounds ? 'an update is lost' : undefined),
  })
}

/** As `counters`, but each round holds a lock: no update is lost. */
export function lockedCounters(n: number, rounds = 1): System {
  const layout = new Layout()
  const x = layout.cell('x', n * rounds)
  const lock = layout.lock('lock')
  function* increment(): Steps<void> {
    yield* lock.lock()
    yield* x.write((yield* x.read()) + 1)
    yield* lock.unlock()
  }
  function* worker(): Steps<void> {
    for (let i = 0; i < rounds; i++) yield* call(increment)
  }
  return system(layout, threads(n, worker), {
    finalInvariant: (memory) => (memory.get(x.location) < n * rounds ? 'an update is lost' : undefined),
  })
}

/** Each thread adds one by compare-and-swap and starts anew when another was faster. */
export function casCounter(n: number): System {
  const layout = new Layout()
  const x = layout.cell('x', n)
  function* increment(): Steps<void> {
    const value = yield* x.read()
    if (!(yield* x.compareAndSwap(value, value + 1))) yield* tail(increment)
  }
  return system(layout, threads(n, increment), {
    finalInvariant: (memory) => (memory.get(x.location) < n ? 'an update is lost' : undefined),
  })
}

/**
 * Peterson's algorithm for two threads.
 * @param flagFirst whether a thread raises its flag before it yields the turn, as it must
 */
export function peterson(flagFirst: boolean): System {
  const layout = new Layout()
  const flags = [layout.cell('flag0', 1), layout.cell('flag1', 1)]
  const turn = layout.cell('turn', 1)
  const inside = layout.cell('inside', 2)
  function mayEnter(view: View, _context: unknown, me: number): Response {
    return view.get(flags[1 - me]!.location) === 0 || view.get(turn.location) === me ? 0 : BLOCKED
  }
  function* contender(_context: unknown, me: number): Steps<void> {
    if (flagFirst) yield* flags[me]!.write(1)
    yield* turn.write(1 - me)
    if (!flagFirst) yield* flags[me]!.write(1)
    yield* atomic(mayEnter, me)
    yield* inside.add(1)
    yield* inside.add(-1)
    yield* flags[me]!.write(0)
  }
  return system(layout, threads(2, contender), {
    invariant: (memory) => (memory.get(inside.location) > 1 ? 'two threads are inside' : undefined),
  })
}

/** Philosophers that eat once. With `ordered`, the last one reaches for the lower fork first. */
export function philosophers(n: number, ordered: boolean): System {
  const layout = new Layout()
  const forks = Array.from({ length: n }, (_, i) => layout.lock(`fork${i}`))
  function* philosopher(_context: unknown, me: number): Steps<void> {
    const pair = [me, (me + 1) % n]
    if (ordered) pair.sort()
    for (const fork of pair) yield* forks[fork]!.lock()
    for (const fork of pair) yield* forks[fork]!.unlock()
  }
  return system(layout, threads(n, philosopher))
}

/** One thread takes a read lock twice while another wants to write. */
export function nestedReader(writersFirst: boolean): System {
  const layout = new Layout()
  const lock = layout.rwLock('lock', writersFirst)
  function* reader(): Steps<void> {
    yield* lock.readLock()
    yield* lock.readLock()
    yield* lock.readUnlock()
    yield* lock.readUnlock()
  }
  function* writer(): Steps<void> {
    yield* lock.writeLock()
    yield* lock.writeUnlock()
  }
  return system(layout, [thread(reader), thread(writer)])
}

/** Readers and writers of two cells that must be seen to agree. */
export function readersWriters(readers: number, writers: number, writersFirst: boolean): System {
  const layout = new Layout()
  const lock = layout.rwLock('lock', writersFirst)
  const a = layout.cell('a', writers)
  const b = layout.cell('b', writers)
  const torn = layout.cell('torn', 1)
  function* reader(): Steps<void> {
    yield* lock.readLock()
    const first = yield* a.read()
    if (!(yield* b.is(first))) yield* torn.write(1)
    yield* lock.readUnlock()
  }
  function* writer(): Steps<void> {
    yield* lock.writeLock()
    yield* a.add(1)
    yield* b.add(1)
    yield* lock.writeUnlock()
  }
  return system(layout, [...threads(readers, reader), ...threads(writers, writer)], {
    invariant: (memory) => (memory.get(torn.location) === 1 ? 'a reader saw half a write' : undefined),
  })
}

/**
 * Stations on a ring of places, with a token on each at first. A station carries `laps`
 * tokens, one at a time, from its place to the next. The memory changes with most steps.
 */
export function ring(stations: number, laps: number): System {
  const layout = new Layout()
  const places = Array.from({ length: stations }, (_, i) => layout.cell(`place${i}`, stations, 1))
  function take(view: View, _context: unknown, place: number): Response {
    if (view.get(place) === 0) return BLOCKED
    view.set(place, view.get(place) - 1)
    return 0
  }
  function* station(_context: unknown, me: number): Steps<void> {
    for (let i = 0; i < laps; i++) {
      yield* atomic(take, places[me]!.location)
      yield* places[(me + 1) % stations]!.add(1)
    }
  }
  return system(layout, threads(stations, station))
}
