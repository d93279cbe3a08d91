/**
 * From what a file says to what a test means: every name is looked up, every process gets its parent.
 *
 * The types that end in `Syntax` are what the parser hands over: the shape of the source, names not yet
 * resolved. All errors found here are reported together, since none of them hides another.
 */

import type {
  Access,
  Condition,
  Expectation,
  Expression,
  Litmus,
  Page,
  Process,
  RefKind,
  Span,
  Statement,
  Term,
  Thread,
  WordRef,
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

export interface Name {
  readonly text: string
  readonly span: Span
}

/** Names joined by dots: `x`, `buf.a`, `parent.buf.a`. */
export interface Path {
  readonly names: readonly [Name, ...Name[]]
  readonly span: Span
}

export interface PageSyntax {
  readonly name: Name
  readonly words: readonly { readonly name: Name; readonly initial: number }[]
  readonly untouched: boolean
  readonly span: Span
}

export type StatementSyntax = { readonly span: Span } & (
  | { readonly kind: 'load'; readonly register: Name; readonly from: Path }
  | { readonly kind: 'store'; readonly to: Path; readonly value: number }
  | { readonly kind: 'fork' | 'waitpid'; readonly process: Name }
  | { readonly kind: 'exit' }
  | { readonly kind: 'unmap' | 'dontneed'; readonly page: Name }
  | { readonly kind: 'mprotect'; readonly page: Name; readonly writable: boolean }
  | {
      readonly kind: 'pin'
      readonly ref: Name
      readonly page: Name
      readonly access: Access
      readonly type: RefKind
      readonly longterm: boolean
      readonly fast: boolean
    }
  | { readonly kind: 'release'; readonly ref: Name }
  | { readonly kind: 'signal' | 'wait'; readonly signal: Name }
)

export interface ThreadSyntax {
  /** Undefined where a process has statements and no `thread` blocks. */
  readonly name: Name | undefined
  readonly statements: readonly StatementSyntax[]
  readonly span: Span
}

export interface ProcessSyntax {
  readonly name: Name
  readonly threads: readonly ThreadSyntax[]
  readonly span: Span
}

export type ExpressionSyntax =
  | { readonly kind: 'and' | 'or'; readonly left: ExpressionSyntax; readonly right: ExpressionSyntax }
  | { readonly kind: 'not'; readonly operand: ExpressionSyntax }
  | { readonly kind: 'compare'; readonly term: Path; readonly equal: boolean; readonly value: number }

export interface ConditionSyntax {
  readonly quantifier: Condition['quantifier']
  readonly expression: ExpressionSyntax
  readonly text: string
  readonly span: Span
}

export interface TestSyntax {
  readonly name: Name
  readonly description: string
  readonly pages: readonly PageSyntax[]
  readonly processes: readonly ProcessSyntax[]
  readonly conditions: readonly ConditionSyntax[]
  readonly expectations: readonly Expectation[]
}

/** How much a test may hold. The number of states is exponential in most of these; a litmus test is small. */
export const LIMITS = {
  /** UTF-16 code units. A test takes hundreds to a few thousand; this bounds the work on what is none. */
  source: 64 * 1024,
  /** The races of fork and pinning need two processes, a few need three; this leaves room to compose two. */
  processes: 6,
  /** Over all processes, since interleavings multiply with every thread, whoever owns it. */
  threads: 6,
  /** Each is a page-table entry in every process, and so a part of every state. */
  pages: 4,
  /** Every frame holds that many words, and there is about one frame for each page and process. */
  words: 4,
  /** In one thread: each is at least one step that the steps of all other threads interleave with. */
  statements: 64,
  /** Each is part of every state, with the frame that it holds. */
  references: 8,
  /** Each is one bit of every state; together they fill two bytes. */
  signals: 16,
  /** Conditions and expectations together: each is looked at for every outcome and every design. */
  claims: 64,
  /** In one expectation; there are fewer kernels and proposals than this to have expectations of. */
  designs: 64,
  /** In one condition: whoever reads an expression may recurse as often. */
  comparisons: 64,
  /** Parentheses and `not` around each other, so that no input exhausts the parser's stack. */
  nesting: 32,
} as const

/** More errors than this are one misunderstanding, and nobody reads them all. */
const MOST_ERRORS = 100

/** A hint that lists more names than this is no help. */
const MOST_CHOICES = 8

/** A register: the only kind of name that is not declared. */
export const REGISTER = /^r[0-9]+$/

/**
 * Builds the test that a parsed file means.
 *
 * @param syntax what the file says
 * @param file the file itself, for positions in messages
 * @returns the test, and warnings about what is legal but hardly meant
 * @throws {LitmusError} with the limits exceeded, or else with every error in names and in the order of statements (the first 100)
 */
export function validate(syntax: TestSyntax, file: SourceFile): { test: Litmus; warnings: Diagnostic[] } {
  const log = new Log(file)
  checkLimits(syntax, log)
  log.throwErrors()

  const scope = declare(syntax, log)
  const pages = syntax.pages.map(
    ({ name, words, untouched, span }): Page => ({
      name: name.text,
      words: words.map((word) => ({ name: word.name.text, initial: word.initial })),
      untouched,
      span,
    }),
  )
  const parents = findParents(syntax, scope, log)
  const registers = findRegisters(syntax, log)
  const processes = syntax.processes.map((process): Process => {
    const threads = process.threads.map((thread): Thread => {
      const alone = process.threads.length === 1 || thread.name === undefined
      return {
        name: alone ? process.name.text : `${process.name.text}.${thread.name.text}`,
        statements: new ThreadValidator(process, thread, scope, parents, log).statements(),
        span: thread.span,
      }
    })
    return { name: process.name.text, threads, parent: parents.get(process.name.text), span: process.span }
  })
  const signals = findSignals(syntax, log)
  const conditions = syntax.conditions.flatMap(({ quantifier, expression, text, span }): Condition[] => {
    const resolved = resolveExpression(expression, scope, registers, log)
    return resolved === undefined ? [] : [{ quantifier, expression: resolved, text, span }]
  })
  checkExpectations(syntax, log)
  log.throwErrors()

  const { name, description, expectations } = syntax
  const source = file.text
  const test = {
    name: name.text,
    description,
    source,
    pages,
    processes,
    signals,
    conditions,
    expectations,
  }
  return { test, warnings: log.inOrder('warning') }
}

/** The diagnostics of one file so far. */
class Log {
  readonly file: SourceFile
  private readonly diagnostics: Diagnostic[] = []

  constructor(file: SourceFile) {
    this.file = file
  }

  error(span: Span, message: string, hint: string): undefined {
    this.diagnostics.push({ severity: 'error', span, message, hint })
  }

  warn(span: Span, message: string, hint: string): void {
    this.diagnostics.push({ severity: 'warning', span, message, hint })
  }

  line(span: Span): number {
    return lineNumber(this.file.text, span.start)
  }

  inOrder(severity: Diagnostic['severity']): Diagnostic[] {
    return this.diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .sort((a, b) => a.span.start - b.span.start)
  }

  throwErrors(): void {
    const errors = this.inOrder('error')
    if (errors.length > 0) throw new LitmusError(errors.slice(0, MOST_ERRORS), this.file)
  }
}

function checkLimits(syntax: TestSyntax, log: Log): void {
  const { pages, processes, conditions, expectations } = syntax
  const atMost = (limit: number, things: readonly { readonly span: Span }[], what: string): void => {
    const first = things[limit]
    if (first !== undefined) log.error(first.span, `more than ${limit} ${what}`, `expected at most ${limit}`)
  }
  const threads = processes.flatMap((process) => process.threads)
  const statements = threads.flatMap((thread) => thread.statements)
  const claims = [...conditions, ...expectations].sort((a, b) => a.span.start - b.span.start)
  const signals = new Map<string, Name>()
  for (const { signal } of signalUses(syntax)) if (!signals.has(signal.text)) signals.set(signal.text, signal)

  atMost(LIMITS.pages, pages, 'pages')
  for (const page of pages) {
    const words = page.words.map((word) => word.name)
    atMost(LIMITS.words, words, `words in page ${quote(page.name.text)}`)
  }
  atMost(LIMITS.processes, processes, 'processes')
  // Six processes have at least six threads: that many processes are one mistake, and told once.
  if (processes.length <= LIMITS.processes)
    atMost(LIMITS.threads, threads, 'threads in all processes together')
  for (const thread of threads) atMost(LIMITS.statements, thread.statements, 'statements in one thread')
  atMost(
    LIMITS.references,
    statements.filter((statement) => statement.kind === 'pin'),
    'references',
  )
  atMost(LIMITS.signals, [...signals.values()], 'signals')
  atMost(LIMITS.claims, claims, 'conditions and expectations')
  for (const { designs } of expectations) atMost(LIMITS.designs, designs, 'designs in one expectation')

  if (processes.length === 0) {
    log.error(syntax.name.span, 'this test has no process', 'expected at least one "process <name> { … }"')
  } else if (statements.length === 0) {
    log.error(processes[0]!.span, 'this test does nothing', 'expected at least one statement in a process')
  }
}

/** A reference, at the `pin` that takes it. */
interface Reference {
  readonly owner: ProcessSyntax
  readonly thread: ThreadSyntax
  readonly pin: Extract<StatementSyntax, { readonly kind: 'pin' }>
  /** Where in its thread the pin stands. */
  readonly index: number
}

/** What the names of a test stand for. */
interface Scope {
  readonly pageList: readonly PageSyntax[]
  readonly pages: ReadonlyMap<string, number>
  /** By bare name; several if pages have words of the same name. */
  readonly words: ReadonlyMap<string, readonly WordRef[]>
  readonly references: ReadonlyMap<string, Reference>
  readonly processes: ReadonlyMap<string, ProcessSyntax>
}

function declare(syntax: TestSyntax, log: Log): Scope {
  const pages = new Map<string, number>()
  const words = new Map<string, WordRef[]>()
  const references = new Map<string, Reference>()
  const processes = new Map<string, ProcessSyntax>()

  const alreadyDeclared = (name: Name, what: string, earlier: Name): void =>
    log.error(
      name.span,
      `${what} ${quote(name.text)} already exists`,
      `it is declared in line ${log.line(earlier.span)}`,
    )

  for (const [index, page] of syntax.pages.entries()) {
    const earlier = pages.get(page.name.text)
    if (earlier === undefined) pages.set(page.name.text, index)
    else alreadyDeclared(page.name, 'a page', syntax.pages[earlier]!.name)
  }
  for (const [index, page] of syntax.pages.entries()) {
    for (const [word, { name }] of page.words.entries()) {
      const earlier = page.words.findIndex((other) => other.name.text === name.text)
      const namesake = syntax.pages[pages.get(name.text) ?? index]!
      if (namesake.name.text !== page.name.text) {
        const hint = `expected a name that no other page has; see line ${log.line(namesake.span)}`
        log.error(name.span, `${quote(name.text)} is already a page`, hint)
      }
      if (earlier < word) alreadyDeclared(name, 'a word', page.words[earlier]!.name)
      else words.set(name.text, [...(words.get(name.text) ?? []), { page: index, word }])
    }
  }
  for (const process of syntax.processes) {
    const earlier = processes.get(process.name.text)
    if (earlier === undefined) processes.set(process.name.text, process)
    else alreadyDeclared(process.name, 'a process', earlier.name)

    const threads = new Map<string, Name>()
    for (const { name } of process.threads) {
      if (name === undefined) continue
      const twin = threads.get(name.text)
      if (twin === undefined) threads.set(name.text, name)
      else alreadyDeclared(name, 'a thread', twin)
    }
  }
  for (const { process, thread, statement, index } of everyStatement(syntax)) {
    if (statement.kind !== 'pin') continue
    const name = statement.ref
    const earlier = references.get(name.text)
    if (earlier !== undefined) {
      alreadyDeclared(name, 'a reference', earlier.pin.ref)
    } else {
      references.set(name.text, { owner: process, thread, pin: statement, index })
      const other = pages.has(name.text) ? 'a page' : words.has(name.text) ? 'a word' : undefined
      if (other !== undefined) {
        const hint = 'expected a name for the reference that no page and no word has'
        log.error(name.span, `${quote(name.text)} is already ${other}`, hint)
      }
    }
  }
  return { pageList: syntax.pages, pages, words, references, processes }
}

/** Who forks whom: the parent of every process but the root, by name. */
function findParents(syntax: TestSyntax, scope: Scope, log: Log): Map<string, string> {
  const parents = new Map<string, string>()
  const forks = new Map<string, Span>()
  const mentioned = new Set<string>()
  const root = syntax.processes[0]!.name

  for (const { process, statement } of everyStatement(syntax)) {
    if (statement.kind !== 'fork') continue
    const child = statement.process.text
    const earlier = forks.get(child)
    if (child === process.name.text) {
      log.error(
        statement.span,
        `process ${quote(child)} forks itself`,
        'expected the name of another process',
      )
    } else if (child === root.text) {
      const hint = 'expected another one: the first process runs from the start'
      log.error(statement.process.span, `${quote(child)} is the first process`, hint)
    } else if (!scope.processes.has(child)) {
      unknown('process', statement.process, scope.processes.keys(), log)
    } else if (earlier !== undefined) {
      const hint = `it is forked in line ${log.line(earlier)}; expected one fork for each process`
      log.error(statement.span, `process ${quote(child)} is forked twice`, hint)
    } else {
      parents.set(child, process.name.text)
      forks.set(child, statement.span)
    }
    mentioned.add(child)
  }

  for (const { name } of scope.processes.values()) {
    if (name.text === root.text) continue
    if (!mentioned.has(name.text)) {
      const hint = `expected "fork ${name.text}" in another process; only the first process, ${quote(root.text)}, runs from the start`
      log.error(name.span, `process ${quote(name.text)} is never forked`, hint)
    }
  }
  reportCycles(scope, parents, log)
  return parents
}

/** A circle of processes that fork each other: each has a parent, and none ever starts. */
function reportCycles(scope: Scope, parents: ReadonlyMap<string, string>, log: Log): void {
  const checked = new Set<string>()
  for (const { name } of scope.processes.values()) {
    const line: string[] = []
    let at: string | undefined = name.text
    while (at !== undefined && !checked.has(at)) {
      checked.add(at)
      line.push(at)
      at = parents.get(at)
    }
    if (at === undefined || !line.includes(at)) continue
    const [first, ...ancestors] = line.slice(line.indexOf(at))
    const circle = [first!, ...ancestors.reverse()]
    const hint = 'expected a chain of forks that begins in the first process'
    const { span } = scope.processes.get(at)!.name
    log.error(span, `processes ${list(circle, 'and')} fork each other, so none of them ever starts`, hint)
  }
}

/** The registers that each process assigns; each of them in one thread only. */
function findRegisters(syntax: TestSyntax, log: Log): Map<string, Map<string, Name>> {
  const owners = new Map<string, { readonly thread: ThreadSyntax; readonly register: Name }>()
  const registers = new Map<string, Map<string, Name>>()
  for (const { process, thread, statement } of everyStatement(syntax)) {
    if (statement.kind !== 'load') continue
    const { register } = statement
    const key = `${process.name.text}.${register.text}`
    const owner = owners.get(key)
    if (owner === undefined) {
      owners.set(key, { thread, register })
      const own = registers.get(process.name.text) ?? new Map<string, Name>()
      registers.set(process.name.text, own.set(register.text, register))
    } else if (owner.thread !== thread) {
      const hint = `another thread assigns it in line ${log.line(owner.register.span)}; expected a register of its own for each thread`
      log.error(
        register.span,
        `two threads of process ${quote(process.name.text)} assign ${register.text}`,
        hint,
      )
    }
  }
  return registers
}

/** Signals in the order of their first use. One that nobody sends is legal: the test deadlocks. */
function findSignals(syntax: TestSyntax, log: Log): string[] {
  const uses = [...signalUses(syntax)]
  const sent = new Set(uses.filter(({ kind }) => kind === 'signal').map(({ signal }) => signal.text))
  for (const { kind, signal } of uses) {
    if (kind === 'signal' || sent.has(signal.text)) continue
    const hint = `this waits forever without a "signal ${signal.text}"${didYouMean(signal.text, sent)}`
    log.warn(signal.span, `nobody sends ${quote(signal.text)}`, hint)
  }
  return [...new Set(uses.map(({ signal }) => signal.text))]
}

function* signalUses(syntax: TestSyntax) {
  for (const { statement } of everyStatement(syntax)) {
    if (statement.kind === 'signal' || statement.kind === 'wait') yield statement
  }
}

function* everyStatement(syntax: TestSyntax) {
  for (const process of syntax.processes) {
    for (const thread of process.threads) {
      for (const [index, statement] of thread.statements.entries())
        yield { process, thread, statement, index }
    }
  }
}

/** Resolves the statements of one thread, in their order. */
class ThreadValidator {
  private readonly process: ProcessSyntax
  private readonly thread: ThreadSyntax
  private readonly scope: Scope
  private readonly parents: ReadonlyMap<string, string>
  private readonly log: Log
  private readonly forked = new Set<string>()
  private readonly released = new Map<string, Span>()

  constructor(
    process: ProcessSyntax,
    thread: ThreadSyntax,
    scope: Scope,
    parents: ReadonlyMap<string, string>,
    log: Log,
  ) {
    this.process = process
    this.thread = thread
    this.scope = scope
    this.parents = parents
    this.log = log
  }

  statements(): Statement[] {
    return this.thread.statements.flatMap((syntax, index) => this.statement(syntax, index) ?? [])
  }

  /** Undefined after an error, which is then in the log. */
  private statement(syntax: StatementSyntax, index: number): Statement | undefined {
    const { kind, span } = syntax
    switch (kind) {
      case 'load': {
        const register = syntax.register.text
        const place = this.place(syntax.from, index)
        if (place === undefined) return undefined
        return 'ref' in place
          ? { kind: 'refLoad', register, ref: place.ref, word: place.word, span }
          : { kind: 'load', register, target: place, span }
      }
      case 'store': {
        const { value } = syntax
        const place = this.place(syntax.to, index)
        if (place === undefined) return undefined
        if (!('ref' in place)) return { kind: 'store', target: place, value, span }
        this.checkWritable(place.ref, syntax.to.span)
        return { kind: 'refStore', ref: place.ref, word: place.word, value, span }
      }
      case 'fork':
        this.forked.add(syntax.process.text)
        return { kind, child: syntax.process.text, span }
      case 'exit':
        if (index < this.thread.statements.length - 1) {
          const hint = 'expected it as the last statement of its thread: nothing after it would ever run'
          this.log.error(span, '"exit" is followed by more statements', hint)
        }
        return { kind, span }
      case 'waitpid':
        this.checkWaitpid(syntax.process)
        return { kind, process: syntax.process.text, span }
      case 'unmap':
      case 'dontneed': {
        const page = this.page(syntax.page, kind)
        return page === undefined ? undefined : { kind, page, span }
      }
      case 'mprotect': {
        const page = this.page(syntax.page, kind)
        return page === undefined ? undefined : { kind, page, writable: syntax.writable, span }
      }
      case 'pin': {
        const { access, type, longterm, fast } = syntax
        const page = this.page(syntax.page, kind)
        const ref = syntax.ref.text
        return page === undefined ? undefined : { kind, ref, page, access, type, longterm, fast, span }
      }
      case 'release': {
        const reference = this.reference(syntax.ref, index)
        if (reference === undefined) return undefined
        this.released.set(syntax.ref.text, span)
        return { kind, ref: syntax.ref.text, span }
      }
      case 'signal':
      case 'wait':
        return { kind, name: syntax.signal.text, span }
    }
  }

  /** What a load or store goes to: a word of a page, or a word behind a reference. */
  private place(path: Path, index: number): WordRef | { ref: string; word: number } | undefined {
    const [first, ...rest] = path.names
    const reference = this.scope.references.get(first.text)
    if (reference === undefined) {
      if (this.scope.processes.has(first.text) && rest.length > 0 && !this.scope.pages.has(first.text)) {
        const hint = `expected just ${quote(rest.map((name) => name.text).join('.'))}: a process sees its own memory only`
        return this.log.error(path.span, `${quote(first.text)} is a process`, hint)
      }
      return resolveWord(path.names, path.span, this.scope, this.log)
    }
    if (this.reference(first, index) === undefined) return undefined
    const word = resolveReferenceWord(path.names, path.span, reference, this.scope, this.log)
    return word === undefined ? undefined : { ref: first.text, word }
  }

  /** A reference that is used here: it must be this process's, and not one that is yet to be pinned. */
  private reference(name: Name, index: number): Reference | undefined {
    const { log } = this
    const reference = this.scope.references.get(name.text)
    if (reference === undefined) {
      if (this.scope.pages.has(name.text)) {
        const hint = 'expected the name that a "pin" gave to a reference'
        return log.error(name.span, `${quote(name.text)} is a page`, hint)
      }
      return unknown('reference', name, this.scope.references.keys(), log)
    }
    const { owner, thread, pin } = reference
    if (owner.name.text !== this.process.name.text) {
      const hint = `expected a reference of process ${quote(this.process.name.text)}: a reference is used and released by the process that pins it`
      return log.error(name.span, `${quote(name.text)} belongs to process ${quote(owner.name.text)}`, hint)
    }
    if (thread === this.thread && index < reference.index) {
      const hint = `expected it after its "pin", in line ${log.line(pin.span)}`
      return log.error(name.span, `${quote(name.text)} is used before it is pinned`, hint)
    }
    const released = this.released.get(name.text)
    if (released !== undefined) {
      const hint = `it is released in line ${log.line(released)}`
      log.warn(name.span, `${quote(name.text)} is used after its release`, hint)
    }
    return reference
  }

  private checkWritable(ref: string, span: Span): void {
    const { pin } = this.scope.references.get(ref)!
    if (pin.access === 'write') return
    const hint = `expected "for write" at its "pin", in line ${this.log.line(pin.span)}`
    this.log.error(span, `${quote(ref)} is pinned for read only`, hint)
  }

  private checkWaitpid(child: Name): undefined {
    const { log } = this
    const target = this.scope.processes.get(child.text)
    if (target === undefined) return unknown('process', child, this.scope.processes.keys(), log)
    if (this.parents.get(child.text) !== this.process.name.text) {
      const hint = 'expected a process that this process forks: only a parent can wait for its child'
      return log.error(
        child.span,
        `${quote(child.text)} is no child of ${quote(this.process.name.text)}`,
        hint,
      )
    }
    if (!hasExit(target)) {
      const hint = `expected an "exit" in process ${quote(child.text)}: without one this waits forever`
      return log.error(child.span, `process ${quote(child.text)} never exits`, hint)
    }
    const forksLater = this.thread.statements.some(
      (statement) => statement.kind === 'fork' && statement.process.text === child.text,
    )
    if (forksLater && !this.forked.has(child.text)) {
      log.error(
        child.span,
        `${quote(child.text)} is not forked yet`,
        `expected it after "fork ${child.text}"`,
      )
    }
  }

  private page(name: Name, statement: string): number | undefined {
    const { pages, pageList, words, references } = this.scope
    const page = pages.get(name.text)
    if (page !== undefined) return page
    const word = words.get(name.text)?.[0]
    if (word !== undefined) {
      const whole = quote(pageList[word.page]!.name.text)
      const hint = `expected the page: "${statement}" works on a whole page; did you mean ${whole}?`
      return this.log.error(name.span, `${quote(name.text)} is a word of page ${whole}`, hint)
    }
    if (references.has(name.text)) {
      const hint =
        statement === 'unmap' ? 'expected a page; a reference ends with "release"' : 'expected a page'
      return this.log.error(name.span, `${quote(name.text)} is a reference`, hint)
    }
    return unknown('page', name, pages.keys(), this.log)
  }
}

/** The word that a page's name, a word's name, or `page.word` stands for. */
function resolveWord(
  names: readonly [Name, ...Name[]],
  span: Span,
  { pageList, pages, words, references }: Scope,
  log: Log,
): WordRef | undefined {
  const [first, second, third] = names
  const page = pages.get(first.text)
  if (second !== undefined) {
    if (page === undefined) return unknown('page', first, [...pages.keys(), ...references.keys()], log)
    if (third !== undefined) return log.error(third.span, 'a word has no parts', 'expected "page.word"')
    const word = wordOf(pageList[page]!, second, log)
    return word === undefined ? undefined : { page, word }
  }
  const namesakes = words.get(first.text) ?? []
  if (namesakes.length > 1) {
    const choices = list(namesakes.map((choice) => `${pageList[choice.page]!.name.text}.${first.text}`))
    return log.error(span, `several pages have a word ${quote(first.text)}`, `expected ${choices}`)
  }
  if (namesakes[0] !== undefined) return namesakes[0]
  if (page === undefined) {
    const known = [...pages.keys(), ...words.keys(), ...references.keys()]
    return unknown('page, word or reference', first, known, log)
  }
  const word = onlyWord(pageList[page]!, first, 'page', span, log)
  return word === undefined ? undefined : { page, word }
}

/** The word that `reference` or `reference.word` stands for. Undefined without an error if its page is unknown. */
function resolveReferenceWord(
  names: readonly [Name, ...Name[]],
  span: Span,
  { pin }: Reference,
  { pageList, pages }: Scope,
  log: Log,
): number | undefined {
  const index = pages.get(pin.page.text)
  if (index === undefined) return undefined
  const page = pageList[index]!
  const [first, second, third] = names
  if (third !== undefined) return log.error(third.span, 'a word has no parts', 'expected "reference.word"')
  return second === undefined ? onlyWord(page, first, 'reference', span, log) : wordOf(page, second, log)
}

function wordOf(page: PageSyntax, name: Name, log: Log): number | undefined {
  const word = page.words.findIndex((candidate) => candidate.name.text === name.text)
  if (word >= 0) return word
  const words = page.words.map((candidate) => candidate.name.text)
  const hint = `expected ${list(words)}${words.length > 1 ? didYouMean(name.text, words) : ''}`
  return log.error(name.span, `page ${quote(page.name.text)} has no word ${quote(name.text)}`, hint)
}

function onlyWord(
  page: PageSyntax,
  name: Name,
  what: 'page' | 'reference',
  span: Span,
  log: Log,
): number | undefined {
  if (page.words.length === 1) return 0
  const choices = list(page.words.map((word) => `${name.text}.${word.name.text}`))
  return log.error(span, `${what} ${quote(name.text)} has several words`, `expected ${choices}`)
}

function hasExit(process: ProcessSyntax): boolean {
  return process.threads.some((thread) => thread.statements.some(({ kind }) => kind === 'exit'))
}

type Registers = ReadonlyMap<string, ReadonlyMap<string, Name>>

/** Looks into both sides before it gives up, so that the errors of both are reported. */
function resolveExpression(
  syntax: ExpressionSyntax,
  scope: Scope,
  registers: Registers,
  log: Log,
): Expression | undefined {
  if (syntax.kind === 'compare') {
    const term = resolveTerm(syntax.term, scope, registers, log)
    return term === undefined ? undefined : { ...syntax, term }
  }
  if (syntax.kind === 'not') {
    const operand = resolveExpression(syntax.operand, scope, registers, log)
    return operand === undefined ? undefined : { kind: 'not', operand }
  }
  const left = resolveExpression(syntax.left, scope, registers, log)
  const right = resolveExpression(syntax.right, scope, registers, log)
  return left === undefined || right === undefined ? undefined : { kind: syntax.kind, left, right }
}

function resolveTerm(path: Path, scope: Scope, registers: Registers, log: Log): Term | undefined {
  const [owner, first, ...rest] = path.names
  const process = scope.processes.get(owner.text)
  if (first === undefined) {
    const some = scope.processes.keys().next().value ?? 'process'
    const hint = `expected whose it is, such as "${some}.${owner.text}"`
    return log.error(path.span, `${quote(owner.text)} without its process`, hint)
  }
  if (process === undefined) return unknown('process', owner, scope.processes.keys(), log)

  if (REGISTER.test(first.text)) {
    if (rest[0] !== undefined) return log.error(rest[0].span, 'a register has no parts', 'expected "=="')
    const own = registers.get(owner.text) ?? new Map<string, Name>()
    if (own.has(first.text)) return { kind: 'register', process: owner.text, register: first.text }
    const hint =
      own.size === 0
        ? 'expected a register that it loads'
        : `expected ${list([...own.keys()].slice(0, MOST_CHOICES))}`
    return log.error(first.span, `process ${quote(owner.text)} never assigns ${first.text}`, hint)
  }

  const names = [first, ...rest] as const
  const reference = scope.references.get(first.text)
  if (reference !== undefined && reference.owner !== process) {
    const hint = `expected "${[reference.owner.name, ...names].map((name) => name.text).join('.')}"`
    return log.error(path.span, `process ${quote(owner.text)} has no reference ${quote(first.text)}`, hint)
  }
  if (process.threads.some((thread) => thread.name?.text === first.text) && rest.length > 0) {
    const hint = `expected "${owner.text}.${rest.map((name) => name.text).join('.')}": registers belong to the process`
    return log.error(path.span, `${quote(first.text)} is a thread`, hint)
  }
  if (hasExit(process)) {
    const hint =
      'expected a register of it, or the memory of a process without "exit": memory ends with its process'
    log.warn(path.span, `process ${quote(owner.text)} exits, so this has no final value`, hint)
  }
  if (reference !== undefined) {
    const word = resolveReferenceWord(names, path.span, reference, scope, log)
    return word === undefined ? undefined : { kind: 'reference', process: owner.text, ref: first.text, word }
  }
  const target = resolveWord(names, path.span, scope, log)
  return target === undefined ? undefined : { kind: 'memory', process: owner.text, target }
}

/** Whether a design exists is not known here; that nothing is expected of it twice is. */
function checkExpectations({ conditions, expectations }: TestSyntax, log: Log): void {
  const seen = new Map<string, Span>()
  for (const expectation of expectations) {
    for (const { name, span } of expectation.designs) {
      const earlier = seen.get(name)
      if (earlier !== undefined) {
        const hint = `see line ${log.line(earlier)}; expected each design once`
        log.error(span, `design ${quote(name)} already has an expectation`, hint)
      }
      seen.set(name, earlier ?? span)
      if (name === 'all' && expectation.designs.length > 1) {
        log.error(span, '"all" is every design', 'expected "all" alone, or a list of designs without it')
      }
    }
    if (expectation.conditions !== undefined && conditions.length === 0) {
      const hint = 'expected a "never", "always" or "sometimes" condition in this test'
      log.error(expectation.span, `there is no condition for ${quote(expectation.conditions)}`, hint)
    }
  }
}

function unknown(what: string, name: Name, known: Iterable<string>, log: Log): undefined {
  const names = [...new Set(known)]
  const expected =
    names.length === 0 ? 'this test has none' : `expected ${list(names.slice(0, MOST_CHOICES))}`
  const hint = names.length === 1 ? expected : `${expected}${didYouMean(name.text, names)}`
  return log.error(name.span, `unknown ${what} ${quote(name.text)}`, hint)
}
