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
  type FailureReport,
  type OutcomeReport,
  type RunOptions,
  runTest,
  worst,
  yardstickOf,
} from '../check/index.ts'
import { ClaimsError, decide } from '../claims/index.ts'
import { type Design, designNamed, eager_all } from '../designs/index.ts'
import { assist, ModelError, type Share } from '../engine/index.ts'
import { compile, exportPromela, type Litmus, parse } from '../litmus/index.ts'
import { claimReport } from '../report/claims.ts'
import { cellReport } from '../report/json.ts'
import { renderShow } from '../report/show.ts'
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
  WorkerData,
  WorkerFailure,
} from './protocol.ts'

const { heartbeat: buffer, workers } = workerData as WorkerData
const heartbeat = new Heartbeat(buffer)

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
      return yardstickOf(testFrom(input.test), optionsOf(input.limits, input.test))
    case 'cell': {
      const cell = await check(input)
      const copies = input.copies && !heartbeat.stopped ? copiesOf(cell, input, input.copies) : undefined
      return cellReport(cell, input.yardstick, copies, doubts(cell, input))
    }
    case 'claim': {
      const { claim, tests: texts, limits, width } = input
      return claimReport(
        decide(claim, (name) => testFrom(texts[name]!), optionsOf(limits)),
        width,
      )
    }
    case 'assist':
      await help(input)
      return null
    case 'show':
      return show(await check(input), input)
    case 'export': {
      const design = await load(input.design)
      const test = testFrom(input.test)
      const { program, explorer, exploration } = runTest(test, design.rules, optionsOf(input.limits))
      if (exploration.bounded !== undefined) {
        throw new DesignError(
          `only a complete exploration can be exported, and this one ended early (${exploration.bounded})`,
        )
      }
      const file = input.output === undefined ? {} : { file: input.output }
      return exportPromela(test, program.kernel, explorer, { design: design.name, ...file })
    }
  }
}

async function check(input: CellInput): Promise<Cell> {
  const design = await load(input.design)
  const options = optionsOf(input.limits, input.test, { source: input.design, design })
  return checkCell(testFrom(input.test), design, input.yardstick, options)
}

/** Explores with another worker what that one explores. */
async function help({ test, design, program, share }: AssistInput): Promise<void> {
  const { rules } = design === null ? eager_all : await load(design)
  assist(compile(testFrom(test), rules, program).system, share, {
    onReplay: (procedure) => heartbeat.enter(procedure),
    onPortion: () => heartbeat.progress(0, 0, 0),
  })
  heartbeat.reset()
}

function copiesOf(
  { test, design }: Cell,
  input: Pick<CellInput, 'test' | 'design'>,
  limits: CellInput['limits'],
) {
  return countCopies(test, design, optionsOf(limits, input.test, { source: input.design, design }))
}

function doubts(cell: Cell, { yardstick, limits }: Pick<CellInput, 'yardstick' | 'limits'>): Doubt[] {
  return heartbeat.stopped ? [] : doubtsOf(cell, yardstick, optionsOf(limits))
}

/**
 * @param test what is explored, if other workers can explore it too
 * @param under the design under which it is explored, if it is not the yardstick
 */
function optionsOf(
  limits: CellInput['limits'],
  test?: TestText,
  under?: { readonly source: DesignSource; readonly design: Design },
): RunOptions {
  return {
    limits,
    team: (rules, program) => {
      if (workers === 1 || test === undefined) return undefined
      const design =
        rules === eager_all.rules ? null : rules === under?.design.rules ? under.source : undefined
      // Rules that were made here, as those of a doubt are, nobody else can make.
      if (design === undefined) return undefined
      const call = (share: Share): void => {
        parentPort!.postMessage({ kind: 'call', input: { test, design, program, share } } satisfies Reply)
      }
      return { size: workers, call }
    },
    watch: ({ states, depth, frontier }) => {
      heartbeat.progress(states, depth, frontier)
      return !heartbeat.stopped
    },
    onReplay: (procedure) => heartbeat.enter(procedure),
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
  const design = await designFrom(source)
  loaded.set(source.code, design)
  heartbeat.reset()
  return design
}

function show(
  cell: Cell,
  { test, design, yardstick, limits, terms, copies, ...options }: Jobs['show']['input'],
): ShowAnswer {
  const selection = terms === undefined ? worstOf(cell) : withTerms(cell, terms)
  if (selection === undefined) {
    const outcomes = cell.outcomes.map(({ outcome }) => outcome.key)
    return { kind: 'none', outcomes, bounded: cell.exploration.bounded }
  }
  const counted = copies && !heartbeat.stopped ? copiesOf(cell, { test, design }, limits) : undefined
  return {
    kind: 'shown',
    text: renderShow(cell, selection, options),
    report: cellReport(cell, yardstick, counted, doubts(cell, { yardstick, limits })),
  }
}

type Selection = { readonly outcome: OutcomeReport } | { readonly failure: FailureReport }

/** What is worth looking at: what makes the verdict, else what breaks a condition, else the nearest outcome. */
function worstOf({ failures, outcomes, conditions, verdict }: Cell): Selection | undefined {
  const failure = failures.find((report) => report.failure === verdict)
  if (failure !== undefined) return { failure }
  const breaks = (report: OutcomeReport): boolean =>
    report.witnesses.some((i) => conditions[i]!.condition.quantifier !== 'sometimes')
  const candidates = outcomes.filter((report) => report.verdict === verdict)
  const outcome =
    candidates.find(breaks) ?? (verdict === 'right' ? outcomes.find(breaks) : undefined) ?? candidates[0]
  return outcome === undefined ? undefined : { outcome }
}

/** The worst outcome that has all the terms. */
function withTerms({ outcomes }: Cell, terms: readonly string[]): Selection | undefined {
  const having = outcomes.filter(({ outcome }) => {
    const observed = outcome.observations.map(({ name, value }) => `${name}=${value}`)
    return terms.every((term) => observed.includes(term))
  })
  const verdict = worst(having.map((report) => report.verdict))
  const outcome = having.find((report) => report.verdict === verdict)
  return outcome === undefined ? undefined : { outcome }
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
