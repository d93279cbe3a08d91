/** Verdicts that hang on a rule which a design's author never stated: what they would be by the alternative. */
import type { RuleName } from '../designs/index.ts'
import type { Procedure } from '../engine/index.ts'
import type { Rules } from '../mm/kernel.ts'
import { type Cell, checkCell } from './cell.ts'
import type { RunOptions } from './run.ts'
import type { CellVerdict } from './verdict.ts'
import type { Yardstick } from './yardstick.ts'

/** With the alternative of one rule the cell is another. */
export interface Doubt {
  readonly rule: RuleName
  readonly taken: string
  readonly alternative: string
  readonly verdict: CellVerdict
  /** Whether all conditions of the test hold then. */
  readonly holds: boolean
}

/** What its author may as well have meant by a rule of a design. */
export interface Alternative {
  readonly rule: RuleName
  readonly taken: string
  readonly text: string
  readonly rules: Partial<Rules>
}

/** The alternatives to those rules that are ours and were asked in this cell. */
export function alternativesIn({ design, run }: Cell): Alternative[] {
  const { automata } = run.explorer.learned
  return Object.entries(design.ours ?? {}).flatMap(([name, { taken, alternative }]) => {
    const rule = name as RuleName
    if (alternative === undefined || !automata.called(design.rules[rule] as Procedure)) return []
    return [{ rule, taken, ...alternative }]
  })
}

/**
 * For each rule that is ours and was asked in this cell: checks the cell again with its alternative.
 * Random runs would differ by chance alone, so after them there is nothing to compare.
 */
export function doubtsOf(cell: Cell, yardstick: Yardstick, options: RunOptions = {}): Doubt[] {
  const { test, design, run } = cell
  if (run.exploration.search.mode === 'random') return []
  const holds = ({ conditions }: Cell): boolean => conditions.every((condition) => condition.holds)
  return alternativesIn(cell).flatMap(({ rule, taken, text, rules }) => {
    const other = checkCell(test, { ...design, rules: { ...design.rules, ...rules } }, yardstick, options)
    if (other.verdict === cell.verdict && holds(other) === holds(cell)) return []
    return [{ rule, taken, alternative: text, verdict: other.verdict, holds: holds(other) }]
  })
}
