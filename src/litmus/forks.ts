/** Who forks whom: every process but the first has exactly one parent, and all descend from the first. */

import type { Span } from './ast.ts'
import { list, quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import type { Scope } from './scope.ts'
import { everyStatement, type TestSyntax } from './syntax.ts'

/** The parent of every process but the root, by name. */
export function findParents(syntax: TestSyntax, scope: Scope, log: Log): ReadonlyMap<string, string> {
  const parents = new Map<string, string>()
  const forks = new Map<string, Span>()
  const mentioned = new Set<string>()
  const root = syntax.processes[0]!.name

  for (const { process, statement } of everyStatement(syntax)) {
    if (statement.kind !== 'fork') continue
    const child = statement.process.text
    const earlier = forks.get(child)
    if (child === process.name.text) {
      const hint = 'expected the name of another process'
      log.error(statement.span, `process ${quote(child)} forks itself`, hint)
    } else if (child === root.text) {
      const hint = 'expected another one: the first process runs from the start'
      log.error(statement.process.span, `${quote(child)} is the first process`, hint)
    } else if (!scope.processes.has(child)) {
      log.unknown('process', statement.process, scope.processes.keys())
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
    if (name.text === root.text || mentioned.has(name.text)) continue
    const hint = `expected "fork ${name.text}" in another process; only the first process, ${quote(root.text)}, runs from the start`
    log.error(name.span, `process ${quote(name.text)} is never forked`, hint)
  }
  reportCircles(scope, parents, log)
  return parents
}

/** A circle of processes that fork each other: each has a parent, and none ever starts. */
function reportCircles(scope: Scope, parents: ReadonlyMap<string, string>, log: Log): void {
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
