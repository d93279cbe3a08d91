/**
 * Source text to tokens.
 *
 * One kind of token, the word, covers names, keywords, numbers, register paths such as `child.r0` and
 * design names such as `v5.7-rc1`. Only the parser knows which of them a place wants, and it can then say
 * what is wrong with `01`, `-1` or `p..a` as a whole, rather than stumble over its second half.
 */

import type { Span } from './ast.ts'
import { quote } from './diagnostic.ts'

export type Token = { readonly span: Span } & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'symbol'; readonly text: string }
  /** A text in double quotes; `value` is without them, and its escapes are resolved. */
  | { readonly kind: 'string'; readonly value: string }
  /** A line break or a `;`: the end of a statement. */
  | { readonly kind: 'newline'; readonly text: string }
  | { readonly kind: 'end' }
  /** Something that is no token. It is always the last one; the parser reports it if it gets that far. */
  | { readonly kind: 'bad'; readonly message: string; readonly hint: string }
)

export interface Tokens {
  /** Ends with exactly one `end` or `bad`. */
  readonly tokens: readonly Token[]
  /** Without their `#`. */
  readonly comments: readonly { readonly text: string; readonly span: Span }[]
}

const BYTE_ORDER_MARK = '\ufeff'
const BLANK = /[ \t]+/y
const COMMENT = /#[^\r\n]*/y
const PLAIN = [
  ['newline', /\r\n|[\r\n;]/y],
  ['word', /[A-Za-z0-9._-]+/y],
  ['symbol', /==|!=|[=:,{}()]/y],
] as const

/** A letter that no word has. Directly after a word it is the mistake, not the half of the word before it. */
const FOREIGN = /^[\p{L}\p{M}\p{N}]/u

/**
 * Characters that no file may hold, not even in a comment or a string: a report prints both, and these
 * could then redraw the terminal, or show a reader something else than what runs.
 */
const FORBIDDEN = /(?!\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

/**
 * Splits a source text into tokens. Never throws: what is no token becomes a `bad` one, and the rest is left.
 *
 * @param source the whole text of a litmus file
 */
export function tokenize(source: string): Tokens {
  const tokens: Token[] = []
  const comments: { text: string; span: Span }[] = []
  let at = source.startsWith(BYTE_ORDER_MARK) ? 1 : 0

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const text = pattern.exec(source)?.[0]
    if (text !== undefined) at += text.length
    return text
  }

  const plainToken = (): Token | undefined => {
    const start = at
    for (const [kind, pattern] of PLAIN) {
      const text = take(pattern)
      if (text !== undefined) return { kind, text, span: { start, end: at } }
    }
    return undefined
  }

  while (at < source.length) {
    const start = at
    if (take(BLANK) !== undefined) continue
    const comment = take(COMMENT)
    if (comment !== undefined) {
      const bad = forbiddenIn(source, start, at)
      if (bad !== undefined) return { tokens: [...tokens, bad], comments }
      comments.push({ text: comment.slice(1), span: { start, end: at } })
      continue
    }
    const token = plainToken() ?? (source[at] === '"' ? stringAt(source, at) : badCharacter(source, at))
    const bad =
      token.kind === 'word' && FOREIGN.test(source.slice(at, at + 2)) ? badCharacter(source, at) : token
    tokens.push(bad)
    if (bad.kind === 'bad') return { tokens, comments }
    at = bad.span.end
  }
  tokens.push({ kind: 'end', span: { start: at, end: at } })
  return { tokens, comments }
}

function stringAt(source: string, start: number): Token {
  let value = ''
  let at = start + 1
  for (;;) {
    const character = source[at]
    if (character === undefined || character === '\n' || character === '\r') {
      const hint = 'expected a closing " on the same line'
      return { kind: 'bad', message: 'this string never ends', hint, span: { start, end: at } }
    }
    if (character === '"') break
    if (character !== '\\') {
      value += character
      at++
      continue
    }
    const escaped = source[at + 1]
    if (escaped !== '"' && escaped !== '\\') {
      const hint = String.raw`expected \" or \\ ; a backslash itself is written \\`
      return {
        kind: 'bad',
        message: 'a backslash that escapes nothing',
        hint,
        span: { start: at, end: at + 1 },
      }
    }
    value += escaped
    at += 2
  }
  return forbiddenIn(source, start, at) ?? { kind: 'string', value, span: { start, end: at + 1 } }
}

function forbiddenIn(source: string, start: number, end: number): Token | undefined {
  const index = source.slice(start, end).search(FORBIDDEN)
  return index < 0 ? undefined : badCharacter(source, start + index)
}

function badCharacter(source: string, start: number): Token {
  const character = String.fromCodePoint(source.codePointAt(start) ?? 0)
  return {
    kind: 'bad',
    message: `unexpected character ${quote(character)}`,
    hint: insteadOf(character),
    span: { start, end: start + character.length },
  }
}

function insteadOf(character: string): string {
  if (character === '\0' || character === '\ufffd') return 'expected UTF-8 text; is this a binary file?'
  if (FORBIDDEN.test(character)) return 'expected printable text'
  if (/\p{Z}/u.test(character)) return 'expected an ordinary space'
  if (character === '!') return 'expected "!=" or "not"'
  if (character === '&') return 'expected "and"'
  if (character === '|') return 'expected "or"'
  if (character === '<' || character === '>') return 'expected "==" or "!="'
  if (character === '/') return 'comments start with "#"'
  if (/['‘’“”`]/.test(character)) return 'text stands between plain double quotes: "…"'
  return 'names are made of the letters a to z, digits and "_"'
}
