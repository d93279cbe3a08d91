// A trace says what happened, step by step, and is as short as can be.

import { describe, expect, it } from 'vitest'
import {
  atomic,
  call,
  type Explorer,
  type FailedRun,
  Layout,
  pendingIn,
  plainKey,
  type Response,
  type Steps,
  type System,
  tail,
  traceOfFailure,
  traceTo,
  type View,
} from '../../src/engine/index.ts'
import { memoryKey } from '../naive.ts'
import { expectSameAsNaive, exploreAll } from './compare.ts'
import { replay } from './replay.ts'
import {
  casCounter,
  counters,
  daemon,
  nestedReader,
  peterson,
  philosophers,
  readersWriters,
  ring,
  system,
  thread,
} from './systems.ts'

describe('what is pending', () => {
  it('in a deadlock says what each thread waits for', () => {
    const explorer = exploreAll(philosophers(2, false))
    const { failures } = explorer.result()
    const pending = pendingIn(explorer, failures[0]!.state)
    expect(pending.map(({ thread, effect, args }) => [thread, effect.name, args])).toEqual([
      [0, 'lock', [1]],
      [1, 'lock', [0]],
    ])
    expect(pending.map(({ stack }) => stack.map(({ position }) => position))).toEqual([[1], [1]])
  })

  it('in the end is nothing', () => {
    const explorer = exploreAll(counters(2))
    expect(pendingIn(explorer, explorer.result().finals[0]!.state)).toEqual([])
  })
})

describe('every trace', () => {
  it.each<[string, System]>([
    ['counters', counters(3, 2)],
    ['compare-and-swap', casCounter(4)],
    ["Peterson's algorithm", peterson(true)],
    ["Peterson's algorithm, wrong", peterson(false)],
    ['philosophers', philosophers(4, false)],
    ['a nested reader', nestedReader(true)],
    ['readers and writers', readersWriters(2, 2, true)],
    ['a ring', ring(5, 3)],
  ])('of %s leads where it says, on the shortest way', (_name, of) => {
    const { explorer, naive } = expectSameAsNaive(of)
    const { finals, failures } = explorer.result()
    for (const { bytes, state } of finals) {
      const trace = traceTo(explorer, state)
      expect(memoryKey(replay(of, trace))).toBe(memoryKey(bytes))
      expect(trace.steps).toHaveLength(naive.distances.get(memoryKey(bytes))!)
    }
    for (const failed of failures) {
      const trace = traceOfFailure(explorer, failed)
      replay(of, trace)
      expect(trace.steps).toHaveLength(naive.distances.get(`${failed.kind} ${failed.message}`)!)
    }
  })

  it('to the initial state is empty', () => {
    expect(traceTo(exploreAll(counters(2)), 0)).toEqual({ initial: new Uint8Array([0]), steps: [] })
  })

  it('can be long', () => {
    const explorer = exploreAll(ring(2, 150))
    const { finals, depth } = explorer.result()
    expect(traceTo(explorer, finals[0]!.state).steps).toHaveLength(depth)
  })
})

/** A step in one line. */
function line(explorer: Explorer, failed: FailedRun): string[] {
  return traceOfFailure(explorer, failed).steps.map(
    ({ thread, effect, args, stack, kept, changes, failure }) => {
      const where = stack.map(({ procedure }) => procedure.name).join('/')
      const what = changes.map(({ location, before, after }) => `${location}: ${before}→${after}`)
      return [
        `T${thread}`,
        where,
        `${effect.name}(${args.map(plainKey)})`,
        `kept ${kept}`,
        ...what,
        failure ?? '',
      ]
        .join(' ')
        .trim()
    },
  )
}

describe('a step', () => {
  it('shows its stack, and how much of it lives on', () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    function* leaf(): Steps<void> {
      yield* x.write(1)
      yield* x.write(2)
    }
    function* again(): Steps<void> {
      yield* x.write(3)
      yield* x.write(3)
    }
    function* middle(): Steps<void> {
      yield* call(leaf)
      yield* tail(again)
    }
    function* root(): Steps<void> {
      yield* call(middle)
      yield* x.write(0)
    }
    const explorer = exploreAll(system(layout, [thread(root)], { finalInvariant: () => 'the end' }))
    expect(line(explorer, explorer.result().failures[0]!)).toEqual([
      'T0 root/middle/leaf write(0,1) kept 3 0: 0→1',
      'T0 root/middle/leaf write(0,2) kept 1 0: 1→2',
      'T0 root/again write(0,3) kept 2 0: 2→3',
      'T0 root/again write(0,3) kept 1',
      'T0 root write(0,0) kept 0 0: 3→0',
    ])
  })

  it('shows the choice that it made, and its failure', () => {
    const layout = new Layout()
    const x = layout.cell('x', 3)
    const y = layout.cell('y', 1)
    function pick(view: View): Response {
      const value = view.choose(4)
      if (value === 0) return -1
      if (value === 2) return view.fail('two')
      if (view.choose(2) === 1) view.set(y.location, 1)
      view.set(x.location, value)
      return 0
    }
    function* picker(): Steps<void> {
      yield* atomic(pick)
    }
    const explorer = exploreAll(
      system(layout, [thread(picker), daemon(picker)], {
        invariant: (memory) =>
          memory.get(x.location) === 3 && memory.get(y.location) === 1 ? 'three' : undefined,
      }),
    )
    const { failures } = explorer.result()
    expect(failures.map(({ message }) => message).sort()).toEqual(['three', 'two'])
    for (const failed of failures) {
      const [step, ...more] = traceOfFailure(explorer, failed).steps
      expect(more).toEqual([])
      if (failed.message === 'two') expect(step).toMatchObject({ failure: 'two', changes: [], thread: 0 })
      else {
        expect(step!.changes).toEqual([
          { location: 0, before: 0, after: 3 },
          { location: 1, before: 0, after: 1 },
        ])
      }
    }
  })
})
