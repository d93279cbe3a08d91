/** What a kernel did, beside what the model allows, for a terminal. */
import pc from 'picocolors'
import type { Agreement, Comparison } from '../real/compare.ts'
import type { Copies } from '../real/observed.ts'
import { count } from './count.ts'
import { hang, type TextOptions } from './wrap.ts'

/** Where a test was run, and what it was compared with. */
export interface Place {
  readonly machine: string
  readonly kernel: string
  readonly design: string
}

export const AGREEMENT_WORDS: Readonly<Record<Agreement, string>> = {
  agrees: 'agrees',
  idle: 'idle',
  differs: 'differs',
  skipped: 'skipped',
  undecided: 'not decided',
}

/**
 * One test on one kernel.
 * @param comparison undefined if the machine ended before it came to this test
 */
export function renderComparison(
  name: string,
  { machine, kernel, design }: Place,
  comparison: Comparison | undefined,
  { width, colour }: TextOptions,
): string {
  const colours = pc.createColors(colour)
  const lines = [`Test ${name}  ${machine === kernel ? '' : `${machine} `}${kernel}, compared with ${design}`]
  if (comparison === undefined)
    return `${lines[0]}\nVerdict not decided: the machine ended before it came to this test\n`
  const { observed, forbidden, strangeCopies, unseen, agreement, effective, allowed } = comparison
  for (const { line, statement, reason } of observed.skips) {
    lines.push(hang(`Skipped line ${line}, ${statement}: ${reason}`, width, 8, 0))
  }
  for (const { line, statement } of observed.exact) {
    lines.push(hang(`Exactly line ${line}, ${statement}: taken by gup_test as it stands`, width, 8, 0))
  }
  if (observed.ending !== 'skipped') lines.push(`Runs ${count(observed.runs)}`)
  for (const seen of observed.seen) {
    const bad = forbidden.includes(seen)
    const stayed = seen.effects.filter(({ done }) => !done).map(({ line }) => line)
    const notes = [
      bad ? 'not allowed' : '',
      stayed.length > 0 ? `the kernel left line ${stayed.join(' and ')} undone` : '',
      copiesHistogram(seen.copies),
    ].filter((note) => note !== '')
    const head = `${bad ? '*' : ' '} ${String(seen.times).padStart(6)}  `
    const text = `${seen.key}${notes.length > 0 ? ` [${notes.join('; ')}]` : ''}`
    lines.push((bad ? colours.red : String)(head + hang(text, width, head.length)))
    for (const { facts, times } of seen.pages) {
      lines.push(...facts.map((fact, i) => `${(i === 0 ? `${count(times)}×` : '').padStart(13)} ${fact}`))
    }
  }
  for (const { seen, copies } of strangeCopies) {
    const may = (allowed.copies?.[seen.key] ?? []).join(' or ')
    const text = `*  copies  ${hang(`${seen.key}: ${copiesText(copies)}, and ${may === '' ? 'none' : may} may be made`, width, 10)}`
    lines.push(colours.red(text))
  }
  for (const key of observed.ending === 'done' ? unseen : []) {
    lines.push(`  unseen  ${hang(key, width, 10)}`)
  }
  if (effective !== undefined) {
    lines.push(
      `Effective ${effective} of ${observed.runs}: runs in which the kernel did all that it was asked to`,
    )
  }
  for (const what of observed.untold) lines.push(hang(`Pages ${what}`, width, 8, 0))
  if (observed.uncounted !== undefined)
    lines.push(hang(`Copies not counted: ${observed.uncounted}`, width, 8, 0))
  const idle = agreement === 'idle' ? ': the kernel never did all that it was asked to, and need not' : ''
  const why = observed.message === '' ? idle : `: ${observed.ending}, ${observed.message}`
  const bounded = allowed.exhaustive || observed.ending === 'skipped' ? '' : ' (the exploration was bounded)'
  lines.push(
    hang(`Verdict ${paint(colours, agreement)(AGREEMENT_WORDS[agreement])}${why}${bounded}`, width, 8, 0),
  )
  return `${lines.join('\n')}\n`
}

/** `1 copy`, `1–2 copies`, `1+ copies`. */
export function copiesText(copies: Copies): string {
  const number = copiesNumber(copies)
  return `${number} ${number === '1' ? 'copy' : 'copies'}`
}

/** `1`, `1–2`, `1+`. */
export function copiesNumber({ least, most }: Copies): string {
  if (most === least) return `${least}`
  return most === Number.POSITIVE_INFINITY ? `${least}+` : `${least}–${most}`
}

/** The numbers of copies that were seen, the fewest first, with how often if they differ; empty if none were counted. */
function copiesHistogram(seen: readonly Copies[]): string {
  const sorted = [...seen].sort((a, b) => a.least - b.least || a.most - b.most)
  const [only, ...others] = sorted
  if (only === undefined) return ''
  if (others.length === 0) return copiesText(only)
  return sorted.map((copies) => `${copiesText(copies)} ${count(copies.times)}×`).join(', ')
}

function paint(colours: ReturnType<typeof pc.createColors>, agreement: Agreement): (text: string) => string {
  if (agreement === 'agrees') return colours.green
  return agreement === 'differs' ? colours.red : colours.yellow
}
