// SPIN, which shares no code with the engine, counts the same states and transitions.

import { describe, expect, it } from 'vitest'
import {
  assert,
  atomic,
  BLOCKED,
  call,
  choose,
  Explorer,
  Layout,
  type Response,
  type Steps,
  type System,
  tail,
  toPromela,
  type View,
} from '../../src/engine/index.ts'
import { runClaims, runSpin, spinAvailable } from '../spin.ts'
import { exploreAll } from './compare.ts'
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

const available = spinAvailable()
const withSpin = describe.skipIf(!available)
if (!available) {
  describe.skip('SPIN and gcc are not installed, so the engine is not compared with them', () =>
    it('', () => {}))
}

/** Checks that SPIN finds as many states and transitions in the emitted program, and returns what it says. */
async function expectSameAsSpin(of: System): Promise<readonly string[]> {
  const explorer = exploreAll(of)
  const { states, transitions } = explorer.result()
  const spin = await runSpin(toPromela(explorer))
  expect({ states: spin.states, transitions: spin.transitions }).toEqual({ states, transitions })
  return spin.messages
}

function choosing(): System {
  const layout = new Layout()
  const x = layout.cell('x', 3)
  const y = layout.cell('y', 3)
  function shift(view: View): Response {
    const by = view.choose(3)
    if (view.get(x.location) === by) return view.choose(2) === 0 ? BLOCKED : by
    view.set(x.location, view.choose(2) + by)
    if (view.get(y.location) < 3) view.set(y.location, view.get(y.location) + 1)
    return by
  }
  function* shifter(): Steps<void> {
    const value = yield* choose(4)
    const by = yield* atomic(shift)
    if (yield* y.is(value)) yield* x.write(by)
  }
  return system(layout, threads(2, shifter))
}

function calling(): System {
  const layout = new Layout()
  const request = layout.cell('request', 1)
  const answer = layout.cell('answer', 4)
  const lock = layout.lock('the *lock*/')
  function* server(): Steps<void> {
    yield* request.waitFor(1)
    yield* call(serve, 2)
    yield* request.write(0)
    yield* tail(server)
  }
  function* serve(_context: unknown, depth: number): Steps<number> {
    if (!(yield* lock.tryLock())) return yield* tail(serve, depth)
    const above = depth > 0 ? 1 : 0
    yield* answer.addUnless(1, 4)
    yield* lock.unlock()
    return above + (depth > 0 ? yield* call(serve, depth - 1) : 0)
  }
  function* client(): Steps<void> {
    yield* request.write(1)
    yield* request.waitFor(0)
    yield* lock.lock()
    yield* answer.write(0)
    yield* lock.unlock()
  }
  return system(layout, [thread(client), daemon(server), thread(client)])
}

withSpin('SPIN', { concurrent: true }, () => {
  it.each<[string, System]>([
    ['counters', counters(2)],
    ['six counters', counters(6)],
    ['361,775 states of counters', counters(4, 3)],
    ['locked counters', lockedCounters(3, 2)],
    ['compare-and-swap with tail calls', casCounter(4)],
    ["Peterson's algorithm", peterson(true)],
    ["Peterson's algorithm, wrong", system(peterson(false).layout, peterson(false).threads)],
    ['ordered philosophers', philosophers(4, true)],
    ['a nested reader', nestedReader(false)],
    ['readers and writers', readersWriters(2, 2, false)],
    ['readers and writers, writers first', readersWriters(2, 2, true)],
    ['a ring', ring(5, 3)],
    ['choices', choosing()],
    ['calls, try-locks and a daemon', calling()],
  ])('counts the same: %s', async (_name, of) => {
    expect(await expectSameAsSpin(of)).toEqual([])
  })

  it('finds the same deadlocks', async () => {
    expect(await expectSameAsSpin(philosophers(3, false))).toEqual(['invalid end state'])
    expect(await expectSameAsSpin(nestedReader(true))).toEqual(['invalid end state'])
  })

  it('finds the same failures, and goes on where the engine goes on', async () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    const lock = layout.lock('lock')
    function* asserting(): Steps<void> {
      const i = yield* choose(3)
      yield* assert(i !== 1, 'one is */ not good')
      yield* x.write(i)
      if (yield* x.is(0)) yield* lock.unlock()
    }
    const explorer = exploreAll(system(layout, threads(2, asserting)))
    const { states, transitions, failures } = explorer.result()
    expect(failures.map(({ kind }) => kind)).toContain('failure')
    const spin = await runSpin(toPromela(explorer))
    expect(spin.messages).toContain('assertion violated')
    expect(spin.states).toBe(states)
    // SPIN counts a failing step too.
    expect(spin.transitions).toBeGreaterThan(transitions)
  })

  it('knows daemons, and threads that have nothing to do', async () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function* waiter(): Steps<void> {
      yield* x.waitFor(1)
    }
    function* idle(): Steps<void> {}
    expect(await expectSameAsSpin(system(layout, [thread(idle), daemon(waiter)]))).toEqual([])
    expect(await expectSameAsSpin(system(layout, [thread(idle), thread(waiter)]))).toEqual([
      'invalid end state',
    ])
  })

  it('takes steps that lead nowhere', async () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function* writer(): Steps<void> {
      yield* x.write(1)
      yield* tail(writer)
    }
    function* chooser(): Steps<void> {
      yield* choose(2)
      yield* tail(chooser)
    }
    expect(await expectSameAsSpin(system(layout, [daemon(writer), daemon(chooser)]))).toEqual([])
    expect(await expectSameAsSpin(system(new Layout(), [thread(chooser)]))).toEqual([])
  })

  it('takes any names', async () => {
    const layout = new Layout()
    const names = [
      'len',
      'len',
      'int',
      'page[0].count',
      'page 0 count',
      '',
      'p_len',
      'é',
      '2x',
      'x\n*/',
      'now',
      'P0',
    ]
    const cells = names.map((name) => layout.cell(name, 2))
    function* run(_context: unknown, me: number): Steps<void> {
      for (let i = me; i < cells.length; i += 4) yield* cells[i]!.write(1)
    }
    const specs = ['len', 'run', 'len', ''].map((name, i) => ({ name, procedure: run, args: [i] }))
    expect(await expectSameAsSpin(system(layout, specs))).toEqual([])
  })

  it('searches where all threads but the daemons have ended, for what it is asked', async () => {
    const layout = new Layout()
    const x = layout.cell('x', 5)
    function* worker(): Steps<void> {
      yield* x.write(2)
      yield* x.write(3)
    }
    function* late(): Steps<void> {
      yield* x.compareAndSwap(3, 4)
      yield* x.waitFor(5)
    }
    const explorer = exploreAll(system(layout, [thread(worker), daemon(late)]))
    const claims = [0, 1, 2, 3, 4, 5].map((value) => ({
      name: `ENDS_WITH_${value}`,
      comment: `x ends with ${value} */`,
      expression: (nameOf: (location: number) => string) => `${nameOf(x.location)} == ${value}`,
    }))
    const program = toPromela(explorer, { claims })
    const found = await runClaims(
      program,
      claims.map(({ name }) => name),
    )
    // 2 is only there before the worker has ended, and 4 is what the daemon makes of the end.
    expect(found).toEqual([false, false, false, true, true, false])
    const { states, transitions } = explorer.result()
    expect(await runSpin(program)).toMatchObject({ states, transitions, errors: 0 })
  })

  it('would see an edge that the engine missed', async () => {
    const explorer = exploreAll(casCounter(2))
    const { code } = explorer.learned.trees
    const root = code[explorer.learned.rootOf(0, explorer.learned.controls[0]!.initial)]!
    // The read of the first thread, for the value 1.
    expect(code[root + 2 + 1]).not.toBe(0)
    code[root + 2 + 1] = 0
    expect((await runSpin(toPromela(explorer))).messages).toEqual(['assertion violated'])
  })

  it('would count fewer states if any option were missing', async () => {
    const explorer = exploreAll(peterson(true))
    const { states, transitions } = explorer.result()
    const program = toPromela(explorer).split('\n')
    const options = program.flatMap((line, at) => (/^ {2}:: .*(?<!learned \*\/)$/.test(line) ? [at] : []))
    expect(options.length).toBeGreaterThan(12)
    for (const at of options.filter((_, i) => i % 5 === 0)) {
      const less = program.map((line, i) => (i === at ? '  :: false' : line)).join('\n')
      const spin = await runSpin(less)
      expect([spin.states, spin.transitions]).not.toEqual([states, transitions])
    }
  })
})

describe('toPromela', () => {
  it('needs a complete exploration', () => {
    const explorer = new Explorer(counters(3), { depth: 2 })
    explorer.run()
    expect(() => toPromela(explorer)).toThrow('the exploration is not complete: depth')
  })

  it('says what it is, and what it leaves out', () => {
    const program = toPromela(exploreAll(counters(2)), { title: 'The lost update\n(*/ a textbook case)' })
    expect(program.split('\n').slice(0, 10)).toEqual([
      '/*',
      'The lost update',
      '(* / a textbook case)',
      '',
      '12 states, 14 transitions (SPIN counts one more, for the initial state).',
      'Not checked here: finalInvariant.',
      '',
      'To count the states, and to look for deadlocks (invalid end states) and failures (assertions):',
      '',
      expect.stringMatching(/^ {2}spin -a -o1 -o2 x\.pml && gcc .* && \.\/pan -c0 -n -m10000$/),
    ])
    expect(program).toContain('\n*/\n\nbyte v_x = 0; /* x */\n\n')
    expect(program).toContain('/* worker > increment: write(0, 1) */')
  })
})
