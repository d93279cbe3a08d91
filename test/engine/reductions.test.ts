// Reductions leave out nothing that can happen: on random small systems, beside the naive explorer.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  atomic,
  BLOCKED,
  call,
  Layout,
  ModelError,
  type Naming,
  naming,
  pick,
  type Reduction,
  type Rename,
  type Response,
  type Search,
  Sort,
  type Steps,
  type System,
  searchOf,
  traceOfFailure,
  traceTo,
  type View,
} from '../../src/engine/index.ts'
import { memoryKey, type NaiveResult, naiveExplore } from '../naive.ts'
import { build, program } from './programs.ts'
import { replay } from './replay.ts'
import { buildThings, TAKE_TURNS, thingProgram, thingsKey } from './things.ts'

const KINDS: readonly (readonly Reduction[])[] = [['merging'], ['symmetry'], ['merging', 'symmetry']]

function reduced(system: System, reductions: readonly Reduction[]): Search {
  const search = searchOf(system, { mode: 'breadth-first', reductions })
  expect(search.run()).toBe(true)
  expect(search.result().bounded).toBeUndefined()
  return search
}

function small(system: System, most: number): NaiveResult | undefined {
  try {
    return naiveExplore(system, most)
  } catch (error) {
    if (error instanceof Error && /^more than \d+ states$/.test(error.message)) return undefined
    throw error
  }
}

/** The same ends, by runs of the same lengths, and the same failures; every run is one that the system has. */
function expectSame(
  system: System,
  search: Search,
  naive: NaiveResult,
  key: (bytes: readonly number[]) => string,
): void {
  const { finals, failures, states } = search.result()
  expect(states).toBeLessThanOrEqual(naive.states)
  const expected = new Map<string, number>()
  for (const final of naive.finals) {
    const name = key(final.split(',').map(Number))
    expected.set(name, Math.min(naive.distances.get(final)!, expected.get(name) ?? Number.POSITIVE_INFINITY))
  }
  const seen = new Map<string, number>()
  for (const { bytes, state } of finals) {
    const trace = traceTo(search, state)
    const end = replay(system, trace)
    expect(key([...end])).toBe(key([...bytes]))
    seen.set(
      key([...bytes]),
      Math.min(trace.steps.length, seen.get(key([...bytes])) ?? Number.POSITIVE_INFINITY),
    )
  }
  expect([...seen].sort()).toEqual([...expected].sort())

  expect(failures.map(({ kind, message }) => `${kind} ${message}`).sort()).toEqual([...naive.failures].sort())
  for (const failed of failures) {
    const trace = traceOfFailure(search, failed)
    replay(system, trace)
    const shortest = naive.distances.get(`${failed.kind} ${failed.message}`)!
    expect(trace.steps.length).toBeGreaterThanOrEqual(shortest)
    if (failed.kind === 'deadlock') expect(trace.steps.length).toBe(shortest)
  }
}

describe('on random systems', () => {
  it('merging finds the same ends, by runs as short, and the same failures', () => {
    let explored = 0
    let gained = 0
    fc.assert(
      fc.property(program, (source) => {
        const system = build(source)
        const naive = small(system, 400)
        if (naive === undefined) return
        explored++
        const search = reduced(system, ['merging'])
        expectSame(system, search, naive, memoryKey)
        if (search.result().states < naive.states) gained++
      }),
      { numRuns: 1_500, seed: 3001 },
    )
    expect(explored).toBeGreaterThan(1_000)
    expect(gained).toBeGreaterThan(300)
  })

  it('every combination does where there are interchangeable things', () => {
    let explored = 0
    const gained = KINDS.map(() => 0)
    fc.assert(
      fc.property(thingProgram, (source) => {
        const system = buildThings(source)
        const naive = small(system, 800)
        if (naive === undefined) return
        explored++
        KINDS.forEach((kind, i) => {
          const search = reduced(system, kind)
          expectSame(system, search, naive, thingsKey)
          if (search.result().states < naive.states) gained[i]!++
        })
      }),
      { numRuns: 800, seed: 3002 },
    )
    expect(explored).toBeGreaterThan(500)
    for (const count of gained) expect(count).toBeGreaterThan(50)
  })
})

describe('symmetry', () => {
  it('names the operation that looks for a small number', () => {
    expect(() => reduced(buildThings(TAKE_TURNS, 'ordered'), ['symmetry'])).toThrow(
      new ModelError(
        'asymmetric',
        'lowest',
        'lowest does something else when two things have changed places. It must not order them by their numbers; and whatever names one, in arguments, results and responses, must be declared with naming().',
      ),
    )
  })

  /** Two threads hand a thing over each, so that there are two to compare. */
  const handing = [0, 1].map((i) => [['take', 0, 0] as const, ['put', i, 0] as const])

  it.each([
    ['compared', 'inOrder'],
    ['odd', 'write'],
  ] as const)('notices what depends on numbers, or loses nothing: %s', (broken, operation) => {
    let noticed = 0
    let alike = 0
    fc.assert(
      fc.property(thingProgram, ({ threads }) => {
        const [first = []] = threads
        const source = { threads: [...handing, [...first, ['set', 0, 0] as const]], forbidden: undefined }
        const system = buildThings(source, broken)
        const naive = small(system, 1_500)
        if (naive === undefined) return
        for (const kind of KINDS.filter((kind) => kind.includes('symmetry'))) {
          try {
            expectSame(system, reduced(system, kind), naive, thingsKey)
            alike++
          } catch (error) {
            if (!(error instanceof ModelError)) throw error
            expect([error.fault, error.procedure]).toEqual(['asymmetric', operation])
            noticed++
          }
        }
      }),
      { numRuns: 200, seed: 3003 },
    )
    expect(noticed).toBeGreaterThan(40)
    expect(alike).toBeGreaterThan(40)
  })

  it.each([
    // By a thread that has no thing itself, and an operation that looks at none.
    ['an operation that compares two names', 'asks', (one: number, other: number) => one < other],
    // In the numbers of all states the thing that is named first has the smallest one.
    ['an operation that knows the third thing', 'asks', (one: number) => one === 3],
  ])('notices %s', (_name, operation, asked) => {
    for (const kind of [['symmetry'], ['merging', 'symmetry']] as const) {
      expect(() => reduced(namesSystem({ asked }), kind)).toThrow(`${operation} does something else when two`)
    }
  })

  it.each([
    // What a blocked operation would have done in other numbers, nobody would ever see.
    ['that waits for an order', 'waits'],
    ['that compares two names in one of the ways that it can go', 'chooses'],
  ] as const)('notices an operation %s', (_name, how) => {
    const asked = (one: number, other: number): boolean => one > other
    for (const kind of [['symmetry'], ['merging', 'symmetry']] as const) {
      expect(() => reduced(namesSystem({ asked, how }), kind)).toThrow('asks does something else when two')
    }
  })

  it('notices a procedure that ends for one thing and goes on for another', () => {
    for (const kind of [['symmetry'], ['merging', 'symmetry']] as const) {
      expect(() => reduced(namesSystem({ ends: (thing) => thing % 2 === 1 }), kind)).toThrow(
        'rule does something else when the things that it is given have other numbers',
      )
    }
  })

  it('notices a procedure that goes another way for another thing', () => {
    const parity = {
      ...TAKE_TURNS,
      threads: TAKE_TURNS.threads.map((thread) => [...thread, ['set', 0, 0]] as const),
    }
    for (const kind of [['symmetry'], ['merging', 'symmetry']] as const) {
      expect(() => reduced(buildThings(parity, 'odd'), kind)).toThrow(/something else when/)
    }
  })

  it('notices an argument that was not declared', () => {
    expect(() => reduced(buildThings(TAKE_TURNS, 'undeclared'), ['symmetry'])).toThrow(/changed places/)
  })
})

/**
 * Three threads take a thing each and put its name into a cell; a fourth asks about the names, and a fifth gives its thing to
 * a procedure.
 * @param asked what is asked about the first two names
 * @param how whether the answer is stored, waited for, or asked for in one of two ways
 * @param ends for which things the procedure does nothing
 */
function namesSystem({
  asked = () => false,
  how = 'answers',
  ends = () => false,
}: {
  readonly asked?: (one: number, other: number) => boolean
  readonly how?: 'answers' | 'waits' | 'chooses'
  readonly ends?: (thing: number) => boolean
}): System {
  const THINGS = 4
  const sort = new Sort('thing')
  const held: Naming = (value: number, to: Rename) => (value === 0 ? 0 : 1 + to(sort, value - 1))
  const layout = new Layout()
  const names = [0, 1, 2].map((i) => layout.naming(layout.cell(`name ${i}`, THINGS), held))
  const taken = Array.from({ length: THINGS }, (_, i) => layout.cell(`thing ${i} is taken`, 1))
  const used = layout.cell('used', THINGS)
  layout.sort(
    sort,
    0,
    taken.map((cell) => [cell]),
    used,
  )
  const answer = layout.cell('answer', 1)
  const gone = layout.cell('gone', 1)

  function take(view: View): Response {
    const known = view.get(used.location)
    const thing = pick(
      view,
      [...Array(known).keys()].filter((i) => view.get(taken[i]!.location) === 0).concat(known),
    )
    if (thing === known) view.set(used.location, known + 1)
    view.set(taken[thing]!.location, 1)
    return 1 + thing
  }
  naming(take, [], held)
  function asks(view: View): Response {
    if (how === 'chooses' && view.choose(2) === 0) return 0
    const [one, other] = [view.get(names[0]!.location), view.get(names[1]!.location)]
    if (one === 0 || other === 0 || (how === 'waits' && !asked(one, other))) return BLOCKED
    view.set(answer.location, asked(one, other) ? 1 : 0)
    return 0
  }
  function* taker(_context: unknown, i: number): Steps<void> {
    yield* names[i]!.write(yield* atomic(take))
  }
  function* asker(): Steps<void> {
    yield* atomic(asks)
  }
  function* giver(): Steps<void> {
    yield* call(rule, yield* atomic(take))
  }
  function* rule(_context: unknown, thing: number): Steps<void> {
    if (ends(thing)) return
    yield* gone.write(1)
  }
  naming(rule, [held])
  const threads = [
    ...names.map((_, i) => ({ name: `taker ${i}`, procedure: taker, args: [i] })),
    { name: 'asker', procedure: asker, args: [] },
    { name: 'giver', procedure: giver, args: [] },
  ]
  // Whoever waits need not come to an end.
  const daemons = threads.map((thread) => ({
    ...thread,
    daemon: thread.procedure === asker && how === 'waits',
  }))
  return { context: undefined, layout, threads: daemons as System['threads'] }
}
