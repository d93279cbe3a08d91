/** Claims and what has come of them, as a short paper: for a terminal, or as Markdown. */
import pc from 'picocolors'
import {
  type CaseDoubt,
  type CaseResult,
  type ClaimResult,
  type Decision,
  isPlain,
  type Undecided,
} from '../claims/index.ts'
import type { Trace } from '../engine/index.ts'
import { count } from './count.ts'
import { foldedSchedule } from './fold.ts'
import { scheduleOf } from './schedule.ts'
import { Story } from './story.ts'
import { enumerate, wrap } from './wrap.ts'

/** One experiment, as a worker reports it. */
export interface CaseReport {
  readonly if: string
  readonly test: string
  readonly under: string
  readonly holds: boolean
  readonly found: string
  readonly states: number
  readonly exhaustive: boolean
  /** The run that decides, folded; null where no single run does. */
  readonly run: string | null
  readonly steps: number | null
  /** What shows the run in full. */
  readonly command: string | null
  /** Whether the claim was to be true here; null where nothing was said of that. */
  readonly expected: boolean | null
  /** What would turn the answer round, in sentences. */
  readonly doubts: readonly string[]
}

export interface ClaimReport {
  readonly id: string
  readonly by: string
  readonly when: string
  readonly where: string
  readonly claim: string
  readonly decision: Decision
  readonly expected: Decision
  readonly asExpected: boolean
  readonly exhaustive: boolean
  readonly comment: string
  readonly cases: readonly CaseReport[]
}

/** Lines that a deciding run is folded to. */
const RUN_LINES = 24

/**
 * What has come of a claim, as plain values.
 * @param width of the runs that are shown, in characters
 * @param only the number of the only case that was run, from 1; its run is not folded if it is to be seen in full
 */
export function claimReport(
  result: ClaimResult,
  width: number,
  only?: { readonly case: number; readonly full: boolean },
): ClaimReport {
  const { claim, cases, decision, exhaustive } = result
  const { id, by, when, where, expected, comment } = claim
  return {
    ...{ id, by, when, where, claim: claim.claim, decision, expected, exhaustive, comment },
    asExpected:
      decision === expected &&
      exhaustive &&
      cases.every(({ case: one, holds }) => one.holds === undefined || one.holds === holds),
    cases: cases.map((one, i) =>
      caseReport(one, `${id} --case ${only?.case ?? i + 1}`, width, only?.full === true),
    ),
  }
}

function caseReport(one: CaseResult, name: string, width: number, full: boolean): CaseReport {
  const { case: experiment, under, holds, found, states, exhaustive, run, cell } = one
  // `show` tells more of a run, but knows only designs by name, and of a test only the worst that it does.
  const { asks } = experiment
  const plain = isPlain(experiment) && 'verdict' in asks
  return {
    ...{ if: experiment.if, test: experiment.test, under, holds, found, states, exhaustive },
    run:
      run === undefined ? null : full ? inFull(one, run, width) : foldedSchedule(cell, run, RUN_LINES, width),
    steps: run === undefined ? null : run.steps.length,
    command:
      run === undefined
        ? null
        : plain
          ? `cowherd show ${experiment.test} --design ${experiment.design}`
          : `cowherd claims ${name} --full`,
    expected: experiment.holds ?? null,
    doubts: one.doubts.map((doubt) => doubtInWords(doubt, experiment.design, holds)),
  }
}

function inFull({ cell }: CaseResult, run: Trace, width: number): string {
  return scheduleOf(new Story(cell, run), { width, colour: false })
}

function doubtInWords(
  { rule, taken, alternative, found }: CaseDoubt,
  design: string,
  holds: boolean,
): string {
  const turned = `${holds ? 'this is not so' : 'this is so'}: ${found}`
  if (rule === undefined) return `In another reading (${alternative}) ${turned}.`
  return `This hangs on ${rule}, which is not stated in ${design} and is ours: ${taken}. If ${alternative}, ${turned}.`
}

/** `holds within bound`, `refuted`, `holds only if …`; or that it is not decided, where something was not explored. */
export function decisionInWords({ decision, cases, exhaustive }: ClaimReport): string {
  if (!exhaustive) return 'not decided: not everything was explored'
  if (decision === 'holds') return 'holds within bound'
  if (decision === 'refuted') return 'refuted'
  const conditions = cases.filter(({ holds }) => holds).map((one) => one.if)
  // They may have commas of their own.
  return `holds only if ${conditions.join('; or if ')}`
}

export interface SectionReport {
  readonly section: string
  readonly about: string
  readonly claims: readonly ClaimReport[]
  readonly undecided: readonly Undecided[]
}

/** For a terminal. */
export function renderClaims(
  sections: readonly SectionReport[],
  { width, colour, verbose }: { readonly width: number; readonly colour: boolean; readonly verbose: boolean },
): string {
  const { bold, dim, green, red, yellow } = pc.createColors(colour)
  const tint = { holds: green, refuted: red, 'holds only if': yellow } as const
  const lines: string[] = []
  for (const { section, about, claims, undecided } of sections) {
    if (lines.length > 0) lines.push('')
    lines.push(bold(section), '', ...wrap(about, width))
    claims.forEach((claim, i) => {
      lines.push('', bold(`${i + 1}. ${claim.id}`))
      lines.push(...indented(claim.claim, width))
      lines.push(...indented(`${claim.by}, ${claim.when}`, width).map(dim))
      lines.push(...indented(`→ ${decisionInWords(claim)}`, width, 2).map(tint[claim.decision]))
      if (!claim.asExpected) lines.push(...indented(`! expected: ${claim.expected}`, width).map(red))
      for (const one of claim.cases) lines.push(...caseLines(one, width, verbose, { dim, red }))
      lines.push(...indented(claim.comment, width))
      if (verbose) lines.push(...indented(`Source: ${claim.where}`, width).map(dim))
    })
    for (const { by, claim, why } of undecided) {
      lines.push(
        '',
        ...indented(claim, width),
        ...indented(by, width).map(dim),
        ...indented(`– ${why}`, width, 2),
      )
    }
  }
  return lines.join('\n')
}

/** One case of a claim, with the run that decides it, for a terminal. */
export function renderCase(
  { claim, cases, by, when }: ClaimReport,
  { width, colour, full }: { readonly width: number; readonly colour: boolean; readonly full: boolean },
): string {
  const { bold, dim, red } = pc.createColors(colour)
  const [one] = cases
  if (one === undefined) return ''
  const lines = [...wrap(claim, width).map(bold), ...wrap(`${by}, ${when}`, width).map(dim)]
  lines.push(...caseLines(one, width, !full, { dim, red }))
  if (one.run === null) lines.push(...indented('No single run decides this: it is so in all.', width, 0, 5))
  else if (full) lines.push('', one.run)
  return lines.join('\n')
}

function caseLines(
  one: CaseReport,
  width: number,
  verbose: boolean,
  paint: { readonly dim: (text: string) => string; readonly red: (text: string) => string },
): string[] {
  const lines = indented(`${markOf(one)} if ${one.if}: ${one.found}`, width, 2)
  const extent = `${count(one.states)} states${one.exhaustive ? '' : ', not all'}`
  lines.push(...indented(`${one.test} under ${one.under} (${extent})`, width, 0, 5).map(paint.dim))
  if (one.exhaustive && one.expected !== null && one.expected !== one.holds)
    lines.push(...indented(`! expected to be ${one.expected}`, width, 0, 5).map(paint.red))
  for (const doubt of one.doubts) lines.push(...indented(`° ${doubt}`, width, 2, 5))
  if (!verbose || one.run === null) return lines
  lines.push('', ...one.run.split('\n').map((line) => `     ${line}`))
  lines.push(...indented(`${one.steps} steps; in full: ${one.command}`, width, 0, 5).map(paint.dim), '')
  return lines
}

/** ✓ or ✗, with ° where something that the author of the rules did not state would turn it round. */
function markOf({ exhaustive, holds, doubts }: CaseReport): string {
  if (!exhaustive) return '?'
  return `${holds ? '✓' : '✗'}${doubts.length > 0 ? '°' : ''}`
}

function indented(text: string, width: number, hanging = 0, indent = 3): string[] {
  return wrap(text, width - indent, hanging).map((line) => ' '.repeat(indent) + line)
}

const INTRODUCTION = `# What was claimed, and what comes of it

In December 2021 kernel developers argued over copy-on-write and page pinning. What they claimed is decided here by
running it. Each claim is in our words, with its author and the message that it is from; each row of its table is one
experiment: a small program under some set of rules, run through every interleaving. ✓ means that the claim is true
there, ✗ that it is not. A claim that is true in all its cases *holds within bound*: for these programs, which are
small, and for what the model has (\`docs/model.md\`). One that is true in none is *refuted*, and a run shows it.
Otherwise it *holds only if* one of the conditions is met in which it is true. A ° marks what hangs on a rule that is ours,
since the author of the rules stated none, or on which of his words one goes by: with the other the mark would be the other.

\`npx cowherd claims\` decides them anew, \`npx cowherd claims <name> --verbose\` shows the runs that decide,
\`--case 2 --full\` one of them step by step, and \`npx cowherd claims --file my.yaml\` decides claims of your own. This page is what \`npx cowherd claims --markdown\` prints.
`

/** As a page of the documentation. */
export function claimsMarkdown(sections: readonly SectionReport[]): string {
  const lines: string[] = [INTRODUCTION, `${tally(sections)} What is not decided here stands at the end.`, '']
  for (const { section, about, claims, undecided } of sections) {
    lines.push(`## ${section}`, '', about.trim(), '')
    for (const { by, claim, why } of undecided) lines.push(`- ${claim.trim()} (${by}) – ${why.trim()}.`)
    if (undecided.length > 0) lines.push('')
    if (claims.length === 0) continue
    lines.push('| | claim | decision |', '| --- | --- | --- |')
    claims.forEach((claim, i) => {
      lines.push(`| ${i + 1} | [${cell(claim.claim)}](#${claim.id}) | ${cell(decisionInWords(claim))} |`)
    })
    lines.push('')
    for (const claim of claims) lines.push(...claimPage(claim))
  }
  return lines.join('\n')
}

/** How the claims came out, in a sentence. */
function tally(sections: readonly SectionReport[]): string {
  const all = sections.flatMap(({ claims }) => claims)
  const number = (decision: Decision): number => all.filter((claim) => claim.decision === decision).length
  return `Of ${all.length} claims ${number('holds')} ${number('holds') === 1 ? 'holds' : 'hold'}, ${number('holds only if')} ${number('holds only if') === 1 ? 'holds' : 'hold'} only under a condition, and ${number('refuted')} ${number('refuted') === 1 ? 'is' : 'are'} refuted.`
}

function claimPage(claim: ClaimReport): string[] {
  const lines = [
    `### ${claim.id}`,
    '',
    `> ${claim.claim}`,
    '>',
    `> ${claim.by}, ${claim.when} (${claim.where})`,
    '',
  ]
  lines.push(`**${upper(decisionInWords(claim))}.** ${claim.comment.trim()}`, '')
  lines.push('| | if | test, under | found | states |', '| --- | --- | --- | --- | --- |')
  for (const one of claim.cases) {
    const states = `${count(one.states)}${one.exhaustive ? '' : ', not all'}`
    const found = one.steps === null ? one.found : `${one.found} (a run of ${one.steps} steps)`
    lines.push(
      `| ${markOf(one)} | ${cell(one.if)} | \`${one.test}\`, ${cell(one.under)} | ${cell(found)} | ${states} |`,
    )
  }
  const doubts = claim.cases.flatMap((one) => one.doubts.map((text) => `- ° if ${one.if}: ${text}`))
  if (doubts.length > 0) lines.push('', ...doubts)
  const commands = [...new Set(claim.cases.flatMap(({ command }) => command ?? []))]
  if (commands.length > 0)
    lines.push('', `Shown by ${enumerate(commands.map((command) => `\`${command}\``))}.`)
  return [...lines, '']
}

function cell(text: string): string {
  return text.trim().replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
