/** Expectations: `expect v5.7, v5.8: missed-cow, violated "why"`. */

import { type Expectation, FAILURES, type Span, VERDICTS } from './ast.ts'
import { list, quote } from './diagnostic.ts'
import type { Reader } from './reader.ts'
import { OUTCOMES } from './vocabulary.ts'

export function parseExpectation(reader: Reader): Expectation {
  const start = reader.take().span.start
  const designs: { name: string; span: Span }[] = []
  do {
    const design = reader.word('the name of a design')
    designs.push({ name: design.text, span: design.span })
  } while (reader.accept(','))
  if (!reader.accept(':')) reader.unexpected('"," and another design, or ":" and what is expected')

  const expected: Expected = { verdict: undefined, conditions: undefined }
  do outcome(reader, expected)
  while (reader.accept(','))

  const token = reader.current
  const reason = token.kind === 'string' ? token.value : undefined
  if (reason !== undefined) reader.take()
  const span = reader.since(start)
  reader.endOfStatement('",", a reason in double quotes, or the end of the line')
  return { designs, ...expected, reason, span }
}

/** At most one of each. */
interface Expected {
  verdict: Expectation['verdict']
  conditions: Expectation['conditions']
}

function outcome(reader: Reader, expected: Expected): void {
  const token = reader.current
  const text = token.kind === 'word' ? token.text : undefined
  const verdict = [...VERDICTS, ...FAILURES].find((word) => word === text)
  const conditions = (['holds', 'violated'] as const).find((word) => word === text)
  const rival = verdict === undefined ? expected.conditions : expected.verdict
  if (verdict === undefined && conditions === undefined) reader.unknownWord(list(OUTCOMES), OUTCOMES)
  if (rival !== undefined) {
    const hint = 'expected one verdict or failure, and one of "holds" and "violated"'
    reader.fail(token.span, `${quote(text ?? '')} besides ${quote(rival)}`, hint)
  }
  reader.take()
  if (verdict !== undefined) expected.verdict = verdict
  if (conditions !== undefined) expected.conditions = conditions
}
