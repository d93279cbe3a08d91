/** Which word a path means: one of a page, or one behind a reference. */

import type { WordRef } from './ast.ts'
import { didYouMean, list, quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import type { Reference, Scope } from './scope.ts'
import { dotted, type Name, type PageSyntax, type Path } from './syntax.ts'

/** The word that a page's name, a word's name, or `page.word` stands for. */
export function resolveWord(path: Path, scope: Scope, log: Log): WordRef | undefined {
  const { pageList, pages, words, references } = scope
  const [first, second, third] = path.names
  const page = pages.get(first.text)
  if (second !== undefined) {
    if (page === undefined) return log.unknown('page', first, [...pages.keys(), ...references.keys()])
    if (third !== undefined) return log.error(third.span, 'a word has no parts', 'expected "page.word"')
    const word = wordOf(pageList[page]!, second, log)
    return word === undefined ? undefined : { page, word }
  }
  const namesakes = words.get(first.text) ?? []
  if (namesakes.length > 1) {
    const choices = list(namesakes.map((choice) => `${pageList[choice.page]!.name.text}.${first.text}`))
    return log.error(path.span, `several pages have a word ${quote(first.text)}`, `expected ${choices}`)
  }
  if (namesakes[0] !== undefined) return namesakes[0]
  if (page === undefined) {
    const known = [...pages.keys(), ...words.keys(), ...references.keys()]
    return log.unknown('page, word or reference', first, known)
  }
  const word = onlyWord(pageList[page]!, 'page', path, log)
  return word === undefined ? undefined : { page, word }
}

/** The word that `reference` or `reference.word` stands for. Undefined without an error if its page is unknown. */
export function resolveReferenceWord(
  path: Path,
  { pin }: Reference,
  { pageList, pages }: Scope,
  log: Log,
): number | undefined {
  const index = pages.get(dotted(pin.page.names))
  if (index === undefined) return undefined
  const page = pageList[index]!
  const [, second, third] = path.names
  if (third !== undefined) return log.error(third.span, 'a word has no parts', 'expected "reference.word"')
  return second === undefined ? onlyWord(page, 'reference', path, log) : wordOf(page, second, log)
}

function wordOf(page: PageSyntax, name: Name, log: Log): number | undefined {
  const word = page.words.findIndex((candidate) => candidate.name.text === name.text)
  if (word >= 0) return word
  const words = page.words.map((candidate) => candidate.name.text)
  const hint = `expected ${list(words)}${words.length > 1 ? didYouMean(name.text, words) : ''}`
  return log.error(name.span, `page ${quote(page.name.text)} has no word ${quote(name.text)}`, hint)
}

/** For a path that names no word: the page's only one. */
function onlyWord(
  page: PageSyntax,
  what: 'page' | 'reference',
  { names: [name], span }: Path,
  log: Log,
): number | undefined {
  if (page.words.length === 1) return 0
  const choices = list(page.words.map((word) => `${name.text}.${word.name.text}`))
  return log.error(span, `${what} ${quote(name.text)} has several words`, `expected ${choices}`)
}
