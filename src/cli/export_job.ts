/** What a worker does for `cowherd export`: one cell in another program's language. */
import { type Cell, checkCell, type RunOptions, runTest, type Yardstick } from '../check/index.ts'
import type { Design } from '../designs/index.ts'
import { type Bound, graphToDot, stateGraph, traceToDot, traceToItf } from '../engine/index.ts'
import { exportPromela, type Litmus } from '../litmus/index.ts'
import { count } from '../report/count.ts'
import { chosenRun, graphDocument } from '../report/graph_json.ts'
import { DesignError } from './own_design.ts'
import type { Exported, ExportInput, ExportLanguage } from './protocol.ts'
import { noSuchOutcome, type Selection, shortfall, withTerms, worstOf } from './selection.ts'

/** @throws DesignError if there is no such thing to be exported; the message says why */
export function exportCell(test: Litmus, design: Design, input: ExportInput, options: RunOptions): Exported {
  const { to, output } = input
  if (to === 'promela') {
    const { program, explorer, exploration } = runTest(test, design.rules, options)
    mustBeComplete(exploration.bounded)
    const file = output === undefined ? {} : { file: output }
    const text = exportPromela(test, program.kernel, explorer, { design: design.name, ...file })
    return { text, bounded: undefined }
  }
  const cell = checkCell(test, design, input.yardstick as Yardstick, options)
  return { text: textOf(test, design, cell, input), bounded: shortfall(cell) }
}

function textOf(test: Litmus, design: Design, cell: Cell, { to, run: wanted, limit }: ExportInput): string {
  const { explorer } = cell.run
  const title = `${test.name} under ${design.name}`
  const whole = wanted === undefined && to !== 'itf'
  if (whole) {
    mustBeComplete(cell.exploration.bounded)
    const { states } = cell.exploration
    if (states > limit) {
      throw new DesignError(
        `this graph has ${count(states)} states, and more than ${count(limit)} are only written with --limit ${states}; a single run is written with --run`,
      )
    }
  }
  switch (to as Exclude<ExportLanguage, 'promela'>) {
    case 'json':
      return JSON.stringify(graphDocument(cell, select(cell, wanted ?? []), whole), null, 1)
    case 'dot': {
      if (whole) return graphToDot(stateGraph(explorer), title)
      const { trace, to: end } = chosenRun(cell, mustExist(cell, wanted!))
      return traceToDot(explorer.system, trace, `${title}: ${end}${soFar(cell)}`)
    }
    case 'itf': {
      const { trace, to: end, verdict } = chosenRun(cell, mustExist(cell, wanted ?? []))
      const description = `${title}: ${end} (${verdict})${soFar(cell)}`
      return JSON.stringify(
        traceToItf(explorer.system, trace, { source: `${test.name}.litmus`, description }),
        null,
        1,
      )
    }
  }
}

/** That there may be worse where the exploration has not come to. */
function soFar(cell: Cell): string {
  const bounded = shortfall(cell)
  return bounded === undefined ? '' : `, so far: ${bounded}`
}

/** By what an exploration was ended: the option that allows it more. */
const MORE: Partial<Record<Bound, string>> = {
  states: '--max-states',
  depth: '--max-depth',
  memory: '--max-memory',
  time: '--max-seconds',
}

function mustBeComplete(bounded: Bound | undefined): void {
  if (bounded === undefined) return
  const more = MORE[bounded]
  throw new DesignError(
    `only a complete exploration can be exported, and this one ended early (${bounded})${more === undefined ? '' : `; ${more} allows it more`}`,
  )
}

/** What has all the terms, or, without terms, the worst; nothing only if it is known that no run comes to an end. */
function select(cell: Cell, terms: readonly string[]): Selection | undefined {
  const isKnown = terms.length === 0 && cell.exploration.bounded === undefined
  return isKnown ? worstOf(cell) : mustExist(cell, terms)
}

function mustExist(cell: Cell, terms: readonly string[]): Selection {
  const selection = terms.length === 0 ? worstOf(cell) : withTerms(cell, terms)
  if (selection !== undefined) return selection
  const keys = cell.outcomes.map(({ outcome }) => outcome.key)
  throw new DesignError(noSuchOutcome(terms.join(' '), keys, shortfall(cell)))
}
