/** From what a file says to what a test means: every name is looked up, every process gets its parent. */

import { resolveActors } from './actors.ts'
import type { Litmus, Page, Process, Thread } from './ast.ts'
import { resolveCondition } from './conditions.ts'
import type { Diagnostic, SourceFile } from './diagnostic.ts'
import { checkExpectations } from './expectations.ts'
import { findParents } from './forks.ts'
import { checkLimits } from './limits.ts'
import { Log } from './log.ts'
import { declare } from './scope.ts'
import { ThreadResolver } from './statements.ts'
import type { PageSyntax, ProcessSyntax, TestSyntax, ThreadSyntax } from './syntax.ts'

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
  const parents = findParents(syntax, scope, log)
  const thread = (syntax: ThreadSyntax, process: ProcessSyntax): Thread => ({
    name: threadName(syntax, process),
    statements: new ThreadResolver(process, syntax, scope, parents, log).statements(),
    span: syntax.span,
  })
  const process = (syntax: ProcessSyntax): Process => ({
    name: syntax.name.text,
    threads: syntax.threads.map((one) => thread(one, syntax)),
    parent: parents.get(syntax.name.text),
    span: syntax.span,
  })
  const test: Litmus = {
    name: syntax.name.text,
    description: syntax.description,
    source: file.text,
    pages: syntax.pages.map(page),
    actors: resolveActors(syntax, scope, log),
    processes: syntax.processes.map(process),
    signals: [...scope.signals],
    conditions: syntax.conditions.flatMap((condition) => resolveCondition(condition, scope, log) ?? []),
    expectations: syntax.expectations,
  }
  checkExpectations(syntax, log)
  log.throwErrors()
  return { test, warnings: log.warnings }
}

function page({ name, words, untouched, span }: PageSyntax): Page {
  return {
    name: name.text,
    words: words.map((word) => ({ name: word.name.text, initial: word.initial })),
    untouched,
    span,
  }
}

function threadName({ name }: ThreadSyntax, process: ProcessSyntax): string {
  const alone = process.threads.length === 1 || name === undefined
  return alone ? process.name.text : `${process.name.text}.${name.text}`
}
