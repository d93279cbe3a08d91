/**
 * A run in a few lines: what one thread does at one go in one statement becomes one line
 * that says what mattered, and one more for a write fault that had to decide.
 */
import pc from 'picocolors'
import type { Cell } from '../check/index.ts'
import type { Trace } from '../engine/index.ts'
import type { Statement } from '../litmus/ast.ts'
import { actorFacts, actsAnew } from './actors.ts'
import { factsOf } from './facts.ts'
import { faultOf, faultText } from './fold_fault.ts'
import { phraseOf } from './phrase.ts'
import { lastDecision } from './prose.ts'
import { Story } from './story.ts'
import { wrap } from './wrap.ts'

/**
 * The run in at most so many lines: what matters least is left out first.
 * @param width no line is longer; at least 40
 */
export function foldedSchedule(
  cell: Cell,
  trace: Trace,
  lines: number,
  width: number,
  colour = false,
): string {
  return foldedStory(new Story(cell, trace), lines, width, colour)
}

export function foldedStory(story: Story, lines: number, width: number, colour: boolean): string {
  let beats = beatsOf(story)
  for (const weight of [NOTHING, SYNC, DETAIL]) {
    if (render(story, beats, width, colour).length <= lines) break
    beats = beats.filter((beat) => beat.weight > weight)
  }
  const rendered = render(story, beats, width, colour)
  if (rendered.length <= lines) return rendered.join('\n')
  // The end matters most: that is where it goes wrong.
  return lines <= 1
    ? rendered.slice(rendered.length - lines).join('\n')
    : [' …', ...rendered.slice(rendered.length - lines + 1)].join('\n')
}

/** Some steps of one thread that follow each other, in a few words. */
interface Beat {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly weight: number
}

/** What may be left out, and when: locks and the like first, then signals, then looking without changing. */
const NOTHING = 0
const SYNC = 1
const DETAIL = 2
const EVENT = 3

function render(story: Story, beats: readonly Beat[], width: number, colour: boolean): string[] {
  const { dim, bold } = pc.createColors(colour)
  const w = Math.max(40, width)
  const digits = String(story.steps.length).length
  const threads = beats.map(({ from }) => story.names.thread(story.steps[from]!.thread))
  const column = Math.min(Math.max(0, ...threads.map((name) => name.length)), 14)
  return beats.flatMap(({ from, to, text }, i) => {
    const first = String(from + 1).padStart(digits)
    const range = from === to ? first : `${first}–${to + 1}`
    const name = threads[i]!.slice(0, column)
    const margin = 1 + 2 * digits + 1 + 2 + column + 2
    return wrap(text, w - margin, 2).map((line, n) =>
      n === 0
        ? `${dim(` ${range.padEnd(2 * digits + 1)}`)}  ${bold(name.padEnd(column))}  ${line}`
        : ' '.repeat(margin) + line,
    )
  })
}

function beatsOf(story: Story): Beat[] {
  const beats: Beat[] = []
  const told = new Set<Statement>()
  const { steps } = story
  for (let from = 0; from < steps.length; ) {
    const { thread } = steps[from]!
    const statement = story.statementIndex(from)
    let to = from
    while (
      to + 1 < steps.length &&
      steps[to + 1]!.thread === thread &&
      story.statementIndex(to + 1) === statement &&
      !actsAnew(steps[to + 1]!)
    ) {
      to++
    }
    beats.push(...beatsOfPart(story, from, to, told))
    from = to + 1
  }
  return beats
}

/** The beats of what one thread does at one go in one statement. */
function beatsOfPart(story: Story, from: number, to: number, told: Set<Statement>): Beat[] {
  const { steps } = story
  const fault = steps.findIndex((step, i) => i >= from && i <= to && faultOf(story, step) !== undefined)
  if (fault < 0) return [plainBeat(story, from, to, told)]
  const name = faultOf(story, steps[fault]!)
  let end = fault
  while (end + 1 <= to && faultOf(story, steps[end + 1]!) === name) end++
  const { text, came } = faultText(story, fault, end)
  const weight = came === 'to nothing' ? NOTHING : came === 'to a finding' ? DETAIL : EVENT
  const beats: Beat[] = [{ from, to: end, text, weight }]
  if (end < to) beats.push(...beatsOfPart(story, end + 1, to, told))
  return beats
}

function plainBeat(story: Story, from: number, to: number, told: Set<Statement>): Beat {
  const failed = story.steps[to]!.failure
  if (story.isActor(story.steps[from]!.thread)) return actorBeat(story, from, to)
  const statement = story.statement(from)
  if (statement === undefined) {
    const text = story.begins(from) ? 'begins' : 'ends'
    return { from, to, text: failed ?? text, weight: failed === undefined ? NOTHING : EVENT }
  }
  const source = story.source(statement)
  const head = told.has(statement) ? `${source}, goes on` : source
  told.add(statement)
  if (failed !== undefined) return { from, to, text: `${head}: ${failed}`, weight: EVENT }
  if (statement.kind === 'signal' || statement.kind === 'wait' || statement.kind === 'waitpid') {
    return { from, to, text: source, weight: SYNC }
  }
  const facts = factsOf(story, statement, from, to)
  if (facts !== '') return { from, to, text: `${head}: ${facts}`, weight: EVENT }
  const found = lastDecision(story, from, to)
  if (found !== undefined) return { from, to, text: `${head}: ${phraseOf(story, found)}`, weight: EVENT }
  return { from, to, text: head, weight: NOTHING }
}

/** What a thread of the kernel's own does at one go; it may be done by then. */
function actorBeat(story: Story, from: number, to: number): Beat {
  const { text, weight } = actorFacts(story, from, to)
  return { from, to, text, weight: weight === 'nothing' ? NOTHING : weight === 'detail' ? DETAIL : EVENT }
}
