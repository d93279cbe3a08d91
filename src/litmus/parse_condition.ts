/** Conditions: `never child.r0 == 1 and not (parent.x == 0 or parent.p == 2)`. */

import { LIMITS } from './limits.ts'
import type { Reader } from './reader.ts'
import type { ConditionSyntax, ExpressionSyntax } from './syntax.ts'
import { VALUE } from './vocabulary.ts'

export function parseCondition(reader: Reader, quantifier: ConditionSyntax['quantifier']): ConditionSyntax {
  const start = reader.take().span.start
  const from = reader.current.span.start
  const expression = new ExpressionParser(reader).disjunction(0)
  const text = reader.textOf(reader.since(from)).replace(/[ \t]+/g, ' ')
  const span = reader.since(start)
  reader.endOfStatement('"and", "or" or the end of the line')
  return { quantifier, expression, text, span }
}

/** One method for each level of binding, the loosest first; `depth` counts parentheses and `not`. */
class ExpressionParser {
  private readonly reader: Reader
  private comparisons = 0

  constructor(reader: Reader) {
    this.reader = reader
  }

  disjunction(depth: number): ExpressionSyntax {
    let left = this.conjunction(depth)
    while (this.reader.accept('or')) left = { kind: 'or', left, right: this.conjunction(depth) }
    return left
  }

  private conjunction(depth: number): ExpressionSyntax {
    let left = this.negation(depth)
    while (this.reader.accept('and')) left = { kind: 'and', left, right: this.negation(depth) }
    return left
  }

  private negation(depth: number): ExpressionSyntax {
    const { reader } = this
    const token = reader.current
    if (depth >= LIMITS.nesting) {
      reader.fail(token.span, 'a condition nested too deeply', `expected at most ${LIMITS.nesting} levels`)
    }
    if (reader.accept('not')) return { kind: 'not', operand: this.negation(depth + 1) }
    if (!reader.accept('(')) return this.comparison()
    const inner = this.disjunction(depth + 1)
    if (!reader.accept(')')) reader.unexpected('"and", "or" or ")"')
    return inner
  }

  private comparison(): ExpressionSyntax {
    const { reader } = this
    const expected = 'a comparison such as "child.r0 == 1"'
    const token = reader.current
    if (++this.comparisons > LIMITS.comparisons) {
      reader.fail(token.span, 'a condition too long', `expected at most ${LIMITS.comparisons} comparisons`)
    }
    if (token.kind === 'word' && VALUE.test(token.text)) {
      reader.fail(token.span, 'a comparison that begins with a value', `expected ${expected}`)
    }
    const term = reader.path(expected)
    const equal = reader.accept('==')
    if (!equal && !reader.accept('!=')) {
      if (reader.sees('=')) {
        reader.fail(reader.current.span, 'one "=" in a condition', 'expected "==" or "!="')
      }
      reader.unexpected('"==" or "!="')
    }
    return { kind: 'compare', term, equal, value: reader.value() }
  }
}
