// Textbook problems whose answers are known.

import { describe, expect, it } from 'vitest'
import {
  assert,
  atomic,
  BLOCKED,
  call,
  choose,
  explore,
  Layout,
  type Response,
  type Steps,
  tail,
  traceOfFailure,
  type View,
} from '../../src/engine/index.ts'
import { expectSameAsNaive, exploreAll, failuresOf, finalsOf } from './compare.ts'
import {
  casCounter,
  counters,
  daemon,
  lockedCounters,
  nestedReader,
  peterson,
  philosophers,
  readersWriters,
  ring,
  system,
  thread,
  threads,
} from './systems.ts'

describe('the lost update', () => {
  it('has 12 states and both outcomes', () => {
    // (x, thread, thread); R reads next, Wn writes next and has read n, D has ended:
    // 0RR; 0W0R and 0RW0; 0W0W0; 1DR and 1RD; 1DW0 and 1W0D; 1DW1 and 1W1D; 1DD; 2DD.
    // Steps: 2; 2·2; 2; 2·1; 2·1; 2·1.
    const { states, transitions, depth, memories } = exploreAll(counters(2)).result()
    expect({ states, transitions, depth, memories }).toEqual({
      states: 12,
      transitions: 14,
      depth: 4,
      memories: 3,
    })
    const { explorer } = expectSameAsNaive(counters(2))
    expect(finalsOf(explorer).sort()).toEqual(['1', '2'])
    expect(failuresOf(explorer)).toEqual(['invariant an update is lost'])
  })

  it('needs four steps to show', () => {
    const explorer = exploreAll(counters(2))
    expect(traceOfFailure(explorer, explorer.result().failures[0]!).steps).toHaveLength(4)
  })

  it('can lose all but two of n times two updates', () => {
    // The known puzzle: with at least two rounds, any number of threads can end with as little as 2.
    const least = (n: number, rounds: number) =>
      Math.min(...finalsOf(exploreAll(counters(n, rounds))).map(Number))
    expect(least(2, 2)).toBe(2)
    expect(least(2, 4)).toBe(2)
    expect(least(3, 2)).toBe(2)
    expect(least(3, 1)).toBe(1)
  })

  it('is prevented by a lock', () => {
    // One thread alone has 5 control states. Holding the lock excludes the other, so both are never inside:
    // neither begun nor ended, or inside in one of 3 places: (out, out): 4; (inside, out): 2 threads · 3 places · 2.
    const { explorer } = expectSameAsNaive(lockedCounters(2))
    expect(explorer.result().states).toBe(16)
    expect(finalsOf(explorer)).toEqual(['2,0'])
    expect(failuresOf(explorer)).toEqual([])
    expect(failuresOf(expectSameAsNaive(lockedCounters(3, 2)).explorer)).toEqual([])
  })
})

describe('a counter by compare-and-swap', () => {
  it.each([1, 2, 3, 4])('is exact for %i threads, and its retries come back to known states', (n) => {
    const { explorer } = expectSameAsNaive(casCounter(n))
    expect(finalsOf(explorer)).toEqual([String(n)])
    expect(failuresOf(explorer)).toEqual([])
  })
})

describe("Peterson's algorithm", () => {
  it('keeps two threads apart', () => {
    const { explorer } = expectSameAsNaive(peterson(true))
    expect(failuresOf(explorer)).toEqual([])
    expect(finalsOf(explorer).sort()).toEqual(['0,0,0,0', '0,0,1,0'])
  })

  it('fails in eight steps when the turn is yielded before the flag is up', () => {
    // Each thread must yield, raise, pass and step inside: no run of fewer than eight steps can show it.
    const { explorer } = expectSameAsNaive(peterson(false))
    expect(failuresOf(explorer)).toEqual(['invariant two threads are inside'])
    const trace = traceOfFailure(explorer, explorer.result().failures[0]!)
    expect(trace.steps).toHaveLength(8)
  })
})

describe('dining philosophers', () => {
  it.each([2, 3, 4, 5])('starve, all %i of them, in as many steps', (n) => {
    const { explorer } = expectSameAsNaive(philosophers(n, false))
    expect(failuresOf(explorer)).toEqual(['deadlock no thread can go on'])
    expect(traceOfFailure(explorer, explorer.result().failures[0]!).steps).toHaveLength(n)
  })

  it.each([2, 3, 4, 5])('eat when %i forks are ordered', (n) => {
    const { explorer } = expectSameAsNaive(philosophers(n, true))
    expect(failuresOf(explorer)).toEqual([])
    expect(finalsOf(explorer)).toHaveLength(1)
  })
})

describe('readers and writers', () => {
  it.each([
    [2, 1, false],
    [2, 1, true],
    [1, 2, false],
    [1, 2, true],
    [3, 1, true],
  ])('%i and %i, writers first: %s: nobody sees half a write', (readers, writers, writersFirst) => {
    const { explorer } = expectSameAsNaive(readersWriters(readers, writers, writersFirst))
    expect(failuresOf(explorer)).toEqual([])
  })

  it('lets readers in together, and a writer only alone', () => {
    const layout = new Layout()
    const lock = layout.rwLock('lock')
    const inside = layout.cell('inside', 3)
    const together = layout.cell('together', 3)
    function* reader(): Steps<void> {
      yield* lock.readLock()
      yield* inside.add(1)
      yield* together.write(yield* inside.read())
      yield* inside.add(-1)
      yield* lock.readUnlock()
    }
    function* writer(): Steps<void> {
      yield* lock.writeLock()
      yield* assert(yield* inside.is(0), 'a writer is not alone')
      yield* lock.writeUnlock()
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(reader), thread(reader), thread(writer)]))
    expect(failuresOf(explorer)).toEqual([])
    expect(finalsOf(explorer).sort()).toEqual(['0,0,1', '0,0,2'])
  })

  it('deadlock on a nested read lock only if a waiting writer goes first', () => {
    // Unfair: (reader 0..4) × (writer 0..2), writer inside only while the reader is out: 5 + 2 + 5.
    expect(expectSameAsNaive(nestedReader(false)).explorer.result()).toMatchObject({
      states: 12,
      failures: [],
    })
    const { explorer } = expectSameAsNaive(nestedReader(true))
    expect(failuresOf(explorer)).toEqual(['deadlock no thread can go on'])
    expect(traceOfFailure(explorer, explorer.result().failures[0]!).steps).toHaveLength(2)
  })

  it('lets no writer in while a write lock becomes a read lock', () => {
    const build = (downgrade: boolean) => {
      const layout = new Layout()
      const lock = layout.rwLock('lock')
      const x = layout.cell('x', 2)
      function* first(): Steps<void> {
        yield* lock.writeLock()
        yield* x.write(1)
        if (downgrade) {
          yield* lock.downgrade()
        } else {
          yield* lock.writeUnlock()
          yield* lock.readLock()
        }
        yield* assert(yield* x.is(1), 'a writer came in between')
        yield* lock.readUnlock()
      }
      function* second(): Steps<void> {
        yield* lock.writeLock()
        yield* x.write(2)
        yield* lock.writeUnlock()
      }
      return system(layout, [thread(first), thread(second)])
    }
    expect(failuresOf(expectSameAsNaive(build(true)).explorer)).toEqual([])
    expect(failuresOf(expectSameAsNaive(build(false)).explorer)).toEqual(['failure a writer came in between'])
  })
})

describe('locks', () => {
  it('can be tried', () => {
    const layout = new Layout()
    const lock = layout.lock('lock')
    const got = layout.cell('got', 2)
    function* trier(): Steps<void> {
      if (!(yield* lock.tryLock())) return
      yield* got.add(1)
      yield* lock.unlock()
    }
    const { explorer } = expectSameAsNaive(system(layout, threads(2, trier)))
    expect(finalsOf(explorer).sort()).toEqual(['0,1', '0,2'])
  })

  it('belong to the thread that took them', () => {
    const layout = new Layout()
    const lock = layout.lock('lock')
    const rw = layout.rwLock('rw')
    function* owner(): Steps<void> {
      yield* lock.lock()
    }
    function* thief(): Steps<void> {
      yield* lock.unlock()
    }
    function* reader(): Steps<void> {
      yield* rw.readUnlock()
    }
    function* writer(): Steps<void> {
      yield* rw.writeUnlock()
    }
    function* downgrader(): Steps<void> {
      yield* rw.downgrade()
    }
    const { explorer } = expectSameAsNaive(
      system(
        layout,
        [owner, thief, reader, writer, downgrader].map((procedure) => thread(procedure)),
      ),
    )
    expect(failuresOf(explorer).sort()).toEqual([
      'failure a thread downgrades a write lock that it does not hold',
      'failure a thread drops a read lock that nobody holds',
      'failure a thread drops a write lock that it does not hold',
      'failure a thread unlocks a lock that it does not hold',
    ])
  })

  it('taken twice by one thread are a deadlock', () => {
    const layout = new Layout()
    const lock = layout.lock('lock')
    function* twice(): Steps<void> {
      yield* lock.lock()
      yield* lock.lock()
    }
    const { states, transitions, failures } = expectSameAsNaive(
      system(layout, [thread(twice)]),
    ).explorer.result()
    expect({ states, transitions }).toEqual({ states: 2, transitions: 1 })
    expect(failures).toMatchObject([{ kind: 'deadlock', state: 1 }])
  })
})

describe('choices', () => {
  it('made by a step of their own', () => {
    const layout = new Layout()
    const x = layout.cell('x', 2)
    function* chooser(): Steps<void> {
      yield* x.write(yield* choose(3))
    }
    // One start, three pending writes, three ends.
    const { states, transitions } = expectSameAsNaive(system(layout, [thread(chooser)])).explorer.result()
    expect({ states, transitions }).toEqual({ states: 7, transitions: 6 })
  })

  it('made inside an operation, one after another, with different reads behind them', () => {
    const layout = new Layout()
    const x = layout.cell('x', 5)
    const y = layout.cell('y', 1, 1)
    function pick(view: View): Response {
      const first = view.choose(3)
      if (first === 0) return BLOCKED
      if (first === 1) view.set(x.location, view.get(y.location) + view.choose(2))
      else view.set(x.location, 3 + view.choose(2) + view.choose(2))
      return 0
    }
    function* picker(): Steps<void> {
      yield* atomic(pick)
    }
    // 1 + {0,1}, and 3 + {0,1} + {0,1} in four ways.
    const { explorer } = expectSameAsNaive(system(layout, [thread(picker)]))
    expect(explorer.result()).toMatchObject({ states: 6, transitions: 6 })
    expect(finalsOf(explorer)).toEqual(['1,1', '2,1', '3,1', '4,1', '5,1'])
  })
})

describe('waiting', () => {
  it('is no step', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    const y = layout.cell('y', 1)
    function* signaller(): Steps<void> {
      yield* x.write(1)
    }
    function* waiter(): Steps<void> {
      yield* x.waitFor(1)
      yield* y.write(1)
    }
    const { states, transitions } = expectSameAsNaive(
      system(layout, [thread(signaller), thread(waiter)]),
    ).explorer.result()
    expect({ states, transitions }).toEqual({ states: 4, transitions: 3 })
  })

  it('for ever is a deadlock, of which the writes do not happen', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function half(view: View): Response {
      view.set(x.location, 1)
      return BLOCKED
    }
    function* waiter(): Steps<void> {
      yield* atomic(half)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(waiter)]))
    expect(explorer.result()).toMatchObject({ states: 1, transitions: 0, memories: 1 })
    expect(failuresOf(explorer)).toEqual(['deadlock no thread can go on'])
  })
})

describe('daemons', () => {
  const serve = () => {
    const layout = new Layout()
    const request = layout.cell('request', 1)
    const served = layout.cell('served', 2)
    function* server(): Steps<void> {
      yield* request.waitFor(1)
      yield* served.add(1)
      yield* request.write(0)
      yield* tail(server)
    }
    function* client(_context: unknown, waits: boolean): Steps<void> {
      for (let i = 0; i < 2; i++) {
        yield* request.write(1)
        if (waits) yield* request.waitFor(0)
      }
    }
    return { layout, server, client }
  }

  it('may wait for ever', () => {
    const { layout, server, client } = serve()
    const { explorer } = expectSameAsNaive(system(layout, [thread(client, true), daemon(server)]))
    expect(failuresOf(explorer)).toEqual([])
    expect(finalsOf(explorer)).toEqual(['0,2'])
  })

  it('go on when the others have ended, through further last memories', () => {
    const { layout, server, client } = serve()
    const { explorer } = expectSameAsNaive(system(layout, [thread(client, false), daemon(server)]))
    expect(finalsOf(explorer).sort()).toEqual(['0,1', '0,2', '1,0', '1,1', '1,2'])
  })

  it('that are no daemons are a deadlock', () => {
    const { layout, server, client } = serve()
    const { explorer } = expectSameAsNaive(system(layout, [thread(client, true), thread(server)]))
    expect(failuresOf(explorer)).toEqual(['deadlock no thread can go on'])
    expect(finalsOf(explorer)).toEqual([])
  })

  it('do not hide the deadlock of another thread', () => {
    const { layout, server } = serve()
    const never = layout.cell('never', 1)
    function* stuck(): Steps<void> {
      yield* never.waitFor(1)
    }
    const { explorer } = expectSameAsNaive(system(layout, [daemon(server), thread(stuck)]))
    expect(failuresOf(explorer)).toEqual(['deadlock no thread can go on'])
  })
})

describe('calls', () => {
  it('forget how they came to their result', () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    function* parity(): Steps<number> {
      const a = yield* choose(4)
      yield* x.write(a)
      return a % 2
    }
    function* caller(): Steps<void> {
      const odd = yield* call(parity)
      yield* x.write(odd)
    }
    // 1; 4 pending writes; after them 4 memories × the parity that goes with each; 2 ends.
    const { states } = expectSameAsNaive(system(layout, [thread(caller)])).explorer.result()
    expect(states).toBe(11)
  })

  it('pass objects, lists and nothing, and recurse', () => {
    const layout = new Layout()
    const x = layout.cell('x', 10)
    function* sum(_context: unknown, list: readonly number[]): Steps<{ readonly sum: number }> {
      const [head, ...rest] = list
      if (head === undefined) return { sum: 0 }
      yield* x.add(1)
      return { sum: head + (yield* call(sum, rest)).sum }
    }
    function* nothing(): Steps<void> {}
    function* caller(): Steps<void> {
      const result = yield* call(sum, [1, 2, 3])
      yield* assert((yield* call(nothing)) === undefined, 'nothing is something')
      yield* x.write(result.sum)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(caller)]))
    expect(explorer.result()).toMatchObject({ states: 5, transitions: 4, failures: [] })
    expect(finalsOf(explorer)).toEqual(['6'])
  })
})

describe('invariants', () => {
  const layout = new Layout()
  const a = layout.cell('a', 2)
  const b = layout.cell('b', 2)
  function* both(): Steps<void> {
    yield* a.add(1)
    yield* b.add(1)
  }
  function* worker(): Steps<void> {
    yield* call(both)
    yield* call(both)
  }
  const differ = (memory: { get(location: number): number }) =>
    memory.get(a.location) === memory.get(b.location) ? undefined : 'a and b differ'

  it('that are broken for a moment stop the run there', () => {
    const { explorer } = expectSameAsNaive(system(layout, [thread(worker)], { invariant: differ }))
    expect(explorer.result()).toMatchObject({ states: 1, transitions: 1 })
    expect(failuresOf(explorer)).toEqual(['invariant a and b differ'])
  })

  it('are looked at between calls if only then they must hold', () => {
    const { explorer } = expectSameAsNaive(system(layout, [thread(worker)], { restInvariant: differ }))
    expect(explorer.result()).toMatchObject({ states: 5, failures: [] })
  })

  it('hold at rest only if every thread rests', () => {
    const twice = system(layout, [thread(both), thread(idle)], { restInvariant: differ })
    function* idle(): Steps<void> {}
    // `both` as a root procedure never counts as inside, so its own half is seen.
    expect(failuresOf(expectSameAsNaive(twice).explorer)).toEqual(['invariant a and b differ'])
  })

  it('at rest do not mind a tail call in the middle', () => {
    function* first(): Steps<void> {
      yield* a.add(1)
      yield* tail(second)
    }
    function* second(): Steps<void> {
      yield* b.add(1)
    }
    function* caller(): Steps<void> {
      yield* call(first)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(caller)], { restInvariant: differ }))
    expect(failuresOf(explorer)).toEqual([])
  })

  it('at rest are looked at also in a memory that was first seen inside a call', () => {
    function* idly(): Steps<void> {
      yield* a.write(1)
      yield* a.write(1)
    }
    function* caller(): Steps<void> {
      yield* call(idly)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(caller)], { restInvariant: differ }))
    expect(failuresOf(explorer)).toEqual(['invariant a and b differ'])
  })

  it('at rest are looked at behind calls that did nothing', () => {
    function* idle(): Steps<void> {}
    function* indirect(): Steps<void> {
      yield* call(idle)
      yield* a.add(1)
    }
    function* caller(): Steps<void> {
      yield* a.add(1)
      yield* call(indirect)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(caller)], { restInvariant: differ }))
    expect(failuresOf(explorer)).toEqual(['invariant a and b differ'])
  })

  it('broken from the beginning leave nothing to explore', () => {
    const { explorer } = expectSameAsNaive(system(layout, [thread(worker)], { invariant: () => 'no' }))
    expect(explorer.result()).toMatchObject({ states: 1, transitions: 0, depth: 0, frontier: 0 })
    expect(traceOfFailure(explorer, explorer.result().failures[0]!).steps).toEqual([])
  })

  it('are looked at in the end, also after an end with the same memory was fine so far', () => {
    const end = (memory: { get(location: number): number }) =>
      memory.get(a.location) === 2 ? 'a is 2' : undefined
    const { explorer } = expectSameAsNaive(system(layout, [thread(worker)], { finalInvariant: end }))
    expect(failuresOf(explorer)).toEqual(['invariant a is 2'])
  })
})

describe('failures', () => {
  it('end one run and no other', () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    function* asserting(): Steps<void> {
      const i = yield* choose(3)
      yield* assert(i !== 1, 'one')
      yield* assert(i !== 2, 'two')
      yield* x.write(3)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(asserting)]))
    // Start; three after the choice, of which two fail; the end.
    expect(explorer.result()).toMatchObject({ states: 5, transitions: 4 })
    expect(failuresOf(explorer).sort()).toEqual(['failure one', 'failure two'])
  })

  it('count even if the operation does not return them', () => {
    const layout = new Layout()
    function careless(view: View): Response {
      view.fail('careless')
      return 0
    }
    function* procedure(): Steps<void> {
      yield* atomic(careless)
    }
    const { explorer } = expectSameAsNaive(system(layout, [thread(procedure)]))
    expect(failuresOf(explorer)).toEqual(['failure careless'])
  })

  it('without a thread are refused', () => {
    expect(() => explore(system(new Layout(), []))).toThrow(RangeError)
  })
})

describe('any number of threads', () => {
  it.each([1, 2, 3, 4, 5, 6])('%i threads that set a bit each have 2^n states', (n) => {
    const layout = new Layout()
    const bits = Array.from({ length: n }, (_, i) => layout.cell(`bit${i}`, 1))
    function* setter(_context: unknown, me: number): Steps<void> {
      yield* bits[me]!.write(1)
    }
    const result = expectSameAsNaive(system(layout, threads(n, setter))).explorer.result()
    expect(result).toMatchObject({ states: 2 ** n, transitions: n * 2 ** (n - 1), depth: n })
  })

  it.each([3, 4, 5, 6])('%i threads lose updates alike', (n) => {
    expectSameAsNaive(counters(n))
  })

  it('three and five threads go round a ring', () => {
    expectSameAsNaive(ring(3, 4))
    expectSameAsNaive(ring(5, 2))
  })
})
