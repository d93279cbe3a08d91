/**
 * The parser of the litmus language: one function for each rule of the grammar in docs/language.md, in its order.
 * This file has the rules down to processes and threads; the rules inside have files of their own.
 *
 * It stops at the first syntax error. Names are not its business; validate.ts looks them up.
 */

import { ACTORS, type Expectation, type Litmus } from './ast.ts'
import { type Diagnostic, LitmusError, quote } from './diagnostic.ts'
import { LIMITS } from './limits.ts'
import { parseActor } from './parse_actor.ts'
import { parseCondition } from './parse_condition.ts'
import { parseExpectation } from './parse_expectation.ts'
import { parseStatement } from './parse_statement.ts'
import { Reader } from './reader.ts'
import type {
  ActorSyntax,
  ConditionSyntax,
  Name,
  PageSyntax,
  ProcessSyntax,
  StatementSyntax,
  TestSyntax,
  ThreadSyntax,
} from './syntax.ts'
import { validate } from './validate.ts'
import { DECLARATIONS, STATEMENTS, TEST_NAME } from './vocabulary.ts'

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
    const message = 'this file is too long for a test'
    throw new LitmusError([{ severity: 'error', span, message, hint }], file)
  }
  return validate(test(new Reader(file)), file)
}

function test(reader: Reader): TestSyntax {
  reader.skipNewlines()
  const keyword = reader.current
  if (keyword.kind === 'end') reader.fail(keyword.span, 'this file has no test', 'expected "test <name>"')
  if (!reader.sees('test')) reader.unknownWord('"test <name>" first', ['test'])
  reader.take()
  const name = reader.word('a name for the test')
  if (!TEST_NAME.test(name.text)) {
    const hint = 'the name of a test begins with a letter or digit'
    reader.fail(name.span, `${quote(name.text)} is no name`, hint)
  }
  reader.endOfStatement()

  const declared: Declared = { pages: [], actors: [], processes: [], conditions: [], expectations: [] }
  for (reader.skipNewlines(); reader.current.kind !== 'end'; reader.skipNewlines()) {
    declaration(reader, declared)
  }
  const description = descriptionAbove(reader, keyword.span.start)
  return { name: { text: name.text, span: name.span }, description, ...declared }
}

function descriptionAbove(reader: Reader, offset: number): string {
  return reader.comments
    .filter((comment) => comment.span.end <= offset)
    .map((comment) => comment.text.replace(/^ /, '').trimEnd())
    .join('\n')
}

interface Declared {
  readonly pages: PageSyntax[]
  readonly actors: ActorSyntax[]
  readonly processes: ProcessSyntax[]
  readonly conditions: ConditionSyntax[]
  readonly expectations: Expectation[]
}

const INSIDE_PROCESS = 'expected it inside "process <name> { … }"'

function declaration(reader: Reader, declared: Declared): void {
  const token = reader.current
  const keyword = token.kind === 'word' ? token.text : undefined
  switch (keyword) {
    case 'page':
    case 'zero':
      declared.pages.push(page(reader))
      return
    case 'actor':
      declared.actors.push(parseActor(reader))
      return
    case 'process':
      declared.processes.push(process(reader))
      return
    case 'never':
    case 'always':
    case 'sometimes':
      declared.conditions.push(parseCondition(reader, keyword))
      return
    case 'expect':
      declared.expectations.push(parseExpectation(reader))
      return
    case 'test':
      reader.fail(token.span, 'a second test', 'expected one test in each file')
      break
    case 'thread':
      reader.fail(token.span, '"thread" outside of a process', INSIDE_PROCESS)
      break
    default:
      if (keyword !== undefined && (STATEMENTS.includes(keyword) || reader.symbolAfter('='))) {
        reader.fail(token.span, 'a statement outside of a process', INSIDE_PROCESS)
      }
      if (ACTORS.some((actor) => actor === keyword)) {
        reader.fail(token.span, `${quote(keyword ?? '')} alone`, `expected "actor ${keyword}"`)
      }
      reader.unknownWord('a page, actor, process, condition or expectation', DECLARATIONS)
  }
}

function page(reader: Reader): PageSyntax {
  const start = reader.current.span.start
  const untouched = reader.accept('zero')
  if (untouched && !reader.sees('page')) reader.unexpected('"page" after "zero"')
  reader.take()
  const name = reader.name('a name for the page')
  const words = reader.accept(':')
    ? pageWords(reader, untouched)
    : [{ name, initial: initial(reader, untouched, name) }]
  const span = reader.since(start)
  reader.endOfStatement()
  return { name, words, untouched, span }
}

function pageWords(reader: Reader, untouched: boolean): { name: Name; initial: number }[] {
  const words: { name: Name; initial: number }[] = []
  do {
    const name = reader.name('a name for a word of the page')
    words.push({ name, initial: initial(reader, untouched, name) })
  } while (reader.accept(','))
  return words
}

function initial(reader: Reader, untouched: boolean, name: Name): number {
  if (!untouched) {
    if (!reader.accept('=')) {
      const hint = `"= <value>" after ${quote(name.text)}; a page that nobody has written is a "zero page"`
      reader.unexpected(hint)
    }
    return reader.value()
  }
  if (reader.sees('=')) {
    const hint = 'expected no value: nobody has written a zero page, and it reads 0'
    reader.fail(reader.current.span, 'a zero page with a value', hint)
  }
  return 0
}

function process(reader: Reader): ProcessSyntax {
  const start = reader.take().span.start
  const name = reader.name('a name for the process')
  const items = block(reader, () =>
    reader.sees('thread') && !reader.symbolAfter('=') ? thread(reader) : parseStatement(reader),
  )
  const span = reader.since(start)

  const threads = items.filter((item): item is ThreadSyntax => 'statements' in item)
  const statements = items.filter((item): item is StatementSyntax => 'kind' in item)
  if (threads.length === 0) return { name, threads: [{ name: undefined, statements, span }], span }
  if (statements.length > 0) {
    const stray = items.find((item) => 'kind' in item !== 'kind' in items[0]!)!
    const hint = 'expected either only statements or only "thread" blocks in a process'
    return reader.fail(stray.span, `process ${quote(name.text)} mixes statements and threads`, hint)
  }
  return { name, threads, span }
}

function thread(reader: Reader): ThreadSyntax {
  const start = reader.take().span.start
  const name = reader.name('a name for the thread')
  const statements = block(reader, () => parseStatement(reader))
  return { name, statements, span: reader.since(start) }
}

function block<Item>(reader: Reader, item: () => Item): Item[] {
  reader.skipNewlines()
  const open = reader.current
  if (!reader.accept('{')) reader.unexpected('"{"')
  const items: Item[] = []
  for (reader.skipNewlines(); !reader.accept('}'); reader.skipNewlines()) {
    const token = reader.current
    if (token.kind === 'end') {
      reader.fail(open.span, 'this block is never closed', 'expected a "}" before the file ends')
    }
    if (token.kind === 'word' && isOutsideBlocks(token.text) && !reader.symbolAfter('=')) {
      const hint = `expected a statement, or "}" to close the block that begins in line ${reader.line(open.span)}`
      reader.fail(token.span, `${quote(token.text)} inside a block`, hint)
    }
    items.push(item())
  }
  return items
}

function isOutsideBlocks(word: string): boolean {
  return word === 'test' || DECLARATIONS.includes(word)
}
