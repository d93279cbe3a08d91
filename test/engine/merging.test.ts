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
  type Response,
  type Steps,
  type System,
  searchOf,
  type View,
} from '../../src/engine/index.ts'
import { exploreAll } from './compare.ts'
import { system, thread } from './systems.ts'

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
