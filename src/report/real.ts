/** What a kernel did, beside what the model allows, for a terminal. */
import pc from 'picocolors'
import type { Agreement, Comparison } from '../real/compare.ts'
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
  const { observed, forbidden, unseen, agreement, effective, allowed } = comparison
  for (const { line, statement, reason } of observed.skips) {
    lines.push(hang(`Skipped line ${line}, ${statement}: ${reason}`, width, 8, 0))
  }
  if (observed.ending !== 'skipped') lines.push(`Runs ${count(observed.runs)}`)
  for (const seen of observed.seen) {
    const bad = forbidden.includes(seen)
    const stayed = seen.effects.filter(({ done }) => !done).map(({ line }) => line)
    const notes = [
      bad ? 'not allowed' : '',
      stayed.length > 0 ? `the kernel left line ${stayed.join(' and ')} undone` : '',
    ].filter((note) => note !== '')
    const head = `${bad ? '*' : ' '} ${String(seen.times).padStart(6)}  `
    const text = `${seen.key}${notes.length > 0 ? ` [${notes.join('; ')}]` : ''}`
    lines.push((bad ? colours.red : String)(head + hang(text, width, head.length)))
  }
  for (const key of observed.ending === 'skipped' ? [] : unseen) {
    lines.push(`  unseen  ${hang(key, width, 10)}`)
  }
  if (effective !== undefined) {
    lines.push(
      `Effective ${effective} of ${observed.runs}: runs in which the kernel did all that it was asked to`,
    )
  }
  const why = observed.message === '' ? '' : `: ${observed.ending}, ${observed.message}`
  const bounded = allowed.exhaustive || observed.ending === 'skipped' ? '' : ' (the exploration was bounded)'
  lines.push(
    hang(`Verdict ${paint(colours, agreement)(AGREEMENT_WORDS[agreement])}${why}${bounded}`, width, 8, 0),
  )
  return `${lines.join('\n')}\n`
}

function paint(colours: ReturnType<typeof pc.createColors>, agreement: Agreement): (text: string) => string {
  if (agreement === 'agrees') return colours.green
  return agreement === 'differs' ? colours.red : colours.yellow
}
