/** What the parser hands over: the shape of the source, names not yet resolved. */

import type { Access, ActorKind, Condition, Expectation, RefKind, Span } from './ast.ts'

export interface Name {
  readonly text: string
  readonly span: Span
}

/** Names joined by dots: `x`, `buf.a`, `parent.buf.a`. */
export interface Path {
  readonly names: readonly [Name, ...Name[]]
  readonly span: Span
}

export interface TestSyntax {
  readonly name: Name
  readonly description: string
  readonly pages: readonly PageSyntax[]
  readonly actors: readonly ActorSyntax[]
  readonly processes: readonly ProcessSyntax[]
  readonly conditions: readonly ConditionSyntax[]
  readonly expectations: readonly Expectation[]
}

export interface PageSyntax {
  readonly name: Name
  readonly words: readonly { readonly name: Name; readonly initial: number }[]
  readonly untouched: boolean
  readonly span: Span
}

export interface ActorSyntax {
  readonly kind: ActorKind
  /** The word that says which kind it is. */
  readonly name: Name
  readonly times: number
  /** Undefined where none are named: all pages of the test. */
  readonly pages: readonly Path[] | undefined
  readonly span: Span
}

export interface ProcessSyntax {
  readonly name: Name
  readonly threads: readonly ThreadSyntax[]
  readonly span: Span
}

export interface ThreadSyntax {
  /** Undefined where a process has statements and no `thread` blocks. */
  readonly name: Name | undefined
  readonly statements: readonly StatementSyntax[]
  readonly span: Span
}

/** The statements that are a keyword and a page. */
export type WholePage = 'unmap' | 'dontneed' | 'pageout' | 'reclaim' | 'unmerge'

export type StatementSyntax = { readonly span: Span } & (
  | { readonly kind: 'load'; readonly register: Name; readonly from: Path }
  | { readonly kind: 'store'; readonly to: Path; readonly value: number }
  | { readonly kind: 'fork' | 'waitpid'; readonly process: Name }
  | { readonly kind: 'exit' }
  | { readonly kind: WholePage; readonly page: Path }
  | { readonly kind: 'mprotect'; readonly page: Path; readonly writable: boolean }
  | { readonly kind: 'merge'; readonly page: Path; readonly other: Path }
  | { readonly kind: 'clearRefs' }
  | {
      readonly kind: 'pin'
      readonly ref: Name
      readonly page: Path
      readonly access: Access
      readonly type: RefKind
      readonly longterm: boolean
      readonly fast: boolean
    }
  | { readonly kind: 'release'; readonly ref: Name }
  | { readonly kind: 'signal' | 'wait'; readonly signal: Name }
)

export interface ConditionSyntax {
  readonly quantifier: Condition['quantifier']
  readonly expression: ExpressionSyntax
  readonly text: string
  readonly span: Span
}

export type ExpressionSyntax =
  | { readonly kind: 'and' | 'or'; readonly left: ExpressionSyntax; readonly right: ExpressionSyntax }
  | { readonly kind: 'not'; readonly operand: ExpressionSyntax }
  | { readonly kind: 'compare'; readonly term: Path; readonly equal: boolean; readonly value: number }

/** Every statement in the order of the source, with whose it is and where in its thread it stands. */
export function* everyStatement(syntax: TestSyntax) {
  for (const process of syntax.processes) {
    for (const thread of process.threads) {
      for (const [index, statement] of thread.statements.entries())
        yield { process, thread, statement, index }
    }
  }
}

export function* everySignalUse(syntax: TestSyntax) {
  for (const { statement } of everyStatement(syntax)) {
    if (statement.kind === 'signal' || statement.kind === 'wait') yield statement
  }
}

export function hasExit({ statements }: ThreadSyntax): boolean {
  return statements.some(({ kind }) => kind === 'exit')
}

/** Names as the source joins them. */
export function dotted(names: readonly Name[]): string {
  return names.map((name) => name.text).join('.')
}
