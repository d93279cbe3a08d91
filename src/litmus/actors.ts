/** The kernel actors of a test: one of each kind, and the pages that each may come to. */

import type { Actor, Span } from './ast.ts'
import { quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import { resolvePage } from './pages.ts'
import type { Scope } from './scope.ts'
import type { ActorSyntax, TestSyntax } from './syntax.ts'

export function resolveActors({ actors, processes }: TestSyntax, scope: Scope, log: Log): Actor[] {
  const seen = new Map<string, Span>()
  return actors.map((syntax) => {
    const { kind, name, times, span } = syntax
    const earlier = seen.get(kind)
    if (earlier !== undefined) {
      const hint = `see line ${log.line(earlier)}; expected one "actor ${kind}", with all its pages`
      log.error(name.span, `an actor ${quote(kind)} already exists`, hint)
    }
    seen.set(kind, earlier ?? span)
    const pages = pagesOf(syntax, scope, log)
    if (kind === 'kswapd' && pages.length === 0) {
      log.warn(span, '"kswapd" has nothing to reclaim', 'expected at least one page in this test')
    }
    if (kind === 'ksmd' && !canMerge(pages, processes.length, scope)) {
      const hint = 'expected two pages of as many words, or a page in two processes'
      log.warn(span, '"ksmd" has nothing to merge', hint)
    }
    return { kind, times, pages, span }
  })
}

/** In the order of their declaration, since the order of their names means nothing. */
function pagesOf({ kind, pages }: ActorSyntax, scope: Scope, log: Log): number[] {
  if (pages === undefined) return [...scope.pageList.keys()]
  const chosen = new Set<number>()
  for (const path of pages) {
    const page = resolvePage(path, kind, scope, log)
    if (page === undefined) continue
    if (chosen.has(page)) {
      log.error(path.span, `page ${quote(path.names[0].text)} twice`, 'expected each page once')
    }
    chosen.add(page)
  }
  return [...chosen].sort((a, b) => a - b)
}

function canMerge(pages: readonly number[], processes: number, { pageList }: Scope): boolean {
  const sizes = pages.map((page) => pageList[page]!.words.length)
  return processes > 1 ? sizes.length > 0 : new Set(sizes).size < sizes.length
}
