/** Kernel actors: `actor kswapd 2 on x, buf`. */

import { ACTORS, type ActorKind } from './ast.ts'
import { list, quote } from './diagnostic.ts'
import { LIMITS } from './limits.ts'
import type { Reader } from './reader.ts'
import type { ActorSyntax, Path } from './syntax.ts'

export function parseActor(reader: Reader): ActorSyntax {
  const start = reader.take().span.start
  const token = reader.current
  const kind = ACTORS.find((actor) => reader.accept(actor))
  if (kind === undefined) return reader.unknownWord(list(ACTORS), ACTORS)
  const stated = times(reader)
  const pages = reader.accept('on') ? pageNames(reader, kind) : undefined
  const span = reader.since(start)
  const often = stated === undefined ? `a number of times (1 to ${LIMITS.times}), ` : ''
  const more = pages === undefined ? `${often}"on" and pages,` : '"," and another page,'
  reader.endOfStatement(`${more} or the end of the line`)
  return { kind, name: { text: kind, span: token.span }, times: stated ?? 1, pages, span }
}

function times(reader: Reader): number | undefined {
  const token = reader.current
  if (token.kind !== 'word' || !isNumber(token.text)) return undefined
  if (!/^[1-9][0-9]*$/.test(token.text)) {
    reader.fail(token.span, `${quote(token.text)} is no number of times`, `expected 1 to ${LIMITS.times}`)
  }
  if (Number(token.text) > LIMITS.times) {
    reader.fail(token.span, `${quote(token.text)} is too often`, `expected at most ${LIMITS.times} times`)
  }
  reader.take()
  return Number(token.text)
}

function pageNames(reader: Reader, kind: ActorKind): Path[] {
  const pages: Path[] = []
  do pages.push(reader.page())
  while (reader.accept(','))
  const token = reader.current
  if (token.kind === 'word' && isNumber(token.text)) {
    const hint = `expected how often it acts before the pages: "actor ${kind} ${token.text} on …"`
    reader.fail(token.span, 'a number after the pages', hint)
  }
  return pages
}

function isNumber(text: string): boolean {
  return /^-?[0-9]/.test(text)
}
