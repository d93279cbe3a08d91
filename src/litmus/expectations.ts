/** The claims about designs. Whether a design exists is not known here; what is expected of it twice is. */

import type { Span } from './ast.ts'
import { quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import type { TestSyntax } from './syntax.ts'

export function checkExpectations({ conditions, expectations }: TestSyntax, log: Log): void {
  const seen = new Map<string, Span>()
  for (const expectation of expectations) {
    for (const { name, span } of expectation.designs) {
      const earlier = seen.get(name)
      if (earlier !== undefined) {
        const hint = `see line ${log.line(earlier)}; expected each design once`
        log.error(span, `design ${quote(name)} already has an expectation`, hint)
      }
      seen.set(name, earlier ?? span)
      if (name === 'all' && expectation.designs.length > 1) {
        log.error(span, '"all" is every design', 'expected "all" alone, or a list of designs without it')
      }
    }
    if (expectation.conditions !== undefined && conditions.length === 0) {
      const hint = 'expected a "never", "always" or "sometimes" condition in this test'
      log.error(expectation.span, `there is no condition for ${quote(expectation.conditions)}`, hint)
    }
  }
}
