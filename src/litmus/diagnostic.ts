/**
 * What is wrong with a litmus file, and how a person is told.
 *
 * A diagnostic has two halves: `message` names what was found, and `hint`, which stands beside the
 * carets, names what was expected instead.
 */

import { distance } from 'fastest-levenshtein'
import type { Span } from './ast.ts'

/** A complaint about some characters of a litmus file. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly span: Span
  /** What is wrong: `unknown word "frok"`. */
  readonly message: string
  /** What was expected, and what was probably meant: `expected a statement; did you mean "fork"?`. */
  readonly hint: string
}

/** A litmus file as it was read: its text, and the name to call it by. */
export interface SourceFile {
  readonly name: string
  readonly text: string
}

/** Thrown for a file that is not a litmus test. Its message is all its diagnostics, rendered. */
export class LitmusError extends Error {
  override readonly name = 'LitmusError'
  /** At least one, in the order of the source. */
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[], file: SourceFile) {
    super(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, file.text, file.name)).join('\n'))
    this.diagnostics = diagnostics
  }
}

/** A rendered source line is at most this wide, so that it and its carets stay on one line of a terminal. */
const EXCERPT_COLUMNS = 100

/** A long line is cut so that this much of it can stand from the first caret onwards. */
const COLUMNS_AFTER_CARET = 60

/** How much of a long line is looked at on each side of the first caret; more could never be shown. */
const EXCERPT_REACH = 2 * EXCERPT_COLUMNS

/**
 * Draws a diagnostic as people know it from their compiler: where, what, the source line, carets, the hint.
 *
 * ```
 * suite/foo.litmus:7:3: error: unknown word "frok"
 *   7 |   frok child
 *     |   ^^^^ expected a statement; did you mean "fork"?
 * ```
 *
 * The column counts UTF-16 code units from 1, as editors do. Only the first line of a longer span is shown.
 *
 * @param diagnostic what to draw
 * @param source the text that its span points into
 * @param fileName the name to print before the position; what cannot be printed in it is escaped
 * @returns three lines, without a newline at the end and without any control character but newlines
 */
export function renderDiagnostic(diagnostic: Diagnostic, source: string, fileName: string): string {
  const { severity, span, message, hint } = diagnostic
  const { line, start, end } = lineAt(source, span.start)
  const from = Math.min(span.start, end)
  const { text, indent, carets } = excerpt(source, start, end, from, Math.min(span.end, end))
  const gutter = `  ${line} |`
  return [
    `${[...fileName].map(visible).join('')}:${line}:${from - start + 1}: ${severity}: ${message}`,
    `${gutter} ${text}`,
    `${' '.repeat(gutter.length - 1)}| ${' '.repeat(indent)}${'^'.repeat(carets)} ${hint}`,
  ]
    .map((row) => row.trimEnd())
    .join('\n')
}

/**
 * The number of the line, from 1, that an offset is in.
 *
 * @param source the text
 * @param offset an offset into it, in UTF-16 code units
 */
export function lineNumber(source: string, offset: number): number {
  return lineAt(source, offset).line
}

/** Puts a piece of source into quotes for a message: unprintable characters escaped, long text cut. */
export function quote(text: string): string {
  const characters = [...text.slice(0, EXCERPT_COLUMNS)]
  const cut = text.length > EXCERPT_COLUMNS || characters.length > 40
  return `"${characters.slice(0, 40).map(visible).join('')}${cut ? '…' : ''}"`
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`; with another last joint: `"a" and "b"`. */
export function list(words: readonly string[], joint: 'or' | 'and' = 'or'): string {
  const quoted = words.map(quote)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} ${joint} ${last}`
}

/**
 * `; did you mean "fork"?` if one of the candidates is close to the word, else nothing.
 *
 * Close is at most half of the longer one's letters wrong: two swapped letters in a word of four count.
 *
 * @param word what was written
 * @param candidates what could have been written
 */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  // No word of the language is nearly so long, and comparing takes time that grows with the length.
  if (word.length > 64) return ''
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    if (candidate === word) continue
    const wrong = distance(word.toLowerCase(), candidate.toLowerCase())
    if (wrong < bestDistance && wrong <= Math.max(word.length, candidate.length) / 2) {
      best = candidate
      bestDistance = wrong
    }
  }
  return best === undefined ? '' : `; did you mean ${quote(best)}?`
}

/** The line that an offset is in: its number from 1, and where it starts and ends, without its line break. */
function lineAt(source: string, offset: number): { line: number; start: number; end: number } {
  const lineBreak = /\r\n|\r|\n/g
  let line = 1
  let start = 0
  for (let match = lineBreak.exec(source); match !== null; match = lineBreak.exec(source)) {
    const next = match.index + match[0].length
    if (offset < next) return { line, start, end: match.index }
    line++
    start = next
  }
  return { line, start, end: source.length }
}

/** One character of the source as it is shown. */
interface Cell {
  readonly text: string
  readonly columns: number
}

/** The part of the line `start..end` around `from`, and where under it to draw carets for `from..to`. */
function excerpt(source: string, start: number, end: number, from: number, to: number) {
  const left = cells(source.slice(Math.max(start, from - EXCERPT_REACH), from))
  const right = cells(source.slice(from, Math.min(end, from + EXCERPT_REACH)))

  const reserved = width(fitting(right, COLUMNS_AFTER_CARET))
  const before = fitting(left.toReversed(), EXCERPT_COLUMNS - reserved).toReversed()
  const after = fitting(right, EXCERPT_COLUMNS - width(before))

  const head = before.length < left.length || from - start > EXCERPT_REACH ? '…' : ''
  const tail = after.length < right.length || end - from > EXCERPT_REACH ? '…' : ''
  const marked = cells(source.slice(from, Math.min(to, from + EXCERPT_REACH)))
  return {
    text: head + [...before, ...after].map((cell) => cell.text).join('') + tail,
    indent: head.length + width(before),
    carets: Math.max(1, Math.min(width(marked), width(after))),
  }
}

function fitting(all: readonly Cell[], columns: number): Cell[] {
  let used = 0
  const tooFar = all.findIndex((cell) => {
    used += cell.columns
    return used > columns
  })
  return tooFar < 0 ? [...all] : all.slice(0, tooFar)
}

function width(all: readonly Cell[]): number {
  return all.reduce((sum, cell) => sum + cell.columns, 0)
}

/** Marks that stand above or below the character before them and take no column of their own. */
const COMBINING = /^\p{M}$/u

/** Characters that terminals draw two columns wide. */
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]$/u

function cells(text: string): Cell[] {
  return [...text].map((character) => {
    const shown = visible(character)
    if (shown !== character) return { text: shown, columns: shown.length }
    if (COMBINING.test(character)) return { text: shown, columns: 0 }
    return { text: shown, columns: WIDE.test(character) ? 2 : 1 }
  })
}

/** Controls, formatting characters, halves of surrogate pairs, and every space but the ordinary one. */
const UNPRINTABLE = /^(?! )[\p{C}\p{Z}]$/u

/** A character as it can safely be shown: a tab as four spaces, what does not print as `\x1b` or `\u{202e}`. */
function visible(character: string): string {
  if (character === '\t') return '    '
  if (!UNPRINTABLE.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
