// Merging on its own: what must not be merged though nobody touches it, and what turns out late to be touched.

import { describe, expect, it } from 'vitest'
import {
  atomic,
  BLOCKED,
  type Cell,
  choose,
  type Exploration,
  Layout,
  type Memory,
  type Naming,
  naming,
  type Response,
  Sort,
  type Steps,
  type System,
  searchOf,
  tail,
  type View,
} from '../../src/engine/index.ts'
import { exploreAll } from './compare.ts'
import { daemon, system, thread } from './systems.ts'

function merged(of: System): Exploration {
  const search = searchOf(of, { mode: 'breadth-first', reductions: ['merging'] })
  expect(search.run()).toBe(true)
  const result = search.result()
  expect(result.bounded).toBeUndefined()
  return result
}

/** In which memories runs end and how they fail, in words. */
function found({ finals, failures }: Exploration): string[] {
  return [
    ...finals.map(({ bytes }) => `ends ${bytes}`),
    ...failures.map(({ kind, message }) => `${kind} ${message}`),
  ].sort()
}

function expectSame(of: () => System): void {
  const result = merged(of())
  const whole = exploreAll(of()).result()
  expect(found(result)).toEqual(found(whole))
  expect(result.states).toBeLessThanOrEqual(whole.states)
}

/** The steps of `steps`, by a path that a hundred random runs hardly ever take. */
function* rarely(steps: () => Steps<void>, digits = 4): Steps<void> {
  for (let digit = 0; digit < digits; digit++) if ((yield* choose(20)) !== 7) return
  yield* steps()
}

/** A layout of cells of 0 to 3, by name. */
function cells<const N extends string>(...names: readonly N[]): { layout: Layout } & Record<N, Cell> {
  const layout = new Layout()
  const made = Object.fromEntries(names.map((name) => [name, layout.cell(name, 3)]))
  return { layout, ...(made as Record<N, Cell>) }
}

describe('a step that nobody else touches is not merged', () => {
  it('where it ends a moment in which the invariant could have been broken', () => {
    expectSame(() => {
      const { layout, x, y, own } = cells('x', 'y', 'own')
      function* mender(): Steps<void> {
        yield* own.write(1)
        yield* x.write(1)
      }
      function* breaker(): Steps<void> {
        yield* y.write(1)
      }
      const invariant = (memory: Memory) =>
        memory.get(x.location) === 0 && memory.get(y.location) === 1 ? 'y came before x' : undefined
      return system(layout, [thread(mender), thread(breaker)], { invariant })
    })
  })

  it('where it leads to a memory that is broken, also if it is mended at once', () => {
    expectSame(() => {
      const { layout, x, own } = cells('x', 'own')
      function* writer(): Steps<void> {
        yield* own.write(1)
        yield* x.write(1)
        yield* x.write(2)
      }
      const invariant = (memory: Memory) => (memory.get(x.location) === 1 ? 'x is 1' : undefined)
      return system(layout, [thread(writer)], { invariant })
    })
  })
})

describe('a step that is merged does not cut off', () => {
  /** The invariant does not hold in what others make of the memory after a step that has been brought forward. */
  function cut(rest: (y: Cell) => Steps<void>): System {
    const { layout, x, y, g } = cells('x', 'y', 'g')
    function pass(view: View): Response {
      return view.get(g.location) === 0 ? BLOCKED : 0
    }
    function* mover(): Steps<void> {
      yield* g.write(1)
      yield* x.write(1)
    }
    function* other(): Steps<void> {
      yield* atomic(pass)
      yield* y.write(1)
      yield* y.write(2)
      yield* rest(y)
    }
    const invariant = (memory: Memory) =>
      memory.get(x.location) === 1 && memory.get(y.location) === 1 ? 'both are 1' : undefined
    return system(layout, [thread(mover), thread(other)], { invariant })
  }

  it('what comes after a memory that is broken then, and was not before', () => {
    expectSame(() => cut(function* () {}))
  })

  it('another failure behind such a memory', () => {
    function check(view: View, _: unknown, y: number): Response {
      return view.get(y) === 2 ? view.fail('y is 2') : 0
    }
    expectSame(() =>
      cut(function* (y) {
        yield* atomic(check, y.location)
      }),
    )
  })
})

describe('what was merged too early is taken back', () => {
  it('where another thread turns out to read what was written', () => {
    expectSame(() => {
      const { layout, x, y } = cells('x', 'y')
      function* writer(): Steps<void> {
        yield* x.write(1)
        yield* x.write(2)
      }
      function* reader(): Steps<void> {
        yield* rarely(function* (): Steps<void> {
          yield* y.write(yield* x.read())
        })
      }
      return system(layout, [thread(writer), thread(reader)])
    })
  })

  it('where another thread turns out to open what was closed', () => {
    expectSame(() => {
      const { layout, x, y, gate } = cells('x', 'y', 'gate')
      function* writer(): Steps<void> {
        yield* x.write(1)
        yield* x.write(2)
      }
      function pass(view: View): Response {
        return view.get(gate.location) === 0 ? BLOCKED : 0
      }
      function* reader(): Steps<void> {
        yield* atomic(pass)
        yield* y.write(yield* x.read())
      }
      function* opener(): Steps<void> {
        yield* rarely(() => gate.write(1))
      }
      return system(layout, [thread(writer), thread(reader), thread(opener)])
    })
  })

  it('where the invariant turns out to look at what was written', () => {
    expectSame(() => {
      const { layout, x, z } = cells('x', 'z')
      function* writer(): Steps<void> {
        yield* x.write(1)
        yield* x.write(2)
      }
      function* setter(): Steps<void> {
        yield* rarely(() => z.write(1))
      }
      const invariant = (memory: Memory) =>
        memory.get(z.location) === 1 && memory.get(x.location) === 1 ? 'x is 1 while z is' : undefined
      return system(layout, [thread(writer), thread(setter)], { invariant })
    })
  })

  it('where another thread turns out to write what the invariant looks at besides', () => {
    // So late that the search has begun anew by then, knowing what the invariant looks at.
    expectSame(() => {
      const { layout, x, z, begun } = cells('x', 'z', 'begun')
      function begin(view: View): Response {
        if (view.choose(2) === 0 || view.get(begun.location) === 1) return 0
        view.set(x.location, 1)
        return 1
      }
      // That both are 1 is only seen by who looks between these two steps, the first of which is made early.
      function* writer(): Steps<void> {
        if ((yield* atomic(begin)) === 1) yield* x.write(2)
      }
      function* setter(): Steps<void> {
        yield* begun.write(1)
        yield* rarely(() => z.write(1), 12)
      }
      const n = layout.cell('n', 255)
      function* noise(): Steps<void> {
        yield* n.write(yield* choose(256))
      }
      const invariant = (memory: Memory) =>
        memory.get(x.location) === 1 && memory.get(z.location) === 1 ? 'both are 1' : undefined
      return system(layout, [thread(writer), thread(setter), thread(noise)], { invariant })
    })
  })
})

describe('what was merged although the invariant looks at it is taken back', () => {
  it('where only the last round comes to a memory that is broken', () => {
    // The first round does not know that z is set, so x is 1 for no time. The second sees all three be 1, and goes no
    // further there: but v becomes 1 only behind that, in runs in which u is still 0.
    expectSame(() => {
      const { layout, g, u, v, x, z, begun } = cells('g', 'u', 'v', 'x', 'z', 'begun')
      function begin(view: View): Response {
        if (view.get(g.location) === 0) return BLOCKED
        if (view.get(begun.location) === 0) view.set(x.location, 1)
        return 0
      }
      function finish(view: View): Response {
        view.set(v.location, view.get(z.location) === 1 && view.get(x.location) === 1 ? 1 : 2)
        view.set(x.location, 2)
        return 0
      }
      function* mover(): Steps<void> {
        yield* g.write(1)
        yield* u.write(1)
      }
      function* writer(): Steps<void> {
        yield* atomic(begin)
        yield* atomic(finish)
      }
      function* setter(): Steps<void> {
        yield* begun.write(1)
        yield* rarely(() => z.write(1))
      }
      const invariant = (memory: Memory) =>
        [u, x, z].every(({ location }) => memory.get(location) === 1) ? 'all are 1' : undefined
      return system(layout, [thread(mover), thread(writer), thread(setter)], { invariant })
    })
  })
})

describe('who may open what is closed', () => {
  it.each([3, 32, 33, 34, 65])('is told of %i threads', (count) => {
    expectSame(() => {
      const { layout, go, gate, x, seen } = cells('go', 'gate', 'x', 'seen')
      function* first(): Steps<void> {
        yield* go.write(1)
        yield* x.write(1)
        yield* x.write(2)
        yield* gate.write(1)
      }
      function* reader(): Steps<void> {
        yield* gate.waitFor(1)
        yield* seen.write(yield* x.read())
      }
      function* idle(): Steps<void> {}
      function* last(): Steps<void> {
        yield* go.waitFor(1)
        yield* gate.write(1)
      }
      const between = Array.from({ length: count - 3 }, () => thread(idle))
      return system(layout, [thread(first), thread(reader), ...between, thread(last)])
    })
  })
})

describe('steps that are merged and go round in a circle', () => {
  /** Beside a circle of so many laps of 200 steps: a thread that counts, one that fails, and one that waits. */
  function circle(laps: number, counted: number): System {
    const layout = new Layout()
    const [lap, own, x, y] = [laps, 200, counted, 1].map((most, i) => layout.cell(`c${i}`, most)) as [
      Cell,
      Cell,
      Cell,
      Cell,
    ]
    function* spin(): Steps<void> {
      const next = ((yield* own.read()) + 1) % 200
      yield* own.write(next)
      if (next === 0) yield* lap.write(((yield* lap.read()) + 1) % laps)
      return yield* tail(spin)
    }
    function* count(): Steps<void> {
      for (let i = 1; i <= counted; i++) yield* x.write(i)
    }
    function bad(view: View): Response {
      return view.get(x.location) === 1 && view.get(y.location) === 1 ? view.fail('both') : 0
    }
    function* looker(): Steps<void> {
      yield* y.write(1)
      yield* atomic(bad)
      yield* y.write(0)
    }
    return system(layout, [thread(spin), thread(count), thread(looker)])
  }

  it.each([
    [1, 3],
    [2, 40],
    [15, 3],
  ])('are finite: %i laps, beside one that counts to %i', (laps, counted) => {
    expect(found(merged(circle(laps, counted)))).toEqual(['failure both'])
  })

  it('are entered by so few states that it shows', () => {
    const { states, depth } = merged(circle(2, 40))
    expect(states).toBeLessThan(400)
    expect(depth).toBeLessThan(1_500)
  })
})

describe('merging and symmetry together', () => {
  const frame = new Sort('frame')
  const asFrame: Naming = (number: number, to) => (number === 0 ? 0 : to(frame, number))

  /** Two frames that are both in use, and what holds them. */
  function frames<const N extends string>(owners: Readonly<Record<N, number>>, held: readonly number[]) {
    const layout = new Layout()
    const made = Object.entries<number>(owners).map(([name, first]) => [
      name,
      layout.naming(layout.cell(name, 2, first), asFrame),
    ])
    const used = layout.cell('used', 3, 3)
    const data = held.map((value, i) => layout.cell(`data${i + 1}`, 3, value))
    layout.sort(
      frame,
      1,
      data.map((cell) => [cell]),
      used,
    )
    return { layout, used, data, ...(Object.fromEntries(made) as Record<N, Cell>) }
  }

  function bothWays(of: () => System, show: (exploration: Exploration) => string[]): void {
    const expected = show(exploreAll(of()).result())
    for (const reductions of [['merging'], ['symmetry'], ['merging', 'symmetry']] as const) {
      const search = searchOf(of(), { mode: 'breadth-first', reductions })
      search.run()
      expect(show(search.result())).toEqual(expected)
    }
    expect(expected.length).toBeGreaterThan(0)
  }

  it('look at what the invariant looks at of any frame', () => {
    // The frame at which the step that was merged writes has another number when the invariant comes to look at it.
    bothWays(
      () => {
        const { layout, data, other, slot, cur } = frames({ other: 1, slot: 2, cur: 0 }, [1, 2])
        const go = layout.cell('go', 1)
        function grab(view: View): Response {
          return view.get(other.location)
        }
        naming(grab, [], asFrame)
        function drop(view: View, _: unknown, number: number): Response {
          view.set(data[number - 1]!.location, 0)
          view.set(other.location, 0)
          return 0
        }
        naming(drop, [asFrame])
        function mend(view: View): Response {
          if (view.get(go.location) === 0) return BLOCKED
          view.set(data[view.get(slot.location) - 1]!.location, 3)
          return 0
        }
        function point(view: View): Response {
          if (view.get(other.location) !== 0) return BLOCKED
          view.set(cur.location, view.get(slot.location))
          return 0
        }
        function* dropper(): Steps<void> {
          const number = yield* atomic(grab)
          yield* go.write(1)
          yield* atomic(drop, number)
        }
        function* mender(): Steps<void> {
          yield* atomic(mend)
        }
        function* pointer(): Steps<void> {
          yield* atomic(point)
        }
        const invariant = (memory: Memory) => {
          const number = memory.get(cur.location)
          return number !== 0 && memory.get(data[number - 1]!.location) === 2 ? 'it is not mended' : undefined
        }
        return system(layout, [thread(dropper), thread(mender), daemon(pointer)], { invariant })
      },
      ({ failures }) => failures.map(({ message }) => message),
    )
  })

  it('do not take the number of frames in use for something that stands still', () => {
    // A frame that is given back lowers it, and no thread does.
    const places: number[] = []
    bothWays(
      () => {
        const { layout, used, data, mine, got } = frames({ mine: 1, keep: 2, got: 0 }, [1, 1])
        const [seen, copied, own] = ['seen', 'copied', 'own'].map((name) => layout.cell(name, 1)) as [
          Cell,
          Cell,
          Cell,
        ]
        places.splice(0, 2, seen.location, copied.location)
        function drop(view: View): Response {
          view.set(data[view.get(mine.location) - 1]!.location, 0)
          view.set(mine.location, 0)
          return 0
        }
        function take(view: View): Response {
          const next = view.get(used.location)
          const number = next < 3 ? next : 1 + data.findIndex(({ location }) => view.get(location) === 0)
          if (number === 0) return BLOCKED
          if (next < 3) view.set(used.location, next + 1)
          view.set(data[number - 1]!.location, 1)
          view.set(got.location, number)
          view.set(seen.location, 1)
          return 0
        }
        function copy(view: View): Response {
          view.set(copied.location, view.get(seen.location))
          return 0
        }
        function* dropper(): Steps<void> {
          yield* rarely(function* (): Steps<void> {
            yield* atomic(drop)
          })
        }
        function* taker(): Steps<void> {
          yield* atomic(take)
        }
        function* copier(): Steps<void> {
          yield* own.write(1)
          yield* atomic(copy)
        }
        return system(layout, [thread(dropper), daemon(taker), thread(copier)])
      },
      ({ finals }) =>
        [...new Set(finals.map(({ bytes }) => places.map((place) => bytes[place]).join()))].sort(),
    )
  })
})
