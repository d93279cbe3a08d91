/** Which page a name means where only a whole page can stand. */

import { quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import type { Scope } from './scope.ts'
import { dotted, type PageSyntax, type Path } from './syntax.ts'

/**
 * The page that a path stands for: an index into the test's pages.
 *
 * @param path where a page was expected
 * @param user what works on the page, a word of the language
 * @returns undefined after an error, which is then in the log
 */
export function resolvePage(path: Path, user: string, scope: Scope, log: Log): number | undefined {
  const { pages, pageList, words, references, processes } = scope
  const [first, second] = path.names
  const text = dotted(path.names)
  const page = pages.get(first.text)
  if (page !== undefined && second === undefined) return page
  const whole = page ?? words.get(text)?.[0]?.page
  if (whole !== undefined) {
    const name = quote(pageList[whole]!.name.text)
    const hint = `expected the page: "${user}" works on a whole page; did you mean ${name}?`
    return log.error(path.span, `${quote(text)} is a word of page ${name}`, hint)
  }
  if (references.has(first.text)) {
    const hint = user === 'unmap' ? 'expected a page; a reference ends with "release"' : 'expected a page'
    return log.error(path.span, `${quote(first.text)} is a reference`, hint)
  }
  if (second !== undefined && processes.has(first.text) && pages.has(second.text)) {
    const hint = `expected just ${quote(second.text)}: a page has the same name in every process`
    return log.error(path.span, `${quote(first.text)} is a process`, hint)
  }
  return log.unknown('page', first, pages.keys())
}

/**
 * The two pages of a `merge`: different ones that can hold the same. The second may be another
 * process's, `child.x`.
 *
 * @param process the process in whose thread the statement stands
 */
export function resolveMerge(kept: Path, replaced: Path, process: string, scope: Scope, log: Log) {
  const page = resolvePage(kept, 'merge', scope, log)
  const [name, inside] = replaced.names
  if (inside !== undefined && scope.pages.has(inside.text) && !isKnown(name.text, scope)) {
    return log.unknown('process', name, scope.processes.keys())
  }
  const foreign = ofAnother(replaced, process, scope)
  const other = resolvePage(foreign?.path ?? replaced, 'merge', scope, log)
  if (page === undefined || other === undefined) return undefined
  const [first, second] = [scope.pageList[page]!, scope.pageList[other]!]
  if (page === other && foreign === undefined) {
    const hint = 'expected another page, which the first one is to replace'
    return log.error(replaced.span, `page ${quote(first.name.text)} is merged with itself`, hint)
  }
  if (first.words.length !== second.words.length) {
    const hint = 'expected two pages of as many words: no others hold the same'
    return log.error(replaced.span, `${size(first)} and ${size(second)}`, hint)
  }
  return foreign === undefined ? { page, other } : { page, other, owner: foreign.owner }
}

function isKnown(name: string, { pages, processes, references }: Scope): boolean {
  return pages.has(name) || processes.has(name) || references.has(name)
}

/** What stands behind the name of another process. Its own process's name is none that can stand there. */
function ofAnother({ names, span }: Path, process: string, { processes }: Scope) {
  const [owner, page, ...words] = names
  if (page === undefined || owner.text === process || !processes.has(owner.text)) return undefined
  const start = page.span.start
  const path: Path = { names: [page, ...words], span: { start, end: span.end } }
  return { owner: owner.text, path }
}

function size({ name, words }: PageSyntax): string {
  return `${quote(name.text)} has ${words.length} ${words.length === 1 ? 'word' : 'words'}`
}
