/**
 * A test under a design as a Promela program that can be asked the test's own questions.
 *
 * SPIN evaluates the final conditions on its own: they are written out over the machine's
 * locations, independently of the outcomes that `outcome.ts` reads off a final memory.
 */
import { type Cell, type PromelaClaim, type Search, toPromela } from '../engine/index.ts'
import { EXITED, type Machine, VM_NONE, ZERO_PFN } from '../mm/machine.ts'
import { mk_pte, PTE_NONE, type Pte, pte_mkdirty, pte_mkwrite, swp_entry_to_pte } from '../mm/pte.ts'
import type { Condition, Expression, Litmus, Term } from './ast.ts'

export interface ExportOptions {
  /** The design's name, for the comment at the top. */
  readonly design?: string
  /** What the program's file will be called, for the commands in that comment. */
  readonly file?: string
}

/**
 * The program, with a claim `CONDITION_<n>` for each condition of the test. SPIN finds an error
 * with it if and only if a `never` or `always` is violated, or a `sometimes` is satisfied.
 * @throws Error if the exploration is not complete
 */
export function exportPromela(
  test: Litmus,
  kernel: Machine,
  explorer: Search,
  { design, file = `${test.name}.pml` }: ExportOptions = {},
): string {
  return toPromela(explorer, {
    title: design === undefined ? test.name : `${test.name} under ${design}`,
    file,
    claims: test.conditions.map((condition, i) => claimOf(condition, kernel, `CONDITION_${i + 1}`)),
  })
}

type NameOf = (location: number) => string

/** What a claim searches for: for `sometimes` a witness, otherwise an outcome that breaks the condition. */
function claimOf({ quantifier, expression, text }: Condition, kernel: Machine, name: string): PromelaClaim {
  const sought: Expression = quantifier === 'always' ? { kind: 'not', operand: expression } : expression
  const meaning = quantifier === 'sometimes' ? 'satisfied; no error means violated' : 'violated'
  return {
    name,
    comment: `"${quantifier} ${text}" is ${meaning}`,
    expression: (nameOf) => written(sought, kernel, nameOf),
  }
}

function written(expression: Expression, kernel: Machine, nameOf: NameOf): string {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const [left, right] = [expression.left, expression.right].map((e) => written(e, kernel, nameOf))
      return `(${left} ${expression.kind === 'and' ? '&&' : '||'}\n${right})`
    }
    case 'not':
      // In parentheses, since `!!` is an operator of Promela.
      return `!(${written(expression.operand, kernel, nameOf)})`
    case 'compare': {
      const { term, equal, value } = expression
      // Not `!=` inside: what cannot be observed equals nothing, and so differs from every value.
      return `${equal ? '' : '!'}(${equals(term, value, kernel, nameOf)})`
    }
  }
}

/** Whether a term can be observed, and has the value. */
function equals(term: Term, value: number, kernel: Machine, nameOf: NameOf): string {
  const is = (cell: Cell, held: number): string => `${nameOf(cell.location)} == ${held}`
  switch (term.kind) {
    case 'register': {
      const register = kernel.config.registers.indexOf(`${term.process}.${term.register}`)
      return is(kernel.register[register]!, value)
    }
    case 'memory': {
      const { state, vma, pte } = kernel.mm.find(({ name }) => name === term.process)!
      const { page: vpn, word } = term.target
      const entryIsOneOf = (entries: readonly Pte[]): string =>
        `(${entries.map((entry) => is(pte[vpn]!, entry)).join(' || ')})`
      const mapped = kernel.page.map((page, pfn) => {
        const read_only = mk_pte(pfn, false)
        const entries = [read_only, pte_mkdirty(read_only), mk_pte(pfn, true), pte_mkwrite(read_only)]
        // An empty entry reads as the zero page, which a first read would map.
        if (pfn === ZERO_PFN) entries.push(PTE_NONE)
        return `${entryIsOneOf(entries)} && ${is(page.word[word]!, value)}`
      })
      const swapped = kernel.slot.map(({ cache, word: words }, slot) => {
        const cached = kernel.page.map(
          (page, pfn) => `${is(cache, 1 + pfn)} && ${is(page.word[word]!, value)}`,
        )
        const there = [`${is(cache, 0)} && ${is(words[word]!, value)}`, ...cached].join(' ||\n')
        return `${entryIsOneOf([swp_entry_to_pte(slot, false), swp_entry_to_pte(slot, true)])} && (${there})`
      })
      const somewhere = [...mapped, ...swapped]
      return [
        `${nameOf(state.location)} != ${EXITED} && ${nameOf(vma[vpn]!.location)} != ${VM_NONE} && (`,
        `${somewhere.join(' ||\n')})`,
      ].join('\n')
    }
    case 'reference': {
      const { page: held } = kernel.ref.find(({ name }) => name === term.ref)!
      return kernel.page
        .map((page, pfn) => `${is(held, 1 + pfn)} && ${is(page.word[term.word]!, value)}`)
        .join(' ||\n')
    }
  }
}
