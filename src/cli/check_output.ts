/** What `cowherd check` prints for people: blocks, tables, surprises, errors and a summary. */
import { renderBlock } from '../report/block.ts'
import { count } from '../report/count.ts'
import { renderCopies, renderTable } from '../report/table.ts'
import { describeSurprise } from '../report/words.ts'
import { hang } from '../report/wrap.ts'
import { type Result, summaryOf } from './check_result.ts'
import type { Column } from './check_run.ts'
import { optionsFor } from './choices.ts'
import type { Jobs } from './protocol.ts'
import { complain, outputColour, outputWidth, print, quoted } from './terminal.ts'
import { nameOf, type TestFile } from './tests.ts'

/** Up to this many cells are shown in full. */
const BLOCKS_UP_TO = 20

export function printResult(result: Result, copies: boolean): void {
  const { columns, rows } = result
  const text = { width: outputWidth(), colour: outputColour() }
  const names = columns.map(({ name }) => name)
  const entries = rows.flatMap((row) => row.entries)
  const inFull = rows.length === 1 || entries.length <= BLOCKS_UP_TO
  if (rows.length > 0) {
    const parts: string[] = []
    if (inFull) {
      parts.push(
        ...entries.flatMap((entry) => (entry.status === 'done' ? [renderBlock(entry.report, text)] : [])),
      )
    }
    if (!inFull || columns.length > 1 || entries.some(({ status }) => status !== 'done')) {
      parts.push(renderTable(names, rows, text))
      if (copies) parts.push(renderCopies(names, rows, text))
    }
    print(parts.join('\n'))
  }
  printUnfinished(result)
  printSurprises(result, text.width)
  printErrors(result)
  print(summaryLine(result))
}

/** Tests that were interrupted while their yardstick was explored: without it, no outcome can be judged. */
function printUnfinished({ rows }: Result): void {
  for (const { name, entries } of rows) {
    const [entry] = entries
    if (entry?.status !== 'unfinished' || entry.yardstickStates === 0) continue
    const states = count(entry.yardstickStates)
    print(`${name}: interrupted while its yardstick was explored, which had come to ${states} states`)
  }
}

function printSurprises(result: Result, width: number): void {
  const lines = surprisesOf(result).map(({ test, column, report }) => {
    const what = `${test.inSuite ? nameOf(test) : test.test.name} under ${column.name}: ${describeSurprise(report)}`
    const command = showCommand(test, column, report)
    return `  ${hang(what, width, 4, 2)}${command === undefined ? '' : `\n    ${command}`}`
  })
  if (lines.length === 0) return
  print(`${lines.length} ${lines.length === 1 ? 'surprise' : 'surprises'}:\n${lines.join('\n')}\n`)
}

interface Surprise {
  readonly test: TestFile
  readonly column: Column
  readonly report: Jobs['cell']['output']
}

function surprisesOf({ rows, tests, columns }: Result): Surprise[] {
  return rows.flatMap(({ entries }, i) =>
    entries.flatMap((entry, c) =>
      entry.status === 'done' && entry.report.surprise
        ? [{ test: tests[i]!, column: columns[c]!, report: entry.report }]
        : [],
    ),
  )
}

/** The command that shows how it comes about; undefined if there is nothing to show. */
function showCommand(test: TestFile, column: Column, report: Jobs['cell']['output']): string | undefined {
  const name = quoted(nameOf(test))
  const search = optionsFor(report.search)
  const command = `cowherd show ${name} --design ${quoted(column.option)}${search === '' ? '' : ` ${search}`}`
  if (report.verdict !== 'right') return command
  const broken = report.conditions.findIndex(({ holds, quantifier }) => !holds && quantifier !== 'sometimes')
  const witness = report.outcomes.find(({ witnesses }) => witnesses.includes(broken))
  return witness === undefined ? undefined : `${command} --outcome ${quoted(witness.key)}`
}

/** Each message once, with the tests that it is about. */
function printErrors({ columns, rows, tests }: Result): void {
  const byMessage = new Map<string, { design: string; tests: string[] }>()
  rows.forEach(({ entries }, i) => {
    entries.forEach((entry, c) => {
      if (entry.status !== 'error') return
      const design = columns[c]!.option
      const key = `${design}: ${entry.message}`
      const known = byMessage.get(key)
      if (known === undefined) byMessage.set(key, { design, tests: [tests[i]!.test.name] })
      else known.tests.push(tests[i]!.test.name)
    })
  })
  for (const [message, { tests: names }] of byMessage) {
    const more = names.length > 1 ? ` and ${names.length - 1} more` : ''
    complain(`design ${message}\n  in test ${names[0]}${more}`)
  }
}

function summaryLine(result: Result): string {
  const { cells, states, milliseconds, surprises, bounded, unfinished, errors, interrupted } =
    summaryOf(result)
  const parts = [
    `${count(cells)} ${cells === 1 ? 'cell' : 'cells'}`,
    `${count(states)} states`,
    `${(milliseconds / 1000).toFixed(1)} s`,
    `${surprises === 0 ? 'no surprises' : `${surprises} ${surprises === 1 ? 'surprise' : 'surprises'}`}`,
  ]
  if (bounded > 0) parts.push(`${bounded} not explored to the end`)
  if (unfinished > 0) parts.push(`${unfinished} unfinished`)
  if (errors > 0) parts.push(`${errors} in error`)
  return `${interrupted ? 'Interrupted. ' : ''}${parts.join(', ')}.`
}
