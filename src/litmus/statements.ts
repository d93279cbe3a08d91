/** The statements of one thread: what their names mean there, and what cannot come in this order. */

import type { Span, Statement, StatementKind, WordRef } from './ast.ts'
import { quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import { resolveMerge, resolvePage } from './pages.ts'
import type { Reference, Scope } from './scope.ts'
import {
  dotted,
  hasExit,
  type Name,
  type Path,
  type ProcessSyntax,
  type StatementSyntax,
  type ThreadSyntax,
} from './syntax.ts'
import { resolveReferenceWord, resolveWord } from './words.ts'

/** Resolves the statements of one thread, in their order. */
export class ThreadResolver {
  private readonly process: ProcessSyntax
  private readonly thread: ThreadSyntax
  private readonly scope: Scope
  private readonly parents: ReadonlyMap<string, string>
  private readonly log: Log
  /** By the statements so far. */
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
        this.checkExit(span, index)
        return { kind, span }
      case 'waitpid':
        this.checkWaitpid(syntax.process)
        return { kind, process: syntax.process.text, span }
      case 'unmap':
      case 'dontneed':
      case 'pageout':
      case 'reclaim':
      case 'unmerge': {
        const page = this.page(syntax.page, kind)
        return page === undefined ? undefined : { kind, page, span }
      }
      case 'mprotect': {
        const page = this.page(syntax.page, kind)
        return page === undefined ? undefined : { kind, page, writable: syntax.writable, span }
      }
      case 'merge': {
        const pair = resolveMerge(syntax.page, syntax.other, this.process.name.text, this.scope, this.log)
        return pair === undefined ? undefined : { kind, ...pair, span }
      }
      case 'clearRefs':
        return { kind, span }
      case 'pin': {
        const { access, type, longterm, fast } = syntax
        const page = this.page(syntax.page, kind)
        const ref = syntax.ref.text
        return page === undefined ? undefined : { kind, ref, page, access, type, longterm, fast, span }
      }
      case 'release': {
        if (this.reference(syntax.ref, index) === undefined) return undefined
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
        const hint = `expected just ${quote(dotted(rest))}: a process sees its own memory only`
        return this.log.error(path.span, `${quote(first.text)} is a process`, hint)
      }
      return resolveWord(path, this.scope, this.log)
    }
    if (this.reference(first, index) === undefined) return undefined
    const word = resolveReferenceWord(path, reference, this.scope, this.log)
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
      return log.unknown('reference', name, this.scope.references.keys())
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

  private checkExit(span: Span, index: number): void {
    if (index < this.thread.statements.length - 1) {
      const hint = 'expected it as the last statement of its thread: nothing after it would ever run'
      this.log.error(span, '"exit" is followed by more statements', hint)
    }
    if (this.process.threads.find(hasExit) !== this.thread) {
      const hint = 'expected one in each process: it waits for all other threads, so two wait for each other'
      this.log.warn(span, `process ${quote(this.process.name.text)} has a second "exit"`, hint)
    }
  }

  private checkWaitpid(child: Name): undefined {
    const { log } = this
    const target = this.scope.processes.get(child.text)
    if (target === undefined) return log.unknown('process', child, this.scope.processes.keys())
    if (this.parents.get(child.text) !== this.process.name.text) {
      const hint = 'expected a process that this process forks: only a parent can wait for its child'
      const message = `${quote(child.text)} is no child of ${quote(this.process.name.text)}`
      return log.error(child.span, message, hint)
    }
    if (!target.threads.some(hasExit)) {
      const hint = `expected an "exit" in process ${quote(child.text)}: without one this waits forever`
      return log.error(child.span, `process ${quote(child.text)} never exits`, hint)
    }
    const forksLater = this.thread.statements.some(
      (statement) => statement.kind === 'fork' && statement.process.text === child.text,
    )
    if (forksLater && !this.forked.has(child.text)) {
      const hint = `expected it after "fork ${child.text}"`
      log.error(child.span, `${quote(child.text)} is not forked yet`, hint)
    }
  }

  /** The page that a statement of this kind works on. */
  private page(path: Path, statement: StatementKind): number | undefined {
    return resolvePage(path, statement, this.scope, this.log)
  }
}
