/** State graphs and runs in the languages of other programs are complete, and are what those languages say. */
import { spawnSync } from 'node:child_process'
import parseDot from 'dotparser'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type Explorer,
  graphToDot,
  Layout,
  type StateGraph,
  type Steps,
  stateGraph,
  traceOfFailure,
  traceTo,
  traceToDot,
  traceToItf,
} from '../../src/engine/index.ts'
import { exploreAll } from './compare.ts'
import { replay } from './replay.ts'
import {
  casCounter,
  counters,
  daemon,
  lockedCounters,
  peterson,
  philosophers,
  system,
  thread,
} from './systems.ts'

const CLASSICS = {
  counters: () => counters(2, 2),
  locked: () => lockedCounters(3),
  cas: () => casCounter(3),
  deadlock: () => philosophers(3, false),
  peterson: () => peterson(true),
}

describe('a state graph', () => {
  it.each(Object.entries(CLASSICS))(
    'of %s has all states and steps, and each step says what it does',
    (_, make) => {
      const explorer = exploreAll(make())
      const { states, transitions } = explorer.result()
      const graph = stateGraph(explorer)
      expect(graph.states).toHaveLength(states)
      expect(graph.steps).toHaveLength(transitions)
      for (const { from, to, changes } of graph.steps) {
        const values = [...graph.states[from]!.values]
        for (const [location, before, after] of changes) {
          expect(values[location]).toBe(before)
          values[location] = after
        }
        expect(graph.states[to!]!.values).toEqual(values)
      }
      expect(reachable(graph)).toBe(states)
      const finals = graph.states.filter(({ final }) => final).map(({ values }) => values.join())
      expect(new Set(finals)).toEqual(new Set(explorer.result().finals.map(({ bytes }) => bytes.join())))
    },
  )

  it('says what is next, and names the locations', () => {
    const graph = stateGraph(exploreAll(counters(2)))
    expect(graph.states[0]).toEqual({
      values: [0],
      next: ['increment: read(x)', 'increment: read(x)'],
      final: false,
    })
    expect(graph.steps[0]).toEqual({
      from: 0,
      to: 1,
      thread: 0,
      operation: 'read(x)',
      changes: [],
      failure: null,
    })
  })

  it('has the steps that fail, which lead nowhere', () => {
    const layout = new Layout()
    const lock = layout.lock('lock')
    function* careless(): Steps<void> {
      yield* lock.unlock()
    }
    const broken = stateGraph(exploreAll(system(layout, [thread(careless)])))
    expect(broken.steps).toMatchObject([
      { from: 0, to: null, failure: 'a thread unlocks a lock that it does not hold' },
    ])
    const forbidden = stateGraph(exploreAll(peterson(false)))
    const messages = forbidden.steps.filter(({ to }) => to === null).map(({ failure }) => failure)
    expect(new Set(messages)).toEqual(new Set(['two threads are inside']))
  })

  it('lets daemons run on in final states', () => {
    const layout = new Layout()
    const x = layout.cell('x', 1)
    function* waiter(): Steps<void> {
      yield* x.waitFor(1)
    }
    function* writer(): Steps<void> {
      yield* x.write(1)
    }
    const { states, threads } = stateGraph(exploreAll(system(layout, [daemon(waiter), thread(writer)])))
    expect(threads.map((one) => one.daemon)).toEqual([true, false])
    expect(states.map(({ final }) => final)).toEqual([false, true, true])
  })
})

function reachable({ steps }: StateGraph): number {
  const seen = new Set([0])
  for (const state of seen) {
    for (const { from, to } of steps) if (from === state && to !== null) seen.add(to)
  }
  return seen.size
}

/** What Graphviz makes of it, where it is installed. */
function drawn(text: string): string | undefined {
  const { status, stdout, stderr, error } = spawnSync('dot', ['-Tplain'], { input: text, encoding: 'utf8' })
  if (error !== undefined) return undefined
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

describe('DOT', () => {
  it.each(Object.entries(CLASSICS))(
    'of %s has a box for each state and an arrow for each step',
    (name, make) => {
      const explorer = exploreAll(make())
      const text = graphToDot(stateGraph(explorer), name)
      const [graph] = parseDot(text)
      const children = graph!.children
      expect(children.filter(({ type }) => type === 'node_stmt')).toHaveLength(explorer.result().states)
      expect(children.filter(({ type }) => type === 'edge_stmt')).toHaveLength(explorer.result().transitions)
      const plain = drawn(text)
      if (plain === undefined) return
      expect(plain.match(/^node /gm)).toHaveLength(explorer.result().states)
      expect(plain.match(/^edge /gm)).toHaveLength(explorer.result().transitions)
    },
  )

  it('takes any name', () => {
    const layout = new Layout()
    const odd = layout.cell('a "b" \\ c\nd', 1)
    function* writer(): Steps<void> {
      yield* odd.write(1)
    }
    const explorer = exploreAll(system(layout, [thread(writer)]))
    for (const text of [
      graphToDot(stateGraph(explorer), 'it\'s "odd"\\'),
      traceToDot(explorer.system, traceTo(explorer, 1), 'it\'s "odd"\\'),
    ]) {
      expect(parseDot(text)).toHaveLength(1)
      expect(text).toContain('a \\"b\\" \\\\ c\\nd 0 → 1')
      drawn(text)
    }
  })

  it('of a run has its steps in a row, and how it ends', () => {
    const explorer = exploreAll(peterson(false))
    const trace = traceOfFailure(explorer, explorer.result().failures[0]!)
    const text = traceToDot(explorer.system, trace, 'run')
    const children = parseDot(text)[0]!.children
    expect(children.filter(({ type }) => type === 'edge_stmt')).toHaveLength(trace.steps.length)
    expect(text.split('\n').at(-3)).toContain('inside 1 → 2')
  })
})

/** What ADR-015 of Apalache says of a trace, for the expressions that occur here. */
const ITF = z.strictObject({
  '#meta': z.record(z.string(), z.string()),
  params: z.array(z.string()).optional(),
  vars: z.array(z.string().regex(/^[^#]/)),
  states: z
    .array(z.object({ '#meta': z.record(z.string(), z.unknown()) }).catchall(z.union([z.int(), z.string()])))
    .min(1),
  loop: z.int().optional(),
})

function itfOf(explorer: Explorer, state: number) {
  return traceToItf(explorer.system, traceTo(explorer, state), { source: 'test' })
}

describe('ITF', () => {
  it.each(Object.entries(CLASSICS))(
    'of a run of %s is a trace, and its states are those of the run',
    (_, make) => {
      const explorer = exploreAll(make())
      const last = explorer.count - 1
      const trace = traceTo(explorer, last)
      const itf = ITF.parse(JSON.parse(JSON.stringify(itfOf(explorer, last))))
      expect(itf.states).toHaveLength(trace.steps.length + 1)
      expect(new Set(itf.vars).size).toBe(itf.vars.length)
      for (const state of itf.states) {
        expect(Object.keys(state).sort()).toEqual(['#meta', ...itf.vars].sort())
      }
      const locations = explorer.system.layout.locations.length
      const end = itf.vars.slice(0, locations).map((name) => itf.states.at(-1)![name])
      expect(end).toEqual([...replay(explorer.system, trace)])
      expect(itf.states[0]!.action).toBe('start')
    },
  )

  it('says where threads are, and what fails', () => {
    const layout = new Layout()
    const lock = layout.lock('lock')
    const x = layout.cell('x', 1)
    function* careless(): Steps<void> {
      yield* x.write(1)
      yield* lock.unlock()
    }
    const explorer = exploreAll(system(layout, [thread(careless)]))
    const trace = traceOfFailure(explorer, explorer.result().failures[0]!)
    const { states } = traceToItf(explorer.system, trace, {})
    expect(states.map((state) => [state.x, state['at careless'], state.action])).toEqual([
      [0, 'careless', 'start'],
      [1, 'careless', 'careless: write(x, 1)'],
      [1, 'ended', 'careless: unlock(lock) fails: a thread unlocks a lock that it does not hold'],
    ])
  })

  it('has a name for each variable, whatever locations are called', () => {
    const layout = new Layout()
    for (const name of ['x', 'x', '#x', 'action', 'at writer', '##']) layout.cell(name, 1)
    const y = layout.cell('y', 1)
    function* writer(): Steps<void> {
      yield* y.write(1)
    }
    const explorer = exploreAll(system(layout, [thread(writer)]))
    const { vars } = ITF.parse(itfOf(explorer, 1))
    expect(vars).toEqual([
      'x',
      'x (2)',
      'x (3)',
      'action (2)',
      'at writer (2)',
      'variable',
      'y',
      'at writer',
      'action',
    ])
  })
})
