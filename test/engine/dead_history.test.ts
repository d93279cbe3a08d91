/** Dead history is found where it is, nowhere else, and counted exactly. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold } from '../../src/engine/dead_history.ts'
import {
  call,
  DONE,
  deadHistory,
  type Explorer,
  Layout,
  type Steps,
  type System,
  tail,
} from '../../src/engine/index.ts'
import { leavesOf } from '../../src/engine/leaves.ts'
import { exploreAll } from './compare.ts'
import { casCounter, counters, daemon, system, thread } from './systems.ts'

/** A writer sets x to 0 or 1 at any moment; a reader looks at it and then does something. */
function withReader(
  reader: (x: ReturnType<Layout['cell']>, y: ReturnType<Layout['cell']>) => System['threads'][number],
): System {
  const layout = new Layout()
  const x = layout.cell('x', 1)
  const y = layout.cell('y', 3)
  function* writer(): Steps<void> {
    yield* x.write(1)
  }
  return system(layout, [thread(writer), reader(x, y)])
}

describe('dead history', () => {
  it('is an answer that nothing uses', () => {
    const wasteful = withReader((x, y) => {
      function* reader(): Steps<void> {
        yield* x.read()
        yield* y.write(1)
        yield* y.write(2)
      }
      return thread(reader)
    })
    const history = deadHistory(exploreAll(wasteful))
    // Two states more than needed: after the read of 0, with x written since, the reader is at its first or second write.
    expect(history).toMatchObject({ states: 10, folded: 8 })
    expect(history.threads).toEqual([
      { name: 'writer', controls: 2, classes: 2 },
      { name: 'reader', controls: 6, classes: 4 },
    ])
    expect(history.causes).toEqual([
      {
        procedure: 'reader',
        what: 'step 1, the answer of read',
        example: expect.stringMatching(/^read\(x\) answered [01] or [01]$/),
        states: 2,
        alone: 2,
      },
    ])
  })

  it('is not an answer that is used, however late', () => {
    const careful = withReader((x, y) => {
      function* reader(): Steps<void> {
        const seen = yield* x.read()
        yield* y.write(1)
        yield* y.write(2 + seen)
      }
      return thread(reader)
    })
    const history = deadHistory(exploreAll(careful))
    expect(history.folded).toBe(history.states)
    expect(history.causes).toEqual([])
  })

  it('is not there once a procedure of its own forgets it', () => {
    const mended = withReader((x, y) => {
      function* look(): Steps<void> {
        yield* x.read()
      }
      function* reader(): Steps<void> {
        yield* call(look)
        yield* y.write(1)
        yield* y.write(2)
      }
      return thread(reader)
    })
    const history = deadHistory(exploreAll(mended))
    expect(history).toMatchObject({ states: 8, folded: 8, causes: [] })
  })

  it('is an argument that nothing uses, down to the field of an object', () => {
    const carried = withReader((x, y) => {
      function* last(_context: unknown, item: { readonly a: number; readonly b: number }): Steps<void> {
        yield* y.write(item.a)
        yield* y.write(3)
      }
      function* reader(): Steps<void> {
        const seen = yield* x.read()
        return yield* tail(last, { a: 1, b: seen })
      }
      return thread(reader)
    })
    const { causes } = deadHistory(exploreAll(carried))
    expect(causes.map(({ procedure, what }) => `${procedure}: ${what}`)).toEqual(['last: argument item.b'])
  })

  it('is the way to the same end', () => {
    const twoWays = withReader((x, y) => {
      function* one(): Steps<void> {
        yield* y.write(1)
      }
      function* other(): Steps<void> {
        yield* y.write(1)
      }
      function* reader(): Steps<void> {
        const seen = yield* x.is(1)
        return seen ? yield* tail(one) : yield* tail(other)
      }
      return thread(reader)
    })
    const { causes } = deadHistory(exploreAll(twoWays))
    expect(causes.map(({ what }) => what)).toEqual(['whether it is in one or in other'])
  })

  it('is not what an invariant at rest can see', () => {
    const looked = (inside: boolean): System =>
      withReader((x, y) => {
        function* pause(): Steps<void> {
          yield* y.write(1)
          yield* y.write(2)
        }
        function* reader(): Steps<void> {
          const seen = yield* x.is(1)
          if (inside && seen) return yield* call(pause)
          yield* y.write(1)
          yield* y.write(2)
        }
        return thread(reader)
      })
    expect(deadHistory(exploreAll(looked(false))).causes).toHaveLength(1)
    expect(deadHistory(exploreAll(looked(true))).causes).toEqual([])
  })

  it('is found in a classic, which hands an argument to procedures that do not look at it', () => {
    const { states, folded, causes } = deadHistory(exploreAll(casCounter(4)))
    expect(folded).toBeLessThan(states / 3)
    expect(causes.map(({ procedure, what, alone }) => ({ procedure, what, alone }))).toEqual([
      { procedure: 'increment', what: 'argument 1', alone: states - folded },
    ])
  })

  it('is not found where there is none', () => {
    const { states, folded } = deadHistory(exploreAll(counters(3, 2)))
    expect(folded).toBe(states)
  })

  it('takes an answer that never came for no difference', () => {
    // Only after the read of 1 can y be 1, so each of the two tests has had one answer.
    const once = withReader((x, y) => {
      function* reader(): Steps<void> {
        const seen = yield* x.read()
        yield* y.write(1)
        yield* y.write(1)
        if (yield* y.is(2)) yield* y.write(seen)
      }
      return thread(reader)
    })
    const history = deadHistory(exploreAll(once))
    expect(history.folded).toBeLessThan(history.states)
  })

  it('counts the states of daemons, too', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function* blink(): Steps<void> {
      yield* x.read()
      yield* x.write(1)
      yield* x.write(0)
      return yield* tail(blink)
    }
    function* once(): Steps<void> {
      yield* x.write(1)
    }
    expect(deadHistory(exploreAll(system(layout, [daemon(blink), thread(once)]))).causes).not.toEqual([])
  })
})

/** What can come next in a state, by the leaves: each as its memory and its threads' classes. */
function successorsOf(explorer: Explorer, foldings: readonly Int32Array[], state: number): string[] {
  const memory = explorer.memories.copy(explorer.memoryOf(state))
  const controls = foldings.map((_, t) => explorer.controlOf(state, t))
  return controls.flatMap((control, t) =>
    control === DONE
      ? []
      : leavesOf(explorer, t, control)
          .filter(
            ({ reads, next }) => next !== undefined && reads.every((r) => memory[r.location] === r.value),
          )
          .map(({ writes, next }) => {
            const after = memory.slice()
            for (const { location, value } of writes) after[location] = value
            const classes = controls.map((c, other) => foldings[other]![other === t ? next! : c])
            return `${after} ${classes}`
          }),
  )
}

type Move = readonly ['read' | 'is' | 'write' | 'keep' | 'forget', number]

const move = fc.tuple(
  fc.constantFrom('read', 'is', 'write', 'keep', 'forget'),
  fc.nat(1),
) as fc.Arbitrary<Move>

/** Threads that look at two cells, and write sometimes what they have seen, and sometimes not. */
function wanderers(programs: readonly (readonly Move[])[]): System {
  const layout = new Layout()
  const cells = [layout.cell('a', 2), layout.cell('b', 2, 1)]
  return system(
    layout,
    programs.map((moves, i) => {
      function* wander(): Steps<void> {
        let seen = 0
        for (const [kind, x] of moves) {
          if (kind === 'read') seen = yield* cells[x]!.read()
          if (kind === 'is' && (yield* cells[x]!.is(1))) yield* cells[1 - x]!.write(2)
          if (kind === 'write') yield* cells[x]!.write(i % 3)
          if (kind === 'keep') yield* cells[x]!.write(seen)
          if (kind === 'forget') yield* call(wanderOff, x)
        }
      }
      function* wanderOff(_context: unknown, x: number): Steps<void> {
        yield* cells[x]!.addUnless(1, 2)
      }
      return thread(wander)
    }),
  )
}

describe('a folding', () => {
  it('is a bisimulation of random programs, and often one that saves states', () => {
    let saved = 0
    fc.assert(
      fc.property(
        fc.array(fc.array(move, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 3 }),
        (programs) => {
          const explorer = exploreAll(wanderers(programs))
          const foldings = explorer.learned.controls.map((_, t) => fold(explorer, t))
          const does = new Map<string, string>()
          let steps = 0
          for (let state = 0; state < explorer.count; state++) {
            const classes = foldings.map((folding, t) => folding[explorer.controlOf(state, t)])
            const key = `${explorer.memoryOf(state)} ${classes}`
            const successors = successorsOf(explorer, foldings, state)
            steps += successors.length
            const sorted = [...new Set(successors)].sort().join('\n')
            expect(does.get(key) ?? sorted).toBe(sorted)
            does.set(key, sorted)
          }
          expect(steps).toBe(explorer.result().transitions)
          const { states, folded } = deadHistory(explorer)
          expect(folded).toBe(does.size)
          if (folded < states) saved++
        },
      ),
      { numRuns: 200, seed: 7 },
    )
    expect(saved).toBeGreaterThan(50)
  })
})
