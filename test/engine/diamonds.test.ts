import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { designNamed } from '../../src/designs/index.ts'
import { Diamonds } from '../../src/engine/diamonds.ts'
import { Expansion, type Leaves, type Successors, Walks } from '../../src/engine/expansion.ts'
import { Findings } from '../../src/engine/findings.ts'
import {
  atomic,
  Layout,
  ModelError,
  type Response,
  type Steps,
  type System,
  type View,
} from '../../src/engine/index.ts'
import { Learned } from '../../src/engine/learned.ts'
import { Memories } from '../../src/engine/memories.ts'
import { pack, setControl, wordsOfState } from '../../src/engine/packed.ts'
import { Stepper } from '../../src/engine/stepper.ts'
import { Visited } from '../../src/engine/visited.ts'
import { compile, parse } from '../../src/litmus/index.ts'
import { build, program } from './programs.ts'
import { casCounter, counters, philosophers, readersWriters, ring, system, thread } from './systems.ts'

/** A breadth-first search, with every state and how it was found. */
class Search {
  readonly learned: Learned
  readonly memories: Memories
  readonly visited: Visited
  readonly stepper: Stepper
  readonly findings: Findings
  transitions = 0
  lookups = 0
  depth = 0

  constructor(system: System) {
    this.learned = new Learned(system)
    this.memories = new Memories(system.layout.locations)
    this.visited = new Visited(wordsOfState(system.threads.length))
    this.stepper = new Stepper(this.learned, this.memories)
    this.findings = new Findings(system, this.memories)
    const { visited } = this
    const intern = visited.intern.bind(visited)
    visited.intern = (...args) => {
      this.lookups++
      return intern(...args)
    }
  }

  run(leaves: Leaves, successors: Successors, endLevel: (begin: number, end: number) => void): void {
    const { visited, learned, memories, findings } = this
    const here = new Int32Array(visited.words)
    const initial = learned.controls.map((controls) => controls.initial)
    pack(here, memories.internInitial(), initial)
    visited.intern(here, 0, visited.hash(here, 0), 0)
    if (findings.isBrokenFromTheBeginning()) return
    const expansion = new Expansion(learned, memories, leaves, findings, successors)
    for (let begin = 0, end = 1; begin < end; ) {
      for (let state = begin; state < end; state++) {
        visited.load(state, here)
        this.transitions += expansion.expand(state, here)
      }
      this.depth++
      endLevel(begin, end)
      begin = end
      end = visited.count
      if (end > 50_000) return
    }
  }

  get rows(): number[][] {
    return Array.from({ length: this.visited.count }, (_, state) =>
      Array.from({ length: this.visited.words + 1 }, (_, i) => this.visited.word(state, i)),
    )
  }
}

/** Every state is looked up, each at once. */
function plainly(system: System): Search {
  const search = new Search(system)
  const { visited } = search
  const there = new Int32Array(visited.words)
  const successors: Successors = {
    add(from, parent, thread, memory, control) {
      there.set(from)
      there[0] = memory
      setControl(there, 0, thread, control)
      visited.intern(there, 0, visited.hash(there, 0), parent)
    },
  }
  search.run(new Walks(search.stepper), successors, () => undefined)
  return search
}

/** @param room for steps of a level */
function byDiamonds(system: System, room?: number): Search {
  const search = new Search(system)
  const diamonds = new Diamonds(search.learned, search.stepper, search.visited)
  if (room !== undefined) diamonds.keepStepsFrom(0, room)
  search.run(diamonds, diamonds, (before, begin) => {
    diamonds.batch.flush()
    const end = search.visited.count
    diamonds.beginLevel({ depth: search.depth, before, begin, end, ...diamonds.judge() })
  })
  return search
}

function expectSame(system: () => System, room?: number): { states: number; lookups: number } {
  const plain = plainly(system())
  const found = byDiamonds(system(), room)
  expect(found.rows).toEqual(plain.rows)
  expect(found.transitions).toBe(plain.transitions)
  expect(found.depth).toBe(plain.depth)
  expect(found.findings.failures).toEqual(plain.findings.failures)
  expect(found.findings.finals).toEqual(plain.findings.finals)
  expect(found.lookups).toBeLessThanOrEqual(plain.lookups)
  return { states: found.visited.count, lookups: found.lookups }
}

function canBeExplored(system: System): boolean {
  try {
    return plainly(system).visited.count < 5_000
  } catch (error) {
    if (error instanceof ModelError) return false
    throw error
  }
}

function avertedFailure(): System {
  const layout = new Layout()
  const y = layout.cell('y', 1)
  const cells = Array.from({ length: 12 }, (_, i) => layout.cell(`x${i}`, 1))
  const demand = (view: View): Response => (view.get(cells[11]!.location) === 0 ? view.fail('x11 is 0') : 0)
  function* demanding(): Steps<void> {
    yield* atomic(demand)
  }
  function* averting(): Steps<void> {
    yield* y.write(1)
    yield* cells[11]!.write(1)
  }
  return system(layout, [thread(demanding), thread(averting)])
}

function litmus(file: string, design: string): System {
  const { test } = parse(readFileSync(file, 'utf8'), file)
  return compile(test, designNamed(design)!.rules).system
}

describe('diamonds find every state under the same number, from the same one,', () => {
  it.each<[string, () => System]>([
    ['counters', () => counters(3, 3)],
    ['counters that make it pause', () => counters(4, 3)],
    ['cas', () => casCounter(4)],
    ['philosophers', () => philosophers(4, false)],
    ['readers and writers', () => readersWriters(2, 2, true)],
    ['ring', () => ring(4, 3)],
    ['a failure that another thread averts', avertedFailure],
    ['fork-race', () => litmus('suite/fork-race/two-forks.litmus', 'v5.9')],
    ['ksm', () => litmus('suite/ksm/ksm-forked.litmus', 'v6.12')],
  ])('in %s', (_, system) => {
    expectSame(system)
    for (const room of [1, 30, 200]) expectSame(system, room)
    // What has no room is looked up.
    expect(expectSame(system, 0).lookups).toBe(plainly(system()).lookups)
  })

  it('in random systems', () => {
    let explored = 0
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 500 }), (source, room) => {
        // Some do not end; they are for other tests.
        fc.pre(canBeExplored(build(source)))
        explored++
        expectSame(() => build(source))
        expectSame(() => build(source), room)
      }),
      { numRuns: 150, seed: 417 },
    )
    expect(explored).toBe(150)
  })

  it('and look up little else than new states, where threads work apart', () => {
    const { states, lookups } = expectSame(() => litmus('bench/tests/1-shared-page.litmus', 'v5.9'))
    expect(states).toBeGreaterThan(50_000)
    expect(lookups).toBeLessThan(1.3 * states)
  })
})
