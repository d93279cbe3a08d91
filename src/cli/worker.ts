/**
 * A worker: does one job at a time. Explorations run here, and so does the code of a person's
 * own design, which may throw, or never come back; the main thread watches (`pool.ts`).
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  type Cell,
  checkCell,
  copiesByOutcome,
  countCopies,
  type Doubt,
  doubtsOf,
  expectStates,
  type RunOptions,
  runTest,
  yardstickOf,
} from '../check/index.ts'
import { ClaimsError } from '../claims/error.ts'
import { type Design, designNamed, eager_all } from '../designs/index.ts'
import { assist, ModelError, type SearchMode, type Share } from '../engine/index.ts'
import { compile, type Litmus, parse } from '../litmus/index.ts'
import { cellReport } from '../report/json.ts'
import { factsOf } from './design_facts.ts'
import { Heartbeat, LOADING } from './heartbeat.ts'
import { DesignError, designFrom, explain } from './own_design.ts'
import type {
  AssistInput,
  CellInput,
  DesignSource,
  Jobs,
  Reply,
  Request,
  ShowAnswer,
  TestText,
  WorkerFailure,
} from './protocol.ts'
import { shortfall, withTerms, worstOf } from './selection.ts'

const heartbeat = new Heartbeat(workerData as Heartbeat['buffer'])

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

/** What only one kind of job needs is loaded with the first of them: it is as much as all others need together. */
async function answer({ kind, input }: Request): Promise<Jobs[keyof Jobs]['output']> {
  switch (kind) {
    case 'design': {
      return factsOf(await load(input.design))
    }
    case 'yardstick':
      return yardstickOf(testFrom(input.test), optionsOf(input.limits, { test: input.test }))
    case 'cell': {
      const cell = await check(input)
      const copies = input.copies && !heartbeat.stopped ? copiesOf(cell, input, input.copies) : undefined
      return cellReport(cell, input.yardstick, copies, doubts(cell, input))
    }
    case 'claim': {
      const { decideClaim } = await import('./claim_job.ts')
      const report = decideClaim(input, testFrom, optionsOf(input.limits))
      // What has not been explored may turn the answer round.
      return heartbeat.stopped ? null : report
    }
    case 'assist':
      await help(input)
      return null
    case 'outcomes': {
      const design = await load(input.design)
      const search = { mode: 'breadth-first', reductions: 'auto' } as const
      const test = testFrom(input.test)
      const { ends, exploration } = runTest(test, design.rules, optionsOf(input.limits, { search }))
      const keys = ends.map(({ outcome }) => outcome.key)
      const copies = copiesByOutcome(test, design, optionsOf(input.copies, { search }))
      return { keys, exhaustive: exploration.bounded === undefined, copies }
    }
    case 'show':
      return show(await check(input), input)
    case 'coverage': {
      const { coverDesign } = await import('./coverage_job.ts')
      const design = input.design === undefined ? undefined : await load(input.design)
      return coverDesign(
        input.tests.map(testFrom),
        design,
        input.copies,
        optionsOf(input.limits),
        () => heartbeat.stopped,
      )
    }
    case 'history': {
      const { historyOf } = await import('./history_job.ts')
      return historyOf(
        input.tests.map(testFrom),
        await load(input.design),
        optionsOf(input.limits),
        () => heartbeat.stopped,
      )
    }
    case 'estimate': {
      const { rules } = await load(input.design)
      const { system } = compile(testFrom(input.test), rules)
      const recheck = input.design.kind === 'file'
      return expectStates(system, { ...optionsOf(input.limits, { recheck }), limits: input.limits }) ?? null
    }
    case 'export': {
      const { exportCell } = await import('./export_job.ts')
      return exportCell(testFrom(input.test), await load(input.design), input, optionsOf(input.limits))
    }
  }
}

async function check(input: CellInput): Promise<Cell> {
  const design = await load(input.design)
  const { limits, search, test } = input
  const under = { source: input.design, design }
  const recheck = input.design.kind === 'file'
  const options = optionsOf(limits, { search, test, under, recheck })
  return checkCell(testFrom(test), design, input.yardstick, options)
}

/** Explores with another worker what that one explores. */
async function help({ test, design, program, share }: AssistInput): Promise<void> {
  const { rules } = design === null ? eager_all : await load(design)
  assist(compile(testFrom(test), rules, program).system, share, {
    onReplay: (procedure) => heartbeat.enter(procedure),
    onReplayed: () => heartbeat.leave(),
    onPortion: () => heartbeat.leave(),
  })
  heartbeat.reset()
}

function copiesOf(
  { test, design }: Cell,
  input: Pick<CellInput, 'test' | 'design' | 'search'>,
  limits: CellInput['limits'],
) {
  const under = { source: input.design, design }
  return countCopies(
    test,
    design,
    optionsOf(limits, { search: besides(input.search), test: input.test, under }),
  )
}

type Judging = Pick<CellInput, 'yardstick' | 'limits' | 'search'>

function doubts(cell: Cell, { yardstick, limits, search }: Judging): Doubt[] {
  return heartbeat.stopped ? [] : doubtsOf(cell, yardstick, optionsOf(limits, { search: besides(search) }))
}

/** How to search what is not the cell itself: with whole states, since the chance of a missed one would be told nowhere. */
function besides(search: SearchMode | undefined): SearchMode | undefined {
  return search?.mode === 'hash-compaction' ? undefined : search
}

interface Exploring {
  readonly search?: SearchMode | undefined
  /** What is explored, if other workers can explore it too. */
  readonly test?: TestText
  /** The design under which it is explored, if it is not the yardstick. */
  readonly under?: { readonly source: DesignSource; readonly design: Design }
  readonly recheck?: boolean
}

function optionsOf(
  limits: CellInput['limits'],
  { search, test, under, recheck = false }: Exploring = {},
): RunOptions {
  return {
    limits,
    search,
    recheck,
    foresee: heartbeat.foresees,
    team: (rules, program) => {
      const { workers } = heartbeat
      if (workers <= 1 || test === undefined) return undefined
      const design =
        rules === eager_all.rules ? null : rules === under?.design.rules ? under.source : undefined
      // Rules that were made here, as those of a doubt are, nobody else can make.
      if (design === undefined) return undefined
      const call = (share: Share): void => {
        parentPort!.postMessage({ kind: 'call', input: { test, design, program, share } } satisfies Reply)
      }
      return { size: workers, call }
    },
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
  // A promise that the file has left to itself ends this thread now, and not when the job is done.
  await new Promise(setImmediate)
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

async function show(
  cell: Cell,
  { test, design, yardstick, limits, search, terms, copies, ...options }: Jobs['show']['input'],
): Promise<ShowAnswer> {
  const selection = terms === undefined ? worstOf(cell) : withTerms(cell, terms)
  if (selection === undefined) {
    const outcomes = cell.outcomes.map(({ outcome }) => outcome.key)
    return { kind: 'none', outcomes, bounded: shortfall(cell) }
  }
  const counted =
    copies && !heartbeat.stopped
      ? copiesOf(cell, { test, design, ...(search !== undefined && { search }) }, limits)
      : undefined
  const { renderShow } = await import('../report/show.ts')
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
