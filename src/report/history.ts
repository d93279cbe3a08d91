/** What threads remember and never use again, for people who want to mend it. */
import { count } from './count.ts'
import { hang } from './wrap.ts'

export interface HistoryReport {
  readonly cells: number
  readonly states: number
  /** States that would be left without dead history. */
  readonly folded: number
  /** Cells that were ended early, or not begun, of which nothing is said. */
  readonly bounded: number
  /** Whether somebody did not wait for the end. */
  readonly interrupted: boolean
  /** What costs most comes first. */
  readonly causes: readonly HistoryCause[]
}

export interface HistoryCause {
  readonly procedure: string
  readonly what: string
  readonly states: number
  readonly alone: number
  readonly example: string
  /** Where it costs most. */
  readonly test: string
  readonly design: string
}

/** The causes of several cells, each once. */
export function mergeCauses(causes: readonly HistoryCause[]): HistoryCause[] {
  const merged = new Map<string, { cause: HistoryCause; states: number; alone: number }>()
  for (const cause of causes) {
    const key = `${cause.procedure}: ${cause.what}`
    const known = merged.get(key) ?? { cause, states: 0, alone: 0 }
    const worst = known.cause.states < cause.states ? cause : known.cause
    merged.set(key, { cause: worst, states: known.states + cause.states, alone: known.alone + cause.alone })
  }
  return [...merged.values()]
    .map(({ cause, states, alone }) => ({ ...cause, states, alone }))
    .sort((a, b) => b.states - a.states || (`${a.procedure} ${a.what}` < `${b.procedure} ${b.what}` ? -1 : 1))
}

/**
 * @param most how many causes are shown
 * @param width columns to fit into
 */
export function renderHistory(report: HistoryReport, most: number, width: number): string {
  const { cells, states, folded, bounded, causes } = report
  const lost = states - folded
  const share = states === 0 ? 0 : (100 * lost) / states
  const head = `Of ${count(states)} states in ${count(cells)} ${cells === 1 ? 'cell' : 'cells'}, ${count(lost)} (${share.toFixed(1)} %) differ from another one only in what some thread remembers and never uses again.`
  const lines = [hang(head, width, 0, 0)]
  if (lost > 0) lines.push('', '  states   alone  what is remembered')
  for (const { procedure, what, states, alone, example, test, design } of causes.slice(0, most)) {
    const numbers = `${count(states).padStart(8)}${count(alone).padStart(8)}  `
    const text = `${procedure}: ${what}; most in ${test} under ${design}, where ${example}`
    lines.push(`${numbers}${hang(text, width, numbers.length, numbers.length)}`)
  }
  if (causes.length > most)
    lines.push(`  … and ${count(causes.length - most)} more with --top ${causes.length}`)
  if (lost > 0) {
    lines.push(
      '',
      hang('states: those that differ in this, perhaps in others too; alone: in nothing else.', width, 0, 0),
    )
  }
  if (bounded > 0) lines.push(`${bounded} cells were not explored to the end, and are not counted.`)
  return lines.join('\n')
}
