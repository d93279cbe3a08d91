/** From a design's name and what is changed about it to a design. */
import { type Design, designNamed, NO_RULES, type RuleName } from '../designs/index.ts'
import type { Rules } from '../mm/kernel.ts'
import type { RuleSet } from './claim.ts'
import { ClaimsError } from './error.ts'
import { MODIFICATIONS } from './modifications.ts'

/**
 * The design that a case is about.
 * @param instead rules of the design itself that are to be others, before anything is changed about it
 * @throws ClaimsError if a design, a rule or a modification does not exist
 */
export function designOf(
  { design, with: changes, without, like }: RuleSet,
  instead: Partial<Rules> = {},
): Design {
  const base = known(design)
  let rules: Rules = { ...base.rules, ...instead }
  for (const name of changes) {
    const modification = MODIFICATIONS[name]
    if (modification === undefined) {
      throw new ClaimsError(`unknown change "${name}"; there are ${Object.keys(MODIFICATIONS).join(', ')}`)
    }
    rules = { ...rules, ...modification.rules(rules) }
  }
  for (const rule of without.map(ruleNamed)) rules = { ...rules, [rule]: NO_RULES[rule] }
  for (const [rule, other] of Object.entries(like)) {
    rules = { ...rules, [ruleNamed(rule)]: known(other).rules[ruleNamed(rule)] }
  }
  return { ...base, name: nameOf({ design, with: changes, without, like }), rules }
}

/** `v5.16, without may_add_to_swap`. */
export function nameOf({ design, with: changes, without, like }: RuleSet): string {
  return [
    design,
    ...changes.map((name) => MODIFICATIONS[name]?.title ?? name),
    ...without.map((rule) => `without ${rule}`),
    ...Object.entries(like).map(([rule, other]) => `${rule} like ${other}`),
  ].join(', ')
}

/** Whether nothing is changed, so that other commands know the design by its name. */
export function isPlain({ with: changes, without, like }: RuleSet): boolean {
  return changes.length === 0 && without.length === 0 && Object.keys(like).length === 0
}

function known(name: string): Design {
  const design = designNamed(name)
  if (design === undefined) throw new ClaimsError(`unknown design "${name}"`)
  return design
}

function ruleNamed(name: string): RuleName {
  if (!(name in NO_RULES))
    throw new ClaimsError(`unknown rule "${name}"; there are ${Object.keys(NO_RULES).join(', ')}`)
  return name as RuleName
}
