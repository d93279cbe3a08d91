/**
 * A thread of a test's crew (`crew.ts` bundles it): explores a system, alone or as the one that
 * calls the others, helps with an exploration, or fills a shared table.
 */
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { designNamed } from '../../src/designs/index.ts'
import {
  assist,
  atomic,
  type ExploreLimits,
  Explorer,
  Layout,
  ModelError,
  ParallelExplorer,
  type Response,
  type Search,
  type Share,
  type Steps,
  type System,
  traceOfFailure,
  traceTo,
  type View,
} from '../../src/engine/index.ts'
import { SharedTuples, type TupleBuffers } from '../../src/engine/shared_tuples.ts'
import { compile, parse } from '../../src/litmus/index.ts'
import { memoryKey } from '../naive.ts'
import { build, programFrom } from './programs.ts'
import { replay } from './replay.ts'
import * as systems from './systems.ts'

/** How a thread builds a system: the name of a function below, and what it is given. */
export type Recipe = readonly [keyof typeof KITCHEN, ...(number | string | boolean)[]]

export type Order =
  | {
      readonly kind: 'explore'
      readonly recipe: Recipe
      /** 0: by the explorer that knows no other threads. */
      readonly size: number
      readonly limits?: ExploreLimits
      readonly from?: number
      readonly firstSlotBits?: number
    }
  | { readonly kind: 'assist'; readonly recipe: Recipe; readonly share: Share }
  | { readonly kind: 'fill'; readonly buffers: TupleBuffers; readonly seed: number; readonly tuples: number }

export interface Found {
  readonly states: number
  readonly transitions: number
  readonly memories: number
  readonly depth: number
  readonly frontier: number
  readonly bounded: string | undefined
  /** Ends and failures, each with the length of its run, in an order that does not depend on chance. */
  readonly ends: readonly string[]
  readonly failures: readonly string[]
}

export type Answer =
  | { readonly kind: 'found'; readonly found: Found; readonly milliseconds: number; readonly bytes: number }
  | { readonly kind: 'call'; readonly share: Share }
  | { readonly kind: 'assisted' }
  | { readonly kind: 'filled'; readonly numbers: Int32Array }
  | { readonly kind: 'failed'; readonly error: string; readonly fault: string | undefined }

/** As `counters`, and whoever helps ends its thread, or does something else, when the number comes to 3. */
function traitor(where: 'exit' | 'impure' | 'throw'): System {
  const layout = new Layout()
  const x = layout.cell('x', 40)
  function bump(view: View): Response {
    const value = view.get(x.location)
    if (value === 3 && helping) {
      if (where === 'exit') process.exit(7)
      if (where === 'throw') throw new Error('no more')
      view.set(x.location, 5)
      return 0
    }
    view.set(x.location, value + 1)
    return 0
  }
  function* worker(): Steps<void> {
    for (let i = 0; i < 4; i++) yield* atomic(bump)
  }
  return systems.system(layout, systems.threads(4, worker))
}

let helping = false

const KITCHEN = {
  counters: systems.counters,
  lockedCounters: systems.lockedCounters,
  casCounter: systems.casCounter,
  peterson: systems.peterson,
  philosophers: systems.philosophers,
  nestedReader: systems.nestedReader,
  readersWriters: systems.readersWriters,
  ring: systems.ring,
  traitor,
  program: (text: string): System => build(programFrom(text)),
  litmus: (file: string, design: string): System =>
    compile(parse(readFileSync(file, 'utf8'), file).test, designNamed(design)!.rules).system,
}

function cook([name, ...args]: Recipe): System {
  return (KITCHEN[name] as (...args: unknown[]) => System)(...args)
}

function foundBy(search: Search, system: System): Found {
  const { states, transitions, memories, depth, frontier, bounded, finals, failures } = search.result()
  const ends = finals.map(({ bytes, state }) => {
    const trace = traceTo(search, state)
    if (memoryKey(replay(system, trace)) !== memoryKey(bytes)) throw new Error('a run leads elsewhere')
    return `${memoryKey(bytes)} after ${trace.steps.length}`
  })
  const failed = failures.map((run) => {
    const trace = traceOfFailure(search, run)
    replay(system, trace)
    return `${run.kind} ${run.message} after ${trace.steps.length}`
  })
  return {
    ...{ states, transitions, memories, depth, frontier, bounded },
    ...{ ends: ends.sort(), failures: failed.sort() },
  }
}

function follow(order: Order): Answer {
  switch (order.kind) {
    case 'explore': {
      helping = false
      const system = cook(order.recipe)
      const team = {
        size: order.size,
        from: order.from ?? 1,
        call: (share: Share) => parentPort!.postMessage({ kind: 'call', share } satisfies Answer),
      }
      const search =
        order.size === 0
          ? new Explorer(system, order.limits)
          : new ParallelExplorer(system, team, order.limits, undefined, order.firstSlotBits)
      search.run()
      const { milliseconds, bytes } = search.result()
      return { kind: 'found', found: foundBy(search, system), milliseconds, bytes }
    }
    case 'assist':
      helping = true
      assist(cook(order.recipe), order.share)
      return { kind: 'assisted' }
    case 'fill':
      return { kind: 'filled', numbers: fill(order.buffers, order.seed, order.tuples) }
  }
}

/** Interns the tuples 0 to n - 1, each twice, in an order of its own; returns their numbers. */
function fill(buffers: TupleBuffers, seed: number, n: number): Int32Array {
  const table = new SharedTuples(buffers, () => {})
  const numbers = new Int32Array(n)
  const tuple = new Int32Array(buffers.width)
  const stride = 2 * seed + 1
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < n; i++) {
      // Most threads are at the same tuples at the same time, and no two in the same order.
      const which = (i & ~63) + (((i & 63) * stride + seed) & 63)
      if (which >= n) continue
      tuple.fill(which)
      tuple[0] = which >> 3
      const number = table.intern(tuple, 0, table.hash(tuple, 0), which)
      if (round === 1 && numbers[which] !== number) throw new Error(`tuple ${which} has two numbers`)
      numbers[which] = number
    }
  }
  return numbers
}

parentPort!.on('message', (order: Order) => {
  let answer: Answer
  try {
    answer = follow(order)
  } catch (error) {
    const fault = error instanceof ModelError ? error.fault : undefined
    answer = { kind: 'failed', error: error instanceof Error ? error.message : String(error), fault }
  }
  parentPort!.postMessage(answer)
})
