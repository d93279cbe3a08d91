/** Where validation collects its complaints: one error hides no other, so all are reported together. */

import type { Span } from './ast.ts'
import {
  type Diagnostic,
  didYouMean,
  LitmusError,
  lineNumber,
  list,
  quote,
  type SourceFile,
} from './diagnostic.ts'
import type { Name } from './syntax.ts'

/** More errors than this are one misunderstanding, and nobody reads them all. */
const MOST_ERRORS = 100

/** A hint that lists more names than this is no help. */
const MOST_CHOICES = 8

/** The diagnostics of one file so far. */
export class Log {
  private readonly file: SourceFile
  private readonly diagnostics: Diagnostic[] = []

  constructor(file: SourceFile) {
    this.file = file
  }

  error(span: Span, message: string, hint: string): undefined {
    this.diagnostics.push({ severity: 'error', span, message, hint })
  }

  warn(span: Span, message: string, hint: string): void {
    this.diagnostics.push({ severity: 'warning', span, message, hint })
  }

  /** The error that a name stands for nothing; `known` are the names that could have stood there. */
  unknown(what: string, name: Name, known: Iterable<string>): undefined {
    const names = [...new Set(known)]
    const expected = names.length === 0 ? 'this test has none' : `expected ${choices(names)}`
    const hint = names.length === 1 ? expected : `${expected}${didYouMean(name.text, names)}`
    return this.error(name.span, `unknown ${what} ${quote(name.text)}`, hint)
  }

  /** The number of the line that a span begins in. */
  line(span: Span): number {
    return lineNumber(this.file.text, span.start)
  }

  get warnings(): Diagnostic[] {
    return this.inOrder('warning')
  }

  throwErrors(): void {
    const errors = this.inOrder('error')
    if (errors.length > 0) throw new LitmusError(errors.slice(0, MOST_ERRORS), this.file)
  }

  private inOrder(severity: Diagnostic['severity']): Diagnostic[] {
    return this.diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .sort((a, b) => a.span.start - b.span.start)
  }
}

/** The first few names, as a hint lists them. */
export function choices(names: Iterable<string>): string {
  return list([...names].slice(0, MOST_CHOICES))
}
