/**
 * Outcomes: what can be observed when a test is over. The registers, the memory of every live
 * process, and what every live reference holds.
 */
import type { Memory } from '../engine/index.ts'
import {
  EXITED,
  FAULTED,
  type Machine,
  type Page,
  type SwapSlot,
  UNSET,
  VM_NONE,
  ZERO_PFN,
} from '../mm/machine.ts'
import { type Pte, pte_none, pte_pfn, pte_present, pte_swp_slot } from '../mm/pte.ts'
import type { Condition, Expression, Litmus, Term } from './ast.ts'

/** A value, or why there is none: the access got SIGSEGV, or it never happened. */
export type Observed = number | 'segv' | 'unset'

export interface Observation {
  /** `child.r0`, `parent.x`, `parent.buf.a`, `child.p`. */
  readonly name: string
  readonly value: Observed
}

export interface Outcome {
  /** Equal for equal outcomes. */
  readonly key: string
  readonly observations: readonly Observation[]
}

/** Reads the outcome off a final memory. */
export function outcomeOf(test: Litmus, k: Machine, memory: Memory): Outcome {
  const observations: Observation[] = k.config.registers.map((name, r) => ({
    name,
    value: observed(memory.get(k.register[r]!.location)),
  }))
  k.mm.forEach((mm, m) => {
    if (memory.get(mm.state.location) === EXITED) return
    test.pages.forEach((page, vpn) => {
      if (memory.get(mm.vma[vpn]!.location) === VM_NONE) return
      const pte = memory.get(mm.pte[vpn]!.location)
      const holder = holderOf(k, memory, pte)
      page.words.forEach((_, word) => {
        const value = memory.get(holder.word[word]!.location)
        observations.push({ name: wordName(test, m, vpn, word), value })
      })
    })
  })
  for (const ref of k.ref) {
    const held = memory.get(ref.page.location)
    if (held === 0) continue
    const page = test.pages[ref.vpn]!
    page.words.forEach((_, word) => {
      const value = memory.get(k.page[held - 1]!.word[word]!.location)
      observations.push({ name: referenceName(test, ref.mm, ref.name, ref.vpn, word), value })
    })
  }
  return { key: observations.map(({ name, value }) => `${name}=${value}`).join(' '), observations }
}

/** What holds the words that an entry leads to: a frame, or a place in swap that no frame stands for. */
export function holderOf(k: Machine, memory: Memory, pte: Pte): Page | SwapSlot {
  if (pte_none(pte)) return k.page[ZERO_PFN]!
  if (pte_present(pte)) return k.page[pte_pfn(pte)]!
  const slot = k.slot[pte_swp_slot(pte)]!
  const cached = memory.get(slot.cache.location)
  return cached === 0 ? slot : k.page[cached - 1]!
}

/** Whether an expression holds in an outcome. What was not observed equals no number. */
export function holdsIn(test: Litmus, outcome: Outcome, expression: Expression): boolean {
  switch (expression.kind) {
    case 'and':
      return holdsIn(test, outcome, expression.left) && holdsIn(test, outcome, expression.right)
    case 'or':
      return holdsIn(test, outcome, expression.left) || holdsIn(test, outcome, expression.right)
    case 'not':
      return !holdsIn(test, outcome, expression.operand)
    case 'compare': {
      const name = termName(test, expression.term)
      const value = outcome.observations.find((observation) => observation.name === name)?.value
      return (value === expression.value) === expression.equal
    }
  }
}

/** Whether a condition holds over all outcomes of a test. */
export function conditionHolds(test: Litmus, condition: Condition, outcomes: readonly Outcome[]): boolean {
  const holds = (outcome: Outcome): boolean => holdsIn(test, outcome, condition.expression)
  switch (condition.quantifier) {
    case 'never':
      return !outcomes.some(holds)
    case 'always':
      return outcomes.every(holds)
    case 'sometimes':
      return outcomes.some(holds)
  }
}

function observed(value: number): Observed {
  if (value === FAULTED) return 'segv'
  return value === UNSET ? 'unset' : value
}

function termName(test: Litmus, term: Term): string {
  const process = test.processes.findIndex(({ name }) => name === term.process)
  switch (term.kind) {
    case 'register':
      return `${term.process}.${term.register}`
    case 'memory':
      return wordName(test, process, term.target.page, term.target.word)
    case 'reference': {
      const vpn = pageOfReference(test, term.ref)
      return referenceName(test, process, term.ref, vpn, term.word)
    }
  }
}

function pageOfReference(test: Litmus, ref: string): number {
  for (const { threads } of test.processes) {
    for (const { statements } of threads) {
      for (const statement of statements) {
        if (statement.kind === 'pin' && statement.ref === ref) return statement.page
      }
    }
  }
  throw new Error(`no reference is called ${ref}`)
}

function wordName(test: Litmus, process: number, vpn: number, word: number): string {
  const page = test.pages[vpn]!
  const owner = test.processes[process]!.name
  return page.words.length === 1 ? `${owner}.${page.name}` : `${owner}.${page.name}.${page.words[word]!.name}`
}

function referenceName(test: Litmus, process: number, ref: string, vpn: number, word: number): string {
  const page = test.pages[vpn]!
  const owner = test.processes[process]!.name
  return page.words.length === 1 ? `${owner}.${ref}` : `${owner}.${ref}.${page.words[word]!.name}`
}
