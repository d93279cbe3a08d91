/** What the names of a test stand for: what declares each kind of name, and which of them must differ. */

import type { WordRef } from './ast.ts'
import { didYouMean, quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import {
  everySignalUse,
  everyStatement,
  type Name,
  type PageSyntax,
  type ProcessSyntax,
  type StatementSyntax,
  type TestSyntax,
  type ThreadSyntax,
} from './syntax.ts'

export interface Scope {
  readonly pageList: readonly PageSyntax[]
  /** Indices into `pageList`. */
  readonly pages: ReadonlyMap<string, number>
  /** By bare name; several if pages have words of the same name. */
  readonly words: ReadonlyMap<string, readonly WordRef[]>
  readonly processes: ReadonlyMap<string, ProcessSyntax>
  readonly references: ReadonlyMap<string, Reference>
  /** What each process assigns, by the name of the process. */
  readonly registers: ReadonlyMap<string, ReadonlySet<string>>
  /** In the order of their first use. */
  readonly signals: ReadonlySet<string>
}

/** A reference, at the `pin` that takes it. */
export interface Reference {
  readonly owner: ProcessSyntax
  readonly thread: ThreadSyntax
  readonly pin: Extract<StatementSyntax, { readonly kind: 'pin' }>
  /** Where in its thread the pin stands. */
  readonly index: number
}

export function declare(syntax: TestSyntax, log: Log): Scope {
  const pages = declarePages(syntax, log)
  const words = declareWords(syntax, pages, log)
  return {
    pageList: syntax.pages,
    pages,
    words,
    processes: declareProcesses(syntax, log),
    references: declareReferences(syntax, pages, words, log),
    registers: findRegisters(syntax, log),
    signals: findSignals(syntax, log),
  }
}

function declarePages(syntax: TestSyntax, log: Log): Scope['pages'] {
  const pages = new Map<string, number>()
  for (const [index, { name }] of syntax.pages.entries()) {
    const earlier = pages.get(name.text)
    if (earlier === undefined) pages.set(name.text, index)
    else alreadyDeclared(name, 'a page', syntax.pages[earlier]!.name, log)
  }
  return pages
}

function declareWords(syntax: TestSyntax, pages: Scope['pages'], log: Log): Scope['words'] {
  const words = new Map<string, WordRef[]>()
  for (const [index, page] of syntax.pages.entries()) {
    for (const [word, { name }] of page.words.entries()) {
      const earlier = page.words.findIndex((other) => other.name.text === name.text)
      const namesake = syntax.pages[pages.get(name.text) ?? index]!
      if (namesake.name.text !== page.name.text) {
        const hint = `expected a name that no other page has; see line ${log.line(namesake.span)}`
        log.error(name.span, `${quote(name.text)} is already a page`, hint)
      }
      if (earlier < word) alreadyDeclared(name, 'a word', page.words[earlier]!.name, log)
      else words.set(name.text, [...(words.get(name.text) ?? []), { page: index, word }])
    }
  }
  return words
}

function declareProcesses(syntax: TestSyntax, log: Log): Scope['processes'] {
  const processes = new Map<string, ProcessSyntax>()
  for (const process of syntax.processes) {
    const earlier = processes.get(process.name.text)
    if (earlier === undefined) processes.set(process.name.text, process)
    else alreadyDeclared(process.name, 'a process', earlier.name, log)

    const threads = new Map<string, Name>()
    for (const { name } of process.threads) {
      if (name === undefined) continue
      const twin = threads.get(name.text)
      if (twin === undefined) threads.set(name.text, name)
      else alreadyDeclared(name, 'a thread', twin, log)
    }
  }
  return processes
}

function declareReferences(
  syntax: TestSyntax,
  pages: Scope['pages'],
  words: Scope['words'],
  log: Log,
): Scope['references'] {
  const references = new Map<string, Reference>()
  for (const { process, thread, statement, index } of everyStatement(syntax)) {
    if (statement.kind !== 'pin') continue
    const name = statement.ref
    const earlier = references.get(name.text)
    if (earlier !== undefined) {
      alreadyDeclared(name, 'a reference', earlier.pin.ref, log)
      continue
    }
    references.set(name.text, { owner: process, thread, pin: statement, index })
    const other = pages.has(name.text) ? 'a page' : words.has(name.text) ? 'a word' : undefined
    if (other !== undefined) {
      const hint = 'expected a name for the reference that no page and no word has'
      log.error(name.span, `${quote(name.text)} is already ${other}`, hint)
    }
  }
  return references
}

/** A load declares its register; all loads to one register must be in one thread. */
function findRegisters(syntax: TestSyntax, log: Log): Scope['registers'] {
  const owners = new Map<string, { readonly thread: ThreadSyntax; readonly register: Name }>()
  const registers = new Map<string, Set<string>>()
  for (const { process, thread, statement } of everyStatement(syntax)) {
    if (statement.kind !== 'load') continue
    const { register } = statement
    const key = `${process.name.text}.${register.text}`
    const owner = owners.get(key)
    if (owner === undefined) {
      owners.set(key, { thread, register })
      const own = registers.get(process.name.text) ?? new Set()
      registers.set(process.name.text, own.add(register.text))
    } else if (owner.thread !== thread) {
      const hint = `another thread assigns it in line ${log.line(owner.register.span)}; expected a register of its own for each thread`
      const message = `two threads of process ${quote(process.name.text)} assign ${register.text}`
      log.error(register.span, message, hint)
    }
  }
  return registers
}

/** Whoever uses a signal declares it. One that nobody sends is legal: the test deadlocks. */
function findSignals(syntax: TestSyntax, log: Log): Scope['signals'] {
  const uses = [...everySignalUse(syntax)]
  const sent = new Set(uses.filter(({ kind }) => kind === 'signal').map(({ signal }) => signal.text))
  for (const { kind, signal } of uses) {
    if (kind === 'signal' || sent.has(signal.text)) continue
    const hint = `this waits forever without a "signal ${signal.text}"${didYouMean(signal.text, sent)}`
    log.warn(signal.span, `nobody sends ${quote(signal.text)}`, hint)
  }
  return new Set(uses.map(({ signal }) => signal.text))
}

function alreadyDeclared(name: Name, what: string, earlier: Name, log: Log): void {
  const hint = `it is declared in line ${log.line(earlier.span)}`
  log.error(name.span, `${what} ${quote(name.text)} already exists`, hint)
}
