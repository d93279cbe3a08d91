/**
 * Where observed values came from: follows every stored word along one run, through copies,
 * to the registers, memories and references that the outcome shows.
 */
import type { Memory, Step, Trace } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import { holderOf } from '../litmus/outcome.ts'
import { copy_user_word } from '../mm/do_wp_page.ts'
import { device_load, device_store } from '../mm/gup.ts'
import type { Kernel } from '../mm/kernel.ts'
import { EXITED, FAULTED, ON_LRU, type Page, RUNNING, VM_NONE, ZERO_PFN } from '../mm/machine.ts'
import { pte_none, pte_pfn } from '../mm/pte.ts'
import { swap_readpage } from '../mm/swap_state.ts'
import { load, store } from '../mm/tlb.ts'
import { write_swap_word } from '../mm/vmscan.ts'

/** A store that a run performed. */
export interface Write {
  /** The index of the step. */
  readonly step: number
  /** The process that stored, or on whose behalf a device did. */
  readonly process: number
  /** The page of the test that it was meant for. */
  readonly vpn: number
  readonly value: number
}

/** One observation of the outcome, who made it, and the store that it shows, unless that was there at the start. */
export interface ReadsFrom {
  /** The process that observes: its register, its memory or its reference. */
  readonly process: number
  readonly what: {
    readonly kind: 'register' | 'memory' | 'reference'
    readonly index: number
    readonly word: number
  }
  readonly write: Write | undefined
  /** The page of the test that was looked at; undefined if it was looked at through a reference. */
  readonly vpn: number | undefined
  /** The frame that the value was read from (-1: it is in swap), and the step that read it (undefined: at the end). */
  readonly pfn: number
  readonly step: number | undefined
}

/** Follows the stores of one run to what its end shows. */
export function readsFrom(k: Kernel, test: Litmus, trace: Trace): ReadsFrom[] {
  const memory = trace.initial.slice()
  const at: Memory = { get: (location) => memory[location]! }
  const writes = new Map<number, Write>()
  const registers = new Map<number, ReadsFrom>()

  trace.steps.forEach((step, index) => {
    follow(k, at, step, index, writes, registers)
    forgetFaulted(k, step, registers)
    for (const change of step.changes) memory[change.location] = change.after
    forgetMerged(k, step, writes)
    forgetFreed(k, at, writes)
  })

  const result = [...registers.values()]
  k.mm.forEach((mm, process) => {
    if (at.get(mm.state.location) === EXITED) return
    test.pages.forEach((page, vpn) => {
      const pte = at.get(mm.pte[vpn]!.location)
      if (at.get(mm.vma[vpn]!.location) === VM_NONE || pte_none(pte)) return
      const holder = holderOf(k, at, pte)
      const pfn = k.page.indexOf(holder as Page)
      page.words.forEach((_, word) => {
        const write = writes.get(holder.word[word]!.location)
        result.push({ process, what: { kind: 'memory', index: vpn, word }, write, vpn, pfn, step: undefined })
      })
    })
  })
  k.ref.forEach((ref, index) => {
    const held = at.get(ref.page.location)
    if (held === 0) return
    test.pages[ref.vpn]!.words.forEach((_, word) => {
      const write = writes.get(k.page[held - 1]!.word[word]!.location)
      result.push({
        process: ref.mm,
        what: { kind: 'reference', index, word },
        write,
        vpn: undefined,
        pfn: held - 1,
        step: undefined,
      })
    })
  })
  return result
}

/** Whether an observation shows a store that was meant for another page than the one that is looked at. */
export function isStray({ write, vpn }: ReadsFrom): boolean {
  return write !== undefined && vpn !== undefined && write.vpn !== vpn
}

/**
 * The observations that no process is entitled to: a value that another process stored after
 * fork had separated the two.
 */
export function foreignReads(k: Kernel, test: Litmus, trace: Trace): ReadsFrom[] {
  return foreignAmong(readsFrom(k, test, trace), k, test, trace)
}

/** As `foreignReads`, among observations that are known already. */
export function foreignAmong(
  reads: readonly ReadsFrom[],
  k: Kernel,
  test: Litmus,
  trace: Trace,
): ReadsFrom[] {
  const born = birthSteps(k, trace)
  return reads.filter(({ process, write }) => {
    if (write === undefined || write.process === process) return false
    const branch = branchTowards(test, write.process, process)
    return branch === undefined || write.step > born[branch]!
  })
}

/** For each process the step at which it began to run. */
function birthSteps(k: Kernel, trace: Trace): number[] {
  return k.mm.map((mm, process) => {
    if (process === 0) return -1
    const birth = trace.steps.findIndex((step) =>
      step.changes.some(({ location, after }) => location === mm.state.location && after === RUNNING),
    )
    return birth < 0 ? Number.POSITIVE_INFINITY : birth
  })
}

/** The child of `ancestor` from which `process` descends, or undefined if it does not descend from it. */
function branchTowards(test: Litmus, ancestor: number, process: number): number | undefined {
  const indexOf = (name: string | undefined): number => test.processes.findIndex((p) => p.name === name)
  for (let p = process; p > 0; p = indexOf(test.processes[p]!.parent)) {
    if (indexOf(test.processes[p]!.parent) === ancestor) return p
  }
  return undefined
}

function follow(
  k: Kernel,
  at: Memory,
  { effect, args }: Step,
  index: number,
  writes: Map<number, Write>,
  registers: Map<number, ReadsFrom>,
): void {
  const [a, b, c, d] = args as [number, number, number, number]
  const wordOf = (pfn: number, word: number): number => k.page[pfn]!.word[word]!.location
  if (effect === store) {
    const entry = at.get(k.cpu[a]!.tlb[b]!.location)
    if (pte_none(entry)) return
    writes.set(wordOf(pte_pfn(entry), c), { step: index, process: k.cpu[a]!.mm, vpn: b, value: d })
  } else if (effect === load) {
    const entry = at.get(k.cpu[a]!.tlb[b]!.location)
    if (pte_none(entry)) return
    const pfn = pte_pfn(entry)
    const what = { kind: 'register', index: d, word: c } as const
    const write = writes.get(wordOf(pfn, c))
    registers.set(d, { process: k.cpu[a]!.mm, what, write, vpn: b, pfn, step: index })
  } else if (effect === device_store || effect === device_load) {
    const { mm, vpn, page } = k.ref[a]!
    const pfn = at.get(page.location) - 1
    if (pfn < 0) return
    if (effect === device_store) writes.set(wordOf(pfn, b), { step: index, process: mm, vpn, value: c })
    else {
      const what = { kind: 'register', index: c, word: b } as const
      const write = writes.get(wordOf(pfn, b))
      registers.set(c, { process: mm, what, write, vpn: undefined, pfn, step: index })
    }
  } else if (effect === copy_user_word) {
    carry(writes, wordOf(b, c), wordOf(a, c))
  } else if (effect === write_swap_word) {
    carry(writes, wordOf(b, c), k.slot[a]!.word[c]!.location)
  } else if (effect === swap_readpage) {
    k.slot[b]!.word.forEach((word, w) => {
      carry(writes, word.location, wordOf(a, w))
    })
  }
}

function carry(writes: Map<number, Write>, from: number, to: number): void {
  const write = writes.get(from)
  if (write === undefined) writes.delete(to)
  else writes.set(to, write)
}

/** What a page of KSM's holds, everybody whose page it has become had there himself. */
function forgetMerged(k: Kernel, { changes }: Step, writes: Map<number, Write>): void {
  for (const { location, after } of changes) {
    if (after !== k.KSM) continue
    const page = k.page.find(({ mapping }) => mapping.location === location)
    for (const word of page?.word ?? []) writes.delete(word.location)
  }
}

/** A register that is told of a fault shows no store any more. */
function forgetFaulted(k: Kernel, { changes }: Step, registers: Map<number, ReadsFrom>): void {
  for (const { location, after } of changes) {
    if (after !== FAULTED) continue
    const register = k.register.findIndex((cell) => cell.location === location)
    if (register >= 0) registers.delete(register)
  }
}

/** The words of a free page, or of a free place in swap, are zero again, whoever wrote them. */
function forgetFreed(k: Kernel, at: Memory, writes: Map<number, Write>): void {
  for (let pfn = ZERO_PFN + 1; pfn < k.page.length; pfn++) {
    const { refcount, lru, word: words } = k.page[pfn]!
    if (at.get(refcount.location) > 0 || at.get(lru.location) !== ON_LRU) continue
    for (const word of words) writes.delete(word.location)
  }
  for (const { count, cache, word: words } of k.slot) {
    if (at.get(count.location) > 0 || at.get(cache.location) > 0) continue
    for (const word of words) writes.delete(word.location)
  }
}
