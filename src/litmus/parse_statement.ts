/** The statements of a thread, each on a line of its own. */

import type { Access, RefKind } from './ast.ts'
import { list, quote } from './diagnostic.ts'
import type { Reader } from './reader.ts'
import { dotted, type StatementSyntax } from './syntax.ts'
import { PIN_OPTIONS, REGISTER, STATEMENTS } from './vocabulary.ts'

export function parseStatement(reader: Reader): StatementSyntax {
  const start = reader.current.span.start
  const body = reader.symbolAfter('=') ? assignment(reader) : keywordStatement(reader)
  const span = reader.since(start)
  reader.endOfStatement()
  return { ...body, span }
}

function assignment(reader: Reader) {
  const target = reader.word('a name')
  reader.take()
  const isValue = reader.current.kind === 'word' && /^-?[0-9]/.test(reader.current.text)
  if (REGISTER.test(target.text)) {
    if (isValue) {
      const hint = 'expected a word or a reference: a register takes what a load reads'
      reader.fail(reader.current.span, 'a value in a register', hint)
    }
    const from = reader.path('a word or a reference to load from')
    return { kind: 'load', register: target, from } as const
  }
  const to = reader.pathOf(target)
  if (!isValue && reader.current.kind === 'word') {
    const hint = 'a store writes a constant, one digit 0 to 9; a load is "r0 = x"'
    reader.fail(reader.current.span, `${quote(reader.current.text)} is no value`, hint)
  }
  return { kind: 'store', to, value: reader.value() } as const
}

function keywordStatement(reader: Reader) {
  const token = reader.current
  const keyword = token.kind === 'word' ? token.text : undefined
  switch (keyword) {
    case 'fork':
    case 'waitpid':
      reader.take()
      return { kind: keyword, process: reader.name('the name of a process') } as const
    case 'exit':
      reader.take()
      return { kind: keyword } as const
    case 'unmap':
    case 'dontneed':
    case 'pageout':
    case 'reclaim':
    case 'unmerge':
      reader.take()
      return { kind: keyword, page: reader.page() } as const
    case 'mprotect':
      reader.take()
      return { kind: keyword, page: reader.page(), writable: protection(reader) } as const
    case 'merge':
      return merge(reader)
    case 'clear_refs':
      return clearRefs(reader)
    case 'release':
      reader.take()
      return { kind: keyword, ref: reader.name('the name of a reference') } as const
    case 'signal':
    case 'wait':
      reader.take()
      return { kind: keyword, signal: reader.name('the name of a signal') } as const
    case 'pin':
      return pin(reader)
    case 'thread':
      return reader.fail(token.span, 'a thread inside a thread', 'expected a statement')
    default:
      if (reader.symbolAfter('==')) {
        reader.take()
        const hint = 'expected a statement; a store is written with one "="'
        return reader.fail(reader.current.span, 'a comparison in a process', hint)
      }
      return reader.unknownWord('a statement', STATEMENTS)
  }
}

function protection(reader: Reader): boolean {
  if (reader.accept('read')) return false
  if (reader.accept('read-write')) return true
  return reader.unknownWord('"read" or "read-write"', ['read', 'read-write'])
}

function merge(reader: Reader) {
  reader.take()
  const page = reader.page()
  if (!reader.accept('with')) {
    reader.unexpected(`"with" and another page after ${quote(dotted(page.names))}`)
  }
  return { kind: 'merge', page, other: reader.page('the name of another page') } as const
}

function clearRefs(reader: Reader) {
  reader.take()
  if (!reader.atEndOfStatement()) {
    reader.unexpected('the end of the line: "clear_refs" is about all pages of its process')
  }
  return { kind: 'clearRefs' } as const
}

function pin(reader: Reader) {
  const keyword = reader.take()
  const ref = reader.name('a name for the reference')
  if (!reader.accept('=')) reader.unexpected(`"= <page>" after ${quote(ref.text)}`)
  const page = reader.page()
  if (!reader.accept('for')) reader.unexpected(`"for" and ${list(PIN_OPTIONS)}`)

  const chosen = pinOptions(reader)
  const access: Access | undefined = chosen.has('read') ? 'read' : chosen.has('write') ? 'write' : undefined
  const type: RefKind | undefined = chosen.has('get') ? 'get' : chosen.has('pin') ? 'pin' : undefined
  const span = reader.since(keyword.span.start)
  if (access === undefined) {
    return reader.fail(span, 'a reference without access', 'expected "read" or "write" among its options')
  }
  if (type === undefined) {
    const hint = 'expected "get" (FOLL_GET) or "pin" (FOLL_PIN) among its options'
    return reader.fail(span, 'a reference without kind', hint)
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

function pinOptions(reader: Reader): ReadonlySet<string> {
  const chosen = new Set<string>()
  const choose = (conflict: readonly string[]): void => {
    const option = reader.word(list(PIN_OPTIONS))
    const rival = conflict.find((word) => chosen.has(word))
    if (rival === option.text) reader.fail(option.span, `${quote(rival)} twice`, 'expected each option once')
    if (rival !== undefined) {
      const hint = `expected ${list(conflict)}, not both`
      reader.fail(option.span, `${quote(option.text)} besides ${quote(rival)}`, hint)
    }
    chosen.add(option.text)
  }
  do {
    if (reader.sees('read') || reader.sees('write')) choose(['read', 'write'])
    else if (reader.sees('get') || reader.sees('pin')) choose(['get', 'pin'])
    else if (reader.sees('longterm')) choose(['longterm'])
    else if (reader.sees('fast')) choose(['fast'])
    else reader.unknownWord(list(PIN_OPTIONS), PIN_OPTIONS)
  } while (reader.accept(','))
  if (!reader.atEndOfStatement()) reader.unexpected('"," and another option, or the end of the line')
  return chosen
}
