/** What every rule of the grammar is made of: tokens, names, values, and the errors about them. */

import type { Span } from './ast.ts'
import { didYouMean, LitmusError, lineNumber, quote, type SourceFile } from './diagnostic.ts'
import type { Name, Path } from './syntax.ts'
import { type Token, type Tokens, tokenize } from './token.ts'
import { KEYWORDS, NAME, REGISTER, SYNONYMS, VALUE } from './vocabulary.ts'

const NAME_HINT = 'a name is letters, digits and "_", and begins with no digit'
const VALUE_HINT = 'expected a value: one digit, 0 to 9'

export type WordToken = Extract<Token, { readonly kind: 'word' }>

/** Reads the tokens of a file one after another. Stops with an error at the first that cannot stand where it does. */
export class Reader {
  readonly comments: Tokens['comments']
  private readonly file: SourceFile
  private readonly tokens: readonly Token[]
  private position = 0
  /** Where the last token that was taken ends. */
  private end = 0

  constructor(file: SourceFile) {
    const { tokens, comments } = tokenize(file.text)
    this.file = file
    this.tokens = tokens
    this.comments = comments
  }

  // ---- tokens ----

  /** The next token. The place where something that is no token gets reported: all before it was correct. */
  get current(): Token {
    const token = this.tokens[Math.min(this.position, this.tokens.length - 1)]!
    if (token.kind === 'bad') this.fail(token.span, token.message, token.hint)
    return token
  }

  take(): Token {
    const token = this.current
    this.position++
    this.end = token.span.end
    return token
  }

  /** From an offset to the end of the last token that was taken. */
  since(start: number): Span {
    return { start, end: this.end }
  }

  textOf({ start, end }: Span): string {
    return this.file.text.slice(start, end)
  }

  /** The number of the line that a span begins in. */
  line({ start }: Span): number {
    return lineNumber(this.file.text, start)
  }

  /** Whether the next token is this keyword or symbol. */
  sees(text: string): boolean {
    const token = this.current
    return (token.kind === 'word' || token.kind === 'symbol') && token.text === text
  }

  accept(text: string): boolean {
    const seen = this.sees(text)
    if (seen) this.take()
    return seen
  }

  /** Whether the token after the next one, which must be a word, is this symbol. */
  symbolAfter(text: string): boolean {
    const after = this.tokens[this.position + 1]
    return this.current.kind === 'word' && after?.kind === 'symbol' && after.text === text
  }

  word(expected: string): WordToken {
    const token = this.current
    if (token.kind !== 'word') return this.unexpected(expected)
    this.take()
    return token
  }

  skipNewlines(): void {
    while (this.current.kind === 'newline') this.take()
  }

  endOfStatement(expected = 'the end of the line'): void {
    if (!this.atEndOfStatement()) this.unexpected(expected)
    if (this.current.kind === 'newline') this.take()
  }

  atEndOfStatement(): boolean {
    const { kind } = this.current
    return kind === 'newline' || kind === 'end' || this.sees('}')
  }

  // ---- names and values ----

  value(): number {
    const token = this.current
    if (token.kind !== 'word') return this.unexpected('a value: one digit, 0 to 9')
    if (!VALUE.test(token.text)) this.fail(token.span, `${quote(token.text)} is no value`, VALUE_HINT)
    this.take()
    return Number(token.text)
  }

  /** A name as it stands in a declaration, or where only one kind of thing can stand. */
  name(expected: string): Name {
    const token = this.word(expected)
    this.checkRegister(token, expected)
    this.checkName(token.text, token.span)
    return { text: token.text, span: token.span }
  }

  /** A page. `page.word` gets through, because whoever knows the pages can say which one was meant. */
  page(expected = 'the name of a page'): Path {
    const token = this.word(expected)
    this.checkRegister(token, expected)
    return this.pathOf(token)
  }

  path(expected: string): Path {
    return this.pathOf(this.word(expected))
  }

  pathOf(token: WordToken): Path {
    let start = token.span.start
    const names = token.text.split('.').map((text): Name => {
      const span = { start, end: start + text.length }
      start = span.end + 1
      if (text === '') this.fail(token.span, `${quote(token.text)} lacks a name beside a "."`, NAME_HINT)
      this.checkName(text, span)
      return { text, span }
    })
    const [first, ...rest] = names
    return { names: [first!, ...rest], span: token.span }
  }

  private checkRegister({ text, span }: WordToken, expected: string): void {
    if (!REGISTER.test(text)) return
    const hint = `expected ${expected}: "r" and a number is always a register`
    this.fail(span, `${quote(text)} is a register`, hint)
  }

  private checkName(text: string, span: Span): void {
    if (KEYWORDS.has(text)) {
      this.fail(span, `${quote(text)} is a word of the language`, 'expected another name')
    }
    if (!NAME.test(text)) this.fail(span, `${quote(text)} is no name`, NAME_HINT)
  }

  // ---- errors ----

  fail(span: Span, message: string, hint: string): never {
    throw new LitmusError([{ severity: 'error', span, message, hint }], this.file)
  }

  unexpected(expected: string): never {
    const token = this.current
    this.fail(token.span, `unexpected ${describe(token)}`, `expected ${expected}`)
  }

  /** The next token is none of the words that can stand here. */
  unknownWord(expected: string, candidates: readonly string[]): never {
    const token = this.current
    if (token.kind !== 'word') return this.unexpected(expected)
    const synonym = SYNONYMS.get(token.text.toLowerCase())
    const meant =
      synonym !== undefined && candidates.includes(synonym)
        ? `; did you mean ${quote(synonym)}?`
        : didYouMean(token.text, candidates)
    const what = KEYWORDS.has(token.text) ? 'unexpected' : 'unknown word'
    return this.fail(token.span, `${what} ${quote(token.text)}`, `expected ${expected}${meant}`)
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'word':
    case 'symbol':
      return quote(token.text)
    case 'string':
      return `text ${quote(token.value)}`
    case 'newline':
      return token.text === ';' ? '";"' : 'end of line'
    case 'end':
    case 'bad':
      return 'end of file'
  }
}
