/**
 * The parser of the litmus language: one method for each rule of the grammar in docs/language.md, in its order.
 *
 * It stops at the first syntax error. Names are not its business; validate.ts looks them up.
 */

import {
  type Access,
  type Expectation,
  FAILURES,
  type Litmus,
  type RefKind,
  type Span,
  VERDICTS,
} from './ast.ts'
import {
  type Diagnostic,
  didYouMean,
  LitmusError,
  lineNumber,
  list,
  quote,
  type SourceFile,
} from './diagnostic.ts'
import { type Token, tokenize } from './token.ts'
import {
  type ConditionSyntax,
  type ExpressionSyntax,
  LIMITS,
  type Name,
  type PageSyntax,
  type Path,
  type ProcessSyntax,
  REGISTER,
  type StatementSyntax,
  type TestSyntax,
  type ThreadSyntax,
  validate,
} from './validate.ts'

/**
 * Reads a litmus test.
 *
 * @param source the text of a `.litmus` file
 * @param fileName what to call the file in error messages
 * @returns the test, and warnings about what is legal but hardly meant
 * @throws {LitmusError} if the source is not a test: with the first syntax error, or with all errors in names
 */
export function parse(source: string, fileName = '<source>'): { test: Litmus; warnings: Diagnostic[] } {
  const file = { name: fileName, text: source }
  if (source.length > LIMITS.source) {
    const span = { start: LIMITS.source, end: LIMITS.source + 1 }
    const hint = `expected at most ${LIMITS.source} characters`
    throw new LitmusError(
      [{ severity: 'error', span, message: 'this file is too long for a test', hint }],
      file,
    )
  }
  return validate(new Parser(file).test(), file)
}

const DECLARATIONS = ['page', 'zero', 'process', 'never', 'always', 'sometimes', 'expect']
const STATEMENTS = [
  'fork',
  'exit',
  'waitpid',
  'pin',
  'release',
  'unmap',
  'dontneed',
  'mprotect',
  'signal',
  'wait',
]
const PIN_OPTIONS = ['read', 'write', 'get', 'pin', 'longterm', 'fast']
const OUTCOMES = [...VERDICTS, ...FAILURES, 'holds', 'violated']

/** None of these can be a name, so that a mistake in a statement never makes another valid one. */
const KEYWORDS = new Set([
  'test',
  'thread',
  'for',
  'and',
  'or',
  'not',
  ...DECLARATIONS,
  ...STATEMENTS,
  ...PIN_OPTIONS,
])

/** What people who know the kernel are likely to write, and what it is called here. */
const SYNONYMS = new Map([
  ['clone', 'fork'],
  ['vfork', 'fork'],
  ['madvise', 'dontneed'],
  ['madv_dontneed', 'dontneed'],
  ['get_user_pages', 'pin'],
  ['gup', 'pin'],
  ['unpin', 'release'],
  ['put', 'release'],
  ['put_page', 'release'],
  ['exit_group', 'exit'],
  ['wait4', 'waitpid'],
  ['foll_get', 'get'],
  ['foll_pin', 'pin'],
  ['foll_write', 'write'],
  ['foll_longterm', 'longterm'],
])

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const VALUE = /^[0-9]$/

/** Reports and programs made from a test are files of that name, so it can be neither `..` nor an option. */
const TEST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

const NAME_HINT = 'a name is letters, digits and "_", and begins with no digit'
const TEST_NAME_HINT = 'the name of a test begins with a letter or digit'
const VALUE_HINT = 'expected a value: one digit, 0 to 9'

type WordToken = Extract<Token, { readonly kind: 'word' }>

class Parser {
  private readonly file: SourceFile
  private readonly tokens: readonly Token[]
  private readonly comments: readonly { readonly text: string; readonly span: Span }[]
  private position = 0
  /** Where the last token that was taken ends. */
  private end = 0

  constructor(file: SourceFile) {
    const { tokens, comments } = tokenize(file.text)
    this.file = file
    this.tokens = tokens
    this.comments = comments
  }

  // ---- the file ----

  test(): TestSyntax {
    this.skipNewlines()
    const keyword = this.current
    if (keyword.kind === 'end') this.fail(keyword.span, 'this file has no test', 'expected "test <name>"')
    if (!this.sees('test')) this.unknownWord('"test <name>" first', ['test'])
    this.take()
    const name = this.word('a name for the test')
    if (!TEST_NAME.test(name.text)) this.fail(name.span, `${quote(name.text)} is no name`, TEST_NAME_HINT)
    this.endOfStatement()

    const test = {
      name: { text: name.text, span: name.span },
      description: this.descriptionAbove(keyword.span.start),
      pages: [] as PageSyntax[],
      processes: [] as ProcessSyntax[],
      conditions: [] as ConditionSyntax[],
      expectations: [] as Expectation[],
    }
    for (this.skipNewlines(); this.current.kind !== 'end'; this.skipNewlines()) this.declaration(test)
    return test
  }

  private descriptionAbove(offset: number): string {
    return this.comments
      .filter((comment) => comment.span.end <= offset)
      .map((comment) => comment.text.replace(/^ /, '').trimEnd())
      .join('\n')
  }

  private declaration(test: {
    pages: PageSyntax[]
    processes: ProcessSyntax[]
    conditions: ConditionSyntax[]
    expectations: Expectation[]
  }): void {
    const token = this.current
    const keyword = token.kind === 'word' ? token.text : undefined
    switch (keyword) {
      case 'page':
      case 'zero':
        test.pages.push(this.page())
        return
      case 'process':
        test.processes.push(this.process())
        return
      case 'never':
      case 'always':
      case 'sometimes':
        test.conditions.push(this.condition(keyword))
        return
      case 'expect':
        test.expectations.push(this.expectation())
        return
      case 'test':
        this.fail(token.span, 'a second test', 'expected one test in each file')
        break
      case 'thread':
        this.fail(token.span, '"thread" outside of a process', 'expected it inside "process <name> { … }"')
        break
      default:
        if (keyword !== undefined && (STATEMENTS.includes(keyword) || this.symbolAfter('='))) {
          const hint = 'expected it inside "process <name> { … }"'
          this.fail(token.span, 'a statement outside of a process', hint)
        }
        this.unknownWord('a page, process, condition or expectation', DECLARATIONS)
    }
  }

  // ---- pages ----

  private page(): PageSyntax {
    const start = this.current.span.start
    const untouched = this.accept('zero')
    if (untouched && !this.sees('page')) this.unexpected('"page" after "zero"')
    this.take()
    const name = this.name('a name for the page')
    const words = this.accept(':')
      ? this.pageWords(untouched)
      : [{ name, initial: this.initial(untouched, name) }]
    const span = this.since(start)
    this.endOfStatement()
    return { name, words, untouched, span }
  }

  private pageWords(untouched: boolean): { name: Name; initial: number }[] {
    const words: { name: Name; initial: number }[] = []
    do {
      const name = this.name('a name for a word of the page')
      words.push({ name, initial: this.initial(untouched, name) })
    } while (this.accept(','))
    return words
  }

  private initial(untouched: boolean, name: Name): number {
    if (!untouched) {
      if (!this.accept('=')) {
        const hint = `"= <value>" after ${quote(name.text)}; a page that nobody has written is a "zero page"`
        this.unexpected(hint)
      }
      return this.value()
    }
    if (this.sees('=')) {
      const hint = 'expected no value: nobody has written a zero page, and it reads 0'
      this.fail(this.current.span, 'a zero page with a value', hint)
    }
    return 0
  }

  // ---- processes and threads ----

  private process(): ProcessSyntax {
    const start = this.take().span.start
    const name = this.name('a name for the process')
    const items = this.block(() =>
      this.sees('thread') && !this.symbolAfter('=') ? this.thread() : this.statement(),
    )
    const span = this.since(start)

    const threads = items.filter((item): item is ThreadSyntax => 'statements' in item)
    const statements = items.filter((item): item is StatementSyntax => 'kind' in item)
    if (threads.length === 0) return { name, threads: [{ name: undefined, statements, span }], span }
    if (statements.length > 0) {
      const stray = items.find((item) => 'kind' in item !== 'kind' in items[0]!)!
      const hint = 'expected either only statements or only "thread" blocks in a process'
      return this.fail(stray.span, `process ${quote(name.text)} mixes statements and threads`, hint)
    }
    return { name, threads, span }
  }

  private thread(): ThreadSyntax {
    const start = this.take().span.start
    const name = this.name('a name for the thread')
    const statements = this.block(() => this.statement())
    return { name, statements, span: this.since(start) }
  }

  private block<Item>(item: () => Item): Item[] {
    this.skipNewlines()
    const open = this.current
    if (!this.accept('{')) this.unexpected('"{"')
    const items: Item[] = []
    for (this.skipNewlines(); !this.accept('}'); this.skipNewlines()) {
      const token = this.current
      if (token.kind === 'end')
        this.fail(open.span, 'this block is never closed', 'expected a "}" before the file ends')
      if (token.kind === 'word' && isOutsideBlocks(token.text) && !this.symbolAfter('=')) {
        const line = lineNumber(this.file.text, open.span.start)
        const hint = `expected a statement, or "}" to close the block that begins in line ${line}`
        this.fail(token.span, `${quote(token.text)} inside a block`, hint)
      }
      items.push(item())
    }
    return items
  }

  // ---- statements ----

  private statement(): StatementSyntax {
    const start = this.current.span.start
    const body = this.symbolAfter('=') ? this.assignment() : this.keywordStatement()
    const span = this.since(start)
    this.endOfStatement()
    return { ...body, span }
  }

  private assignment() {
    const target = this.word('a name')
    this.take()
    const isValue = this.current.kind === 'word' && /^-?[0-9]/.test(this.current.text)
    if (REGISTER.test(target.text)) {
      if (isValue) {
        const hint = 'expected a word or a reference: a register takes what a load reads'
        this.fail(this.current.span, 'a value in a register', hint)
      }
      const from = this.path('a word or a reference to load from')
      return { kind: 'load', register: target, from } as const
    }
    const to = this.pathOf(target)
    if (!isValue && this.current.kind === 'word') {
      const hint = 'a store writes a constant, one digit 0 to 9; a load is "r0 = x"'
      this.fail(this.current.span, `${quote(this.current.text)} is no value`, hint)
    }
    return { kind: 'store', to, value: this.value() } as const
  }

  private keywordStatement() {
    const token = this.current
    const keyword = token.kind === 'word' ? token.text : undefined
    switch (keyword) {
      case 'fork':
      case 'waitpid':
        this.take()
        return { kind: keyword, process: this.name('the name of a process') } as const
      case 'exit':
        this.take()
        return { kind: keyword } as const
      case 'unmap':
      case 'dontneed':
        this.take()
        return { kind: keyword, page: this.name('the name of a page') } as const
      case 'mprotect':
        this.take()
        return { kind: keyword, page: this.name('the name of a page'), writable: this.protection() } as const
      case 'release':
        this.take()
        return { kind: keyword, ref: this.name('the name of a reference') } as const
      case 'signal':
      case 'wait':
        this.take()
        return { kind: keyword, signal: this.name('the name of a signal') } as const
      case 'pin':
        return this.pin()
      case 'thread':
        return this.fail(token.span, 'a thread inside a thread', 'expected a statement')
      default: {
        if (this.symbolAfter('==')) {
          const hint = 'expected a statement; a store is written with one "="'
          return this.fail(this.tokens[this.position + 1]!.span, 'a comparison in a process', hint)
        }
        return this.unknownWord('a statement', STATEMENTS)
      }
    }
  }

  private protection(): boolean {
    if (this.accept('read')) return false
    if (this.accept('read-write')) return true
    return this.unknownWord('"read" or "read-write"', ['read', 'read-write'])
  }

  private pin() {
    const keyword = this.take()
    const ref = this.name('a name for the reference')
    if (!this.accept('=')) this.unexpected(`"= <page>" after ${quote(ref.text)}`)
    const page = this.name('the name of a page')
    if (!this.accept('for')) this.unexpected(`"for" and ${list(PIN_OPTIONS)}`)

    const chosen = new Map<string, Span>()
    const choose = (conflict: readonly string[]): void => {
      const option = this.word(list(PIN_OPTIONS))
      const rival = conflict.find((word) => chosen.has(word))
      if (rival === option.text) this.fail(option.span, `${quote(rival)} twice`, 'expected each option once')
      if (rival !== undefined) {
        this.fail(
          option.span,
          `${quote(option.text)} besides ${quote(rival)}`,
          `expected ${list(conflict)}, not both`,
        )
      }
      chosen.set(option.text, option.span)
    }
    do {
      if (this.sees('read') || this.sees('write')) choose(['read', 'write'])
      else if (this.sees('get') || this.sees('pin')) choose(['get', 'pin'])
      else if (this.sees('longterm')) choose(['longterm'])
      else if (this.sees('fast')) choose(['fast'])
      else this.unknownWord(list(PIN_OPTIONS), PIN_OPTIONS)
    } while (this.accept(','))
    if (!this.atEndOfStatement()) this.unexpected('"," and another option, or the end of the line')

    const access: Access | undefined = chosen.has('read') ? 'read' : chosen.has('write') ? 'write' : undefined
    const type: RefKind | undefined = chosen.has('get') ? 'get' : chosen.has('pin') ? 'pin' : undefined
    const span = this.since(keyword.span.start)
    if (access === undefined) {
      return this.fail(span, 'a reference without access', 'expected "read" or "write" among its options')
    }
    if (type === undefined) {
      const hint = 'expected "get" (FOLL_GET) or "pin" (FOLL_PIN) among its options'
      return this.fail(span, 'a reference without kind', hint)
    }
    return {
      kind: 'pin',
      ref,
      page,
      access,
      type,
      longterm: chosen.has('longterm'),
      fast: chosen.has('fast'),
    } as const
  }

  // ---- conditions ----

  private condition(quantifier: ConditionSyntax['quantifier']): ConditionSyntax {
    const start = this.take().span.start
    const from = this.current.span.start
    const comparisons = { count: 0 }
    const expression = this.disjunction(comparisons, 0)
    const text = this.file.text.slice(from, this.end).replace(/[ \t]+/g, ' ')
    const span = this.since(start)
    this.endOfStatement('"and", "or" or the end of the line')
    return { quantifier, expression, text, span }
  }

  private disjunction(comparisons: { count: number }, depth: number): ExpressionSyntax {
    let left = this.conjunction(comparisons, depth)
    while (this.accept('or')) left = { kind: 'or', left, right: this.conjunction(comparisons, depth) }
    return left
  }

  private conjunction(comparisons: { count: number }, depth: number): ExpressionSyntax {
    let left = this.negation(comparisons, depth)
    while (this.accept('and')) left = { kind: 'and', left, right: this.negation(comparisons, depth) }
    return left
  }

  private negation(comparisons: { count: number }, depth: number): ExpressionSyntax {
    const token = this.current
    if (depth >= LIMITS.nesting) {
      this.fail(token.span, 'a condition nested too deeply', `expected at most ${LIMITS.nesting} levels`)
    }
    if (this.accept('not')) return { kind: 'not', operand: this.negation(comparisons, depth + 1) }
    if (!this.accept('(')) return this.comparison(comparisons)
    const inner = this.disjunction(comparisons, depth + 1)
    if (!this.accept(')')) this.unexpected('"and", "or" or ")"')
    return inner
  }

  private comparison(comparisons: { count: number }): ExpressionSyntax {
    const expected = 'a comparison such as "child.r0 == 1"'
    const token = this.current
    if (++comparisons.count > LIMITS.comparisons) {
      this.fail(token.span, 'a condition too long', `expected at most ${LIMITS.comparisons} comparisons`)
    }
    if (token.kind === 'word' && VALUE.test(token.text)) {
      this.fail(token.span, 'a comparison that begins with a value', `expected ${expected}`)
    }
    const term = this.path(expected)
    const equal = this.accept('==')
    if (!equal && !this.accept('!=')) {
      if (this.sees('=')) this.fail(this.current.span, 'one "=" in a condition', 'expected "==" or "!="')
      this.unexpected('"==" or "!="')
    }
    return { kind: 'compare', term, equal, value: this.value() }
  }

  // ---- expectations ----

  private expectation(): Expectation {
    const start = this.take().span.start
    const designs: { name: string; span: Span }[] = []
    do {
      const design = this.word('the name of a design')
      designs.push({ name: design.text, span: design.span })
    } while (this.accept(','))
    if (!this.accept(':')) this.unexpected('"," and another design, or ":" and what is expected')

    const expected: { verdict: Expectation['verdict']; conditions: Expectation['conditions'] } = {
      verdict: undefined,
      conditions: undefined,
    }
    do this.outcome(expected)
    while (this.accept(','))

    const token = this.current
    const reason = token.kind === 'string' ? token.value : undefined
    if (reason !== undefined) this.take()
    const span = this.since(start)
    this.endOfStatement('",", a reason in double quotes, or the end of the line')
    return { designs, ...expected, reason, span }
  }

  private outcome(expected: {
    verdict: Expectation['verdict']
    conditions: Expectation['conditions']
  }): void {
    const token = this.current
    const text = token.kind === 'word' ? token.text : undefined
    const verdict = [...VERDICTS, ...FAILURES].find((word) => word === text)
    const conditions = (['holds', 'violated'] as const).find((word) => word === text)
    const rival = verdict === undefined ? expected.conditions : expected.verdict
    if (verdict === undefined && conditions === undefined) this.unknownWord(list(OUTCOMES), OUTCOMES)
    if (rival !== undefined) {
      const hint = 'expected one verdict or failure, and one of "holds" and "violated"'
      this.fail(token.span, `${quote(text ?? '')} besides ${quote(rival)}`, hint)
    }
    this.take()
    if (verdict !== undefined) expected.verdict = verdict
    if (conditions !== undefined) expected.conditions = conditions
  }

  // ---- names and values ----

  private value(): number {
    const token = this.current
    if (token.kind !== 'word') return this.unexpected('a value: one digit, 0 to 9')
    if (!VALUE.test(token.text)) this.fail(token.span, `${quote(token.text)} is no value`, VALUE_HINT)
    this.take()
    return Number(token.text)
  }

  /** A name as it stands in a declaration, or where only one kind of thing can stand. */
  private name(expected: string): Name {
    const token = this.word(expected)
    if (REGISTER.test(token.text)) {
      const hint = `expected ${expected}: "r" and a number is always a register`
      this.fail(token.span, `${quote(token.text)} is a register`, hint)
    }
    this.checkName(token.text, token.span)
    return { text: token.text, span: token.span }
  }

  private path(expected: string): Path {
    return this.pathOf(this.word(expected))
  }

  private pathOf(token: WordToken): Path {
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

  private checkName(text: string, span: Span): void {
    if (KEYWORDS.has(text)) {
      this.fail(span, `${quote(text)} is a word of the language`, 'expected another name')
    }
    if (!NAME.test(text)) this.fail(span, `${quote(text)} is no name`, NAME_HINT)
  }

  // ---- tokens ----

  /** The next token. The place where something that is no token gets reported: all before it was correct. */
  private get current(): Token {
    const token = this.tokens[Math.min(this.position, this.tokens.length - 1)]!
    if (token.kind === 'bad') this.fail(token.span, token.message, token.hint)
    return token
  }

  private take(): Token {
    const token = this.current
    this.position++
    this.end = token.span.end
    return token
  }

  private since(start: number): Span {
    return { start, end: this.end }
  }

  /** Whether the next token is this keyword or symbol. */
  private sees(text: string): boolean {
    const token = this.current
    return (token.kind === 'word' || token.kind === 'symbol') && token.text === text
  }

  private accept(text: string): boolean {
    const seen = this.sees(text)
    if (seen) this.take()
    return seen
  }

  /** Whether the token after the next one, which must be a word, is this symbol. */
  private symbolAfter(text: string): boolean {
    const after = this.tokens[this.position + 1]
    return this.current.kind === 'word' && after?.kind === 'symbol' && after.text === text
  }

  private word(expected: string): WordToken {
    const token = this.current
    if (token.kind !== 'word') return this.unexpected(expected)
    this.take()
    return token
  }

  private skipNewlines(): void {
    while (this.current.kind === 'newline') this.take()
  }

  private endOfStatement(expected = 'the end of the line'): void {
    if (!this.atEndOfStatement()) this.unexpected(expected)
    if (this.current.kind === 'newline') this.take()
  }

  private atEndOfStatement(): boolean {
    const { kind } = this.current
    return kind === 'newline' || kind === 'end' || this.sees('}')
  }

  // ---- errors ----

  private fail(span: Span, message: string, hint: string): never {
    throw new LitmusError([{ severity: 'error', span, message, hint }], this.file)
  }

  private unexpected(expected: string): never {
    const token = this.current
    this.fail(token.span, `unexpected ${describe(token)}`, `expected ${expected}`)
  }

  /** The next token is none of the words that can stand here. */
  private unknownWord(expected: string, candidates: readonly string[]): never {
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

function isOutsideBlocks(word: string): boolean {
  return word === 'test' || DECLARATIONS.includes(word)
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
