/**
 * A worker: does one job at a time. Explorations run here, and so does the code of a person's
 * own design, which may throw, or never come back; the main thread watches (`pool.ts`).
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  type Cell,
  checkCell,
  countCopies,
  type Doubt,
  doubtsOf,
  type RunOptions,
  runTest,
  yardstickOf,
} from '../check/index.ts'
import { ClaimsError, decide } from '../claims/index.ts'
import { type Design, designNamed } from '../designs/index.ts'
import { ModelError } from '../engine/index.ts'
import { type Litmus, parse } from '../litmus/index.ts'
import { claimReport } from '../report/claims.ts'
import { reach } from '../report/coverage.ts'
import { cellReport } from '../report/json.ts'
import { renderShow } from '../report/show.ts'
import { coverDesign } from './coverage_job.ts'
import { factsOf } from './design_facts.ts'
import { exportCell } from './export_job.ts'
import { Heartbeat, LOADING } from './heartbeat.ts'
import { historyOf } from './history_job.ts'
import { DesignError, designFrom, explain } from './own_design.ts'
import type {
  CellInput,
  DesignSource,
  Jobs,
  Reply,
  Request,
  ShowAnswer,
  TestText,
  WorkerFailure,
} from './protocol.ts'
import { withTerms, worstOf } from './selection.ts'

const heartbeat = new Heartbeat(workerData as SharedArrayBuffer)

parentPort!.on('message', async (request: Request) => {
  heartbeat.reset()
  let reply: Reply
  try {
    reply = { kind: 'done', output: await answer(request) }
  } catch (error) {
    reply = { kind: 'failed', failure: failureFrom(error, request) }
  }
  parentPort!.postMessage(reply)
})

async function answer({ kind, input }: Request): Promise<Jobs[keyof Jobs]['output']> {
  switch (kind) {
    case 'design': {
      return factsOf(await load(input.design))
    }
    case 'yardstick':
      return yardstickOf(testFrom(input.test), optionsOf(input.limits))
    case 'cell': {
      const cell = await check(input)
      const copies =
        input.copies && !heartbeat.stopped ? copiesOf(cell, input.copies, input.search) : undefined
      return cellReport(cell, input.yardstick, copies, doubts(cell, input))
    }
    case 'claim': {
      const { claim, tests: texts, limits, width, only } = input
      const cases = only === undefined ? claim.cases : [claim.cases[only.case - 1]!]
      return claimReport(
        decide({ ...claim, cases }, (name) => testFrom(texts[name]!), optionsOf(limits)),
        width,
        only,
      )
    }
    case 'outcomes': {
      const design = await load(input.design)
      const search = { mode: 'breadth-first', reductions: 'auto' } as const
      const { ends, exploration } = runTest(
        testFrom(input.test),
        design.rules,
        optionsOf(input.limits, search),
      )
      const keys = ends.map(({ outcome }) => outcome.key)
      return { keys, states: exploration.states, exhaustive: exploration.bounded === undefined }
    }
    case 'show':
      return show(await check(input), input)
    case 'coverage': {
      const design = input.design === undefined ? undefined : await load(input.design)
      return coverDesign(input.tests.map(testFrom), design, input.copies, optionsOf(input.limits))
    }
    case 'history':
      return historyOf(input.tests.map(testFrom), await load(input.design), optionsOf(input.limits))
    case 'export':
      return exportCell(testFrom(input.test), await load(input.design), input, optionsOf(input.limits))
  }
}

async function check(input: CellInput): Promise<Cell> {
  const design = await load(input.design)
  return checkCell(
    testFrom(input.test),
    design,
    input.yardstick,
    optionsOf(input.limits, input.search, input.design),
  )
}

function copiesOf({ test, design }: Cell, limits: CellInput['limits'], search: CellInput['search']) {
  return countCopies(test, design, optionsOf(limits, search))
}

type Judging = Pick<CellInput, 'yardstick' | 'limits' | 'search'>

function doubts(cell: Cell, { yardstick, limits, search }: Judging): Doubt[] {
  return heartbeat.stopped ? [] : doubtsOf(cell, yardstick, optionsOf(limits, search))
}

function optionsOf(
  limits: CellInput['limits'],
  search?: CellInput['search'],
  design?: DesignSource,
): RunOptions {
  return {
    limits,
    search,
    recheck: design?.kind === 'file',
    watch: (progress) => {
      heartbeat.progress(progress)
      return !heartbeat.stopped
    },
    onReplay: (procedure) => heartbeat.enter(procedure),
    onReplayed: () => heartbeat.leave(),
  }
}

const tests = new Map<string, Litmus>()

function testFrom({ file, text }: TestText): Litmus {
  const known = tests.get(text)
  if (known !== undefined) return known
  const { test } = parse(text, file)
  tests.set(text, test)
  return test
}

const loaded = new Map<string, Design>()

async function load(source: DesignSource): Promise<Design> {
  if (source.kind === 'built-in') return designNamed(source.name)!
  const known = loaded.get(source.code)
  if (known !== undefined) return known
  heartbeat.enter(LOADING)
  const design = watched(await designFrom(source))
  loaded.set(source.code, design)
  heartbeat.reset()
  return design
}

/** A design whose functions that are no rules are watched, too: they may not come back either. */
function watched(design: Design): Design {
  const { rules } = design
  const { hooks } = rules
  const layout = hooks?.layout
  return {
    ...design,
    promises: (reference, circumstance) => watch('promises', () => design.promises(reference, circumstance)),
    rules:
      layout === undefined
        ? rules
        : { ...rules, hooks: { ...hooks, layout: (k) => watch('layout', () => layout(k)) } },
  }
}

function watch<T>(name: string, foreign: () => T): T {
  heartbeat.enter(name)
  const result = foreign()
  heartbeat.leave()
  return result
}

function show(
  cell: Cell,
  { yardstick, limits, search, terms, copies, ...options }: Jobs['show']['input'],
): ShowAnswer {
  const selection = terms === undefined ? worstOf(cell) : withTerms(cell, terms)
  if (selection === undefined) {
    const outcomes = cell.outcomes.map(({ outcome }) => outcome.key)
    const { bounded, search, depth } = cell.exploration
    const far = bounded === undefined ? undefined : reach({ search, depth, bounded })
    return { kind: 'none', outcomes, bounded: far }
  }
  const counted = copies && !heartbeat.stopped ? copiesOf(cell, limits, search) : undefined
  return {
    kind: 'shown',
    text: renderShow(cell, selection, options),
    report: cellReport(
      cell,
      yardstick,
      counted,
      doubts(cell, { yardstick, limits, ...(search !== undefined && { search }) }),
    ),
  }
}

function failureFrom(error: unknown, { input }: Request): WorkerFailure {
  if (error instanceof DesignError || error instanceof ClaimsError)
    return { kind: 'model', message: error.message }
  const own = 'design' in input && input.design?.kind === 'file' ? input.design : undefined
  if (error instanceof ModelError) {
    const message = own === undefined ? error.message : explain(error.cause, own, error.message)
    return { kind: 'model', message }
  }
  // What a person's own code throws outside of a generator comes from wherever it was called.
  if (own !== undefined) return { kind: 'model', message: explain(error, own) }
  return {
    kind: 'internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}
