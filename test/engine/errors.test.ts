// Mistakes in a model are found and named, not explored.

import { describe, expect, it } from 'vitest'
import {
  AUTOMATON_LIMITS,
  atomic,
  BLOCKED,
  call,
  choose,
  Explorer,
  explore,
  Layout,
  ModelError,
  type Procedure,
  type Response,
  type Steps,
  tail,
  type View,
} from '../../src/engine/index.ts'
import { system, thread } from './systems.ts'

const layout = new Layout()
const x = layout.cell('x', 3)

/** What is thrown when one thread runs a procedure. */
function fault(procedure: Procedure, ...args: (number | readonly number[])[]): ModelError {
  try {
    explore(system(layout, [thread(procedure, ...args)]))
  } catch (error) {
    if (error instanceof ModelError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a generator that looks at hidden state', () => {
  it('is caught at a step', () => {
    let runs = 0
    function* forgetful(): Steps<void> {
      yield* x.write(runs++ % 2)
    }
    expect(fault(forgetful)).toMatchObject({ fault: 'impure', procedure: 'forgetful' })
    expect(fault(forgetful).message).toMatch(/its step 1 was write\(0, [01]\) and is now write\(0, [01]\)/)
  })

  it('is caught in the middle', () => {
    let runs = 0
    function* forgetful(): Steps<void> {
      yield* x.write(0)
      if (runs++ % 3 === 2) yield* x.write(1)
      else yield* x.write(2)
      yield* x.read()
    }
    expect(fault(forgetful)).toMatchObject({ fault: 'impure', procedure: 'forgetful' })
  })

  it('is caught in its result', () => {
    let runs = 0
    function* forgetful(): Steps<number> {
      yield* x.read()
      return runs++
    }
    function* caller(): Steps<void> {
      yield* x.write((yield* call(forgetful)) % 2)
    }
    expect(fault(caller)).toMatchObject({ fault: 'impure', procedure: 'forgetful' })
    expect(fault(caller).message).toContain('return')
  })

  it('is caught when it keeps a count in an argument', () => {
    function* counting(_context: unknown, counts: number[]): Steps<void> {
      yield* x.read()
      counts[0]! += 1
      yield* x.write(counts[0]!)
    }
    expect(fault(counting as Procedure, [0])).toMatchObject({ fault: 'threw', procedure: 'counting' })
  })

  it('is caught when it calls a function of its own making', () => {
    function* maker(): Steps<void> {
      yield* call(function* inner(): Steps<void> {
        yield* x.read()
      })
    }
    expect(fault(maker)).toMatchObject({ fault: 'impure', procedure: 'maker' })
    expect(fault(maker).message).toContain('call no function that it made itself')
  })
})

describe('what changes only with time', () => {
  it('is caught when everything runs once more', () => {
    let now = 0
    function* clock(): Steps<void> {
      yield* x.write(now)
      yield* x.read()
    }
    const explorer = new Explorer(system(layout, [thread(clock)]))
    explorer.run()
    expect(explorer.result().bounded).toBeUndefined()
    explorer.learned.recheck()
    now = 1
    expect(() => explorer.learned.recheck()).toThrow(/clock did something else/)
  })

  it('also in a result, and in what comes last', () => {
    let now = 0
    function* last(): Steps<number> {
      return now
    }
    function* caller(): Steps<void> {
      yield* x.write(0)
      yield* call(last)
      yield* x.write(1)
    }
    const explorer = new Explorer(system(layout, [thread(caller)]))
    explorer.run()
    now = 1
    expect(() => explorer.learned.recheck()).toThrow(/last did something else/)
  })

  it('also in an operation, whatever it does: what it reads, chooses, writes or answers', () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    const y = layout.cell('y', 1)
    let late = false
    const CHANGES: readonly ((view: View) => Response)[] = [
      (view) => view.get(late ? y.location : x.location),
      (view) => (late ? view.get(x.location) : 0),
      (view) => (late ? 0 : view.get(x.location)),
      (view) => view.choose(late ? 3 : 2),
      (view) => (view.choose(2) === 1 && late ? 0 : 1),
      (view) => {
        view.set(x.location, late ? 2 : 3)
        return 0
      },
      (view) => (view.get(x.location) === 1 && late ? view.fail('too late') : 0),
      (view) => (view.get(x.location) === 1 && late ? BLOCKED : 0),
    ]
    for (const operation of CHANGES) {
      late = false
      const step = (view: View): Response => operation(view)
      function* worker(): Steps<void> {
        const answer = yield* atomic(step)
        yield* x.write(answer === 0 ? 1 : 2)
      }
      const explorer = new Explorer(system(layout, [thread(worker), thread(worker)]))
      explorer.run()
      explorer.learned.recheck()
      late = true
      expect(() => explorer.learned.recheck(), String(operation)).toThrow(/^step did something else/)
    }
  })
})

describe('what is no request', () => {
  it.each([
    5,
    null,
    undefined,
    {},
    { kind: 'atomic' },
    { kind: 'atomic', effect: () => 0 },
    { kind: 'jump' },
  ])('cannot be yielded: %o', (request) => {
    function* odd(): Steps<void> {
      yield request as never
    }
    expect(fault(odd)).toMatchObject({ fault: 'threw', procedure: 'odd' })
    expect(fault(odd).message).toContain('yielded what is no request')
  })

  it.each([
    [() => 1, 'a function'],
    [5n, 'a bigint'],
    [new Map(), 'a Map'],
    [[{ a: new Date(0) }], 'a Date'],
    [Symbol('s'), 'a symbol'],
  ])('cannot be passed or returned: %o', (value, words) => {
    function nothing(): Response {
      return 0
    }
    function* passing(): Steps<void> {
      yield* atomic(nothing as never, value as never)
    }
    function* returning(): Steps<number> {
      return value as never
    }
    function* caller(): Steps<void> {
      yield* call(returning)
    }
    expect(fault(passing).message).toContain(`passing passes to nothing ${words}.`)
    expect(fault(caller).message).toContain(`returning returns ${words}.`)
  })

  it('cannot be a value that contains itself', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    function* passing(): Steps<void> {
      yield* call(passing as never, loop as never)
    }
    expect(fault(passing).message).toContain('a value that contains itself')
  })
})

describe('an effect that looks at hidden state', () => {
  it('is caught in what it writes', () => {
    let runs = 0
    function flaky(view: View): Response {
      view.set(x.location, runs++ % 2)
      return 0
    }
    function* procedure(): Steps<void> {
      yield* atomic(flaky)
    }
    expect(fault(procedure)).toMatchObject({ fault: 'impure', procedure: 'flaky' })
  })

  it('is caught in what it reads and how it chooses', () => {
    let runs = 0
    function flaky(view: View): Response {
      return runs++ % 2 === 0 ? view.get(x.location) : view.choose(2)
    }
    function* procedure(): Steps<void> {
      yield* atomic(flaky)
    }
    expect(fault(procedure)).toMatchObject({ fault: 'impure', procedure: 'flaky' })
  })

  it('is caught in what it answers', () => {
    let runs = 0
    function flaky(): Response {
      return runs++
    }
    function* procedure(): Steps<void> {
      yield* x.write((yield* atomic(flaky)) % 2)
    }
    expect(fault(procedure)).toMatchObject({ fault: 'impure', procedure: 'flaky' })
  })
})

describe('code that throws', () => {
  it('is named if it is a generator, with its reason', () => {
    function* broken(): Steps<void> {
      yield* x.read()
      throw new TypeError('no such page')
    }
    const error = fault(broken)
    expect(error).toMatchObject({
      fault: 'threw',
      procedure: 'broken',
      message: 'broken threw: no such page',
    })
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('is named if it is an effect', () => {
    function broken(): Response {
      throw 'a string'
    }
    function* procedure(): Steps<void> {
      yield* atomic(broken)
    }
    expect(fault(procedure)).toMatchObject({ procedure: 'broken', message: 'broken threw: a string' })
  })

  it.each([0.5, Number.NaN, -2, -3, undefined as unknown as number])('cannot answer %s', (response) => {
    function odd(): Response {
      return response
    }
    function* procedure(): Steps<void> {
      yield* atomic(odd)
    }
    expect(fault(procedure)).toMatchObject({ fault: 'threw', procedure: 'odd' })
  })

  it.each([4, -1, 0.5, Number.NaN])('cannot write %s to a location that holds 0 to 3', (value) => {
    function* procedure(): Steps<void> {
      yield* x.write(value)
    }
    const error = fault(procedure)
    expect(error).toMatchObject({ fault: 'threw', procedure: 'write' })
    expect(error.message).toContain(`it sets x to ${value}, which is not within 0..3`)
  })

  it.each([1, -1, 0.5, Number.NaN])('cannot use location %s if there is one', (location) => {
    function get(view: View): Response {
      return view.get(location)
    }
    function set(view: View): Response {
      view.set(location, 0)
      return 0
    }
    for (const effect of [get, set]) {
      function* procedure(): Steps<void> {
        yield* atomic(effect)
      }
      expect(fault(procedure).message).toContain(`it uses location ${location}, which does not exist`)
    }
  })

  it.each([0, -1, 1.5])('cannot choose among %s', (n) => {
    function* procedure(): Steps<void> {
      yield* choose(n)
    }
    expect(fault(procedure).message).toContain(`it chooses among ${n}`)
  })

  it('cannot choose without end', () => {
    function endless(view: View): Response {
      for (;;) view.choose(1)
    }
    function* procedure(): Steps<void> {
      yield* atomic(endless)
    }
    expect(fault(procedure).message).toContain('without end')
  })
})

describe('code without end', () => {
  it('is named if it is a plain loop over shared state', () => {
    function* spinner(): Steps<void> {
      while (yield* x.is(0)) {}
    }
    const error = fault(spinner)
    expect(error).toMatchObject({ fault: 'unbounded', procedure: 'spinner' })
    expect(error.message).toContain('must be a call or a tail call')
  })

  it('is named if it is a plain loop over calls', () => {
    function* once(): Steps<void> {
      yield* x.read()
    }
    function* caller(): Steps<void> {
      for (;;) yield* call(once)
    }
    expect(fault(caller)).toMatchObject({ fault: 'unbounded', procedure: 'caller' })
  })

  it('is named if it calls itself', () => {
    function* deep(_context: unknown, n: number): Steps<void> {
      yield* x.read()
      yield* call(deep, n + 1)
    }
    expect(fault(deep, 0)).toMatchObject({ fault: 'unbounded', procedure: 'deep' })
    function* silent(): Steps<void> {
      yield* call(silent)
    }
    expect(fault(silent)).toMatchObject({ fault: 'unbounded', procedure: 'silent' })
  })

  it('is named if it is a tail call and no operation', () => {
    function* silent(): Steps<void> {
      yield* tail(silent)
    }
    expect(fault(silent)).toMatchObject({ fault: 'unbounded', procedure: 'silent' })
    function* rising(_context: unknown, n: number): Steps<void> {
      yield* tail(rising, n + 1)
    }
    expect(fault(rising, 0)).toMatchObject({ fault: 'unbounded', procedure: 'rising' })
  })

  it('is fine if it is a tail call and an operation', () => {
    function* loop(): Steps<void> {
      yield* x.read()
      yield* tail(loop)
    }
    expect(explore(system(layout, [thread(loop)]))).toMatchObject({ states: 1, transitions: 1, failures: [] })
  })

  it('is named if it has too many histories', () => {
    function* gambler(): Steps<void> {
      for (let i = 0; i < 30; i++) yield* choose(3)
    }
    const explorer = () =>
      new Explorer(system(layout, [thread(gambler)]), { automaton: { ...AUTOMATON_LIMITS, nodes: 1_000 } })
    expect(() => explorer().run()).toThrow(/gambler has more than 1000 different histories/)
  })

  it('is named if a thread has more control states than can be told apart', () => {
    function* pick(_context: unknown, n: number): Steps<number> {
      return (yield* choose(40)) + 40 * n
    }
    function* holder(_context: unknown, held: number): Steps<void> {
      const a = yield* call(pick, 0)
      const b = yield* call(pick, held + a)
      yield* tail(holder, b)
    }
    expect(fault(holder, 0)).toMatchObject({ fault: 'unbounded' })
    expect(fault(holder, 0).message).toContain('65535 control states')
  })

  it('is named if it takes too long between two operations', () => {
    function* slow(): Steps<void> {
      for (let i = 0; i < 5; i++) {
        const until = Date.now() + 4
        while (Date.now() < until) {}
        yield* x.read()
      }
    }
    const explorer = () =>
      new Explorer(system(layout, [thread(slow)]), { automaton: { ...AUTOMATON_LIMITS, replayMs: 5 } }).run()
    expect(explorer).toThrow(/slow needs more than 5 ms/)
  })

  it('is not blamed for a machine that was busy with something else', () => {
    let busy = 2
    function* innocent(): Steps<void> {
      for (let i = 0; i < 5; i++) yield* x.read()
      const until = Date.now() + (busy-- > 0 ? 30 : 0)
      while (Date.now() < until) {}
    }
    const limits = { automaton: { ...AUTOMATON_LIMITS, replayMs: 20 } }
    expect(explore(system(layout, [thread(innocent)]), limits).bounded).toBeUndefined()
    expect(busy).toBeLessThan(0)
  })

  it('can be watched', () => {
    const names: string[] = []
    function* watched(): Steps<void> {
      yield* x.read()
    }
    const explorer = new Explorer(system(layout, [thread(watched)]))
    explorer.learned.automata.onReplay = (name) => names.push(name)
    explorer.run()
    expect(new Set(names)).toEqual(new Set(['watched', 'read']))
  })
})

describe('a layout', () => {
  it('refuses values that are no bytes', () => {
    for (const max of [-1, 256, 1.5, Number.NaN]) {
      expect(() => new Layout().cell('a', max)).toThrow(/location a: max/)
    }
    for (const initial of [-1, 3, 0.5, Number.NaN]) {
      expect(() => new Layout().cell('a', 2, initial)).toThrow(/location a: initial/)
    }
  })

  it('takes all bytes, and many locations', () => {
    const wide = new Layout()
    const cells = Array.from({ length: 300 }, (_, i) => wide.cell(`c${i}`, 255, i % 256))
    function* writer(): Steps<void> {
      yield* cells[0]!.write(255)
      yield* cells[256]!.write(yield* cells[255]!.read())
      yield* cells[299]!.write(0)
    }
    const { finals } = explore(system(wide, [thread(writer)]))
    expect(finals.map(({ bytes }) => [bytes[0], bytes[1], bytes[256], bytes[298], bytes[299]])).toEqual([
      [255, 1, 255, 42, 0],
    ])
  })
})
