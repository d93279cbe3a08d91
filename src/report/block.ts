/** One cell in full, in the words of herd7, for a terminal or a pipe. */
import pc from 'picocolors'
import type { CellVerdict } from '../check/index.ts'
import { count } from './count.ts'
import type { CellReport, ConditionSummary, OutcomeSummary } from './json.ts'
import { describeSearch, randomRuns } from './reach.ts'
import { describeDoubts, describeSurprise, extent, manner, rangeOf, VERDICT_WORDS } from './words.ts'
import { hang, type TextOptions } from './wrap.ts'

/** How many outcomes a block shows; all bad ones come first. */
const OUTCOMES_SHOWN = 24

/** One cell as herd7 would print it, with a verdict beside each outcome. */
export function renderBlock(report: CellReport, { width, colour }: TextOptions): string {
  const colours = pc.createColors(colour)
  const paint = verdictPaint(colours)
  const lines = [`Test ${colours.bold(report.test)}  ${colours.bold(report.design)}`]
  lines.push(`Outcomes ${count(report.outcomes.length)} (${extent(report)})`)
  const sorted = [...report.outcomes].sort((a, b) => severity(b.verdict) - severity(a.verdict))
  const words = Math.max(...sorted.map(({ verdict }) => VERDICT_WORDS[verdict].length), 0)
  for (const outcome of sorted.slice(0, OUTCOMES_SHOWN)) {
    const label = VERDICT_WORDS[outcome.verdict].padEnd(words)
    const mark = outcome.witnesses.length > 0 ? '*' : ' '
    const body = hang(describeOutcome(outcome), width, words + 5)
    lines.push(`${mark} ${paint(outcome.verdict)(label)}  ${body}`)
  }
  const hidden = sorted.length - OUTCOMES_SHOWN
  if (hidden > 0) lines.push(`  … and ${count(hidden)} more (--json prints all)`)
  for (const { failure, message } of report.failures) {
    lines.push(
      `  ${paint(failure)(VERDICT_WORDS[failure])}  ${hang(message, width, VERDICT_WORDS[failure].length + 4)}`,
    )
  }
  for (const condition of report.conditions) lines.push(...conditionLines(condition, report, colours))
  lines.push(hang(`Verdict ${verdictLine(report, colours)}`, width, 8, 0))
  const search = describeSearch(report)
  if (search !== '') lines.push(hang(`Search ${search}`, width, 8, 0))
  for (const doubt of describeDoubts(report)) lines.push(hang(doubt, width, 2, 0))
  if (report.copies !== null) lines.push(`Copies ${rangeOf(report.copies)} in any run`)
  return `${lines.join('\n')}\n`
}

const ORDER = Object.keys(VERDICT_WORDS) as CellVerdict[]

function severity(verdict: CellVerdict): number {
  return ORDER.indexOf(verdict)
}

function describeOutcome({ key, needs, verdict, stray }: OutcomeSummary): string {
  const shown = key === '' ? '(nothing to observe)' : key
  if (stray) return `${shown}  [a store shows at another address]`
  if (needs === null || needs.length === 0) return shown
  const promised = verdict === 'wrong-cow' ? 'breaks the promise to' : 'promised to nobody:'
  return `${shown}  [${promised} ${needs.join('; ')}]`
}

type Colours = ReturnType<typeof pc.createColors>

function conditionLines(condition: ConditionSummary, report: CellReport, colours: Colours): string[] {
  const { quantifier, text, holds, decided, observation, positive, negative } = condition
  const complete = report.exhaustive
  // Among no outcomes at all, or not all of them, Always and Never would claim too much.
  const sure = observation === 'Sometimes' || complete
  const word = sure
    ? `${observation} ${positive} ${negative} (${extent(report)})`
    : observation === 'Never'
      ? notFound(report)
      : `Always so far ${positive} ${negative} (${extent(report)})`
  const verdict = !decided
    ? colours.magenta('not decided')
    : holds
      ? colours.green('holds')
      : colours.yellow('violated')
  return [`Condition ${quantifier} ${text}: ${verdict}`, `Observation ${text} ${word}`]
}

function notFound(report: CellReport): string {
  if (report.search.mode === 'random') return `not seen in ${randomRuns(report.search)}`
  return `not found in ${count(report.states)} states (${manner(report)})`
}

function verdictLine(report: CellReport, colours: Colours): string {
  const words = verdictPaint(colours)(report.verdict)(VERDICT_WORDS[report.verdict])
  const soFar = report.exhaustive ? '' : ' so far'
  const { expectation } = report
  if (expectation === null) {
    return `${words}${soFar}${report.surprise ? colours.red(' (unexpected: no "expect" line names this design)') : ''}`
  }
  const reason = expectation.reason === null ? '' : `: "${expectation.reason}"`
  if (expectation.met) {
    const known = report.verdict === 'right' ? 'as expected' : 'known, reproduced'
    return `${words}${soFar} (${known}${reason})`
  }
  return `${words}${soFar} (${report.surprise ? colours.red(describeSurprise(report)) : 'not finished'})`
}

function verdictPaint(colours: Colours): (verdict: CellVerdict) => (text: string) => string {
  return (verdict) => {
    if (verdict === 'right') return colours.green
    return verdict === 'not-promised' ? colours.dim : colours.yellow
  }
}
