/**
 * A story: one run of a cell with what a report wants to know about each of its steps, such
 * as the memory before it, the statement that it belongs to and the locks that are held.
 *
 * Steps are counted from 0 here, as in a trace; people are shown them from 1.
 */
import type { Cell } from '../check/index.ts'
import { type Change, type Memory, type Procedure, type Step, type Trace, WRITER } from '../engine/index.ts'
import type { Litmus, Statement, Thread } from '../litmus/ast.ts'
import { type Instruction, instructionAt } from '../litmus/program.ts'
import type { Kernel, Rules } from '../mm/kernel.ts'
import { pte_pfn, pte_present } from '../mm/pte.ts'
import { Names } from './names.ts'

/** A lock that a thread holds, and how. */
export interface HeldLock {
  readonly location: number
  readonly kind: 'written' | 'read' | 'vma' | 'ptl' | 'page' | 'anon_vma' | 'ksm'
}

export class Story {
  readonly test: Litmus
  readonly k: Kernel
  readonly names: Names
  readonly steps: readonly Step[]
  /** By step: the memory before it; one more for the end. */
  private readonly memories: Uint8Array[] = []
  /** By step: the locks that its thread holds after it. */
  private readonly held: (readonly HeldLock[])[] = []
  private readonly threads: readonly Thread[]

  constructor(
    readonly cell: Cell,
    readonly trace: Trace,
  ) {
    const { program } = cell.run
    this.test = program.test
    this.k = program.kernel
    this.steps = trace.steps
    this.names = new Names(
      program.kernel,
      program.test,
      program.system.threads.map(({ name }) => name),
      trace,
    )
    this.threads = this.test.processes.flatMap(({ threads }) => threads)
    this.replay()
  }

  /** The values of the locations before a step, or at the end. */
  before(step: number): Memory {
    const bytes = this.memories[Math.min(step, this.steps.length)]!
    return { get: (location) => bytes[location]! }
  }

  after(step: number): Memory {
    return this.before(step + 1)
  }

  /** The index of the statement that a step belongs to, in its thread; -1 before the first one. */
  statementIndex(step: number): number {
    const { thread, stack } = this.steps[step]!
    return this.indexAt(thread, stack[0]!.position)
  }

  /** The statement that a step belongs to; undefined before the first and after the last one. */
  statement(step: number): Statement | undefined {
    return this.threads[this.steps[step]!.thread]?.statements[this.statementIndex(step)]
  }

  /** Whether a step is the first of a process that has just been forked. */
  begins(step: number): boolean {
    const { thread } = this.steps[step]!
    return thread < this.threads.length && this.statementIndex(step) < 0
  }

  /** Whether a thread is not the test's: the kernel's own. */
  isActor(thread: number): boolean {
    return thread >= this.threads.length
  }

  /** The index of the statement that a thread is at, from how far its root procedure has come. */
  indexAt(thread: number, position: number): number {
    const instructions = this.cell.run.program.system.threads[thread]!.args[1]
    if (thread >= this.threads.length) return -1
    return instructionAt(this.k, thread, instructions as readonly Instruction[], position)
  }

  statementsOf(thread: number): readonly Statement[] {
    return this.threads[thread]?.statements ?? []
  }

  /** A statement as its author wrote it. */
  source({ span }: Statement): string {
    return this.test.source.slice(span.start, span.end).replace(/\s+/g, ' ')
  }

  locksAfter(step: number): readonly HeldLock[] {
    return this.held[step]!
  }

  /** The name of a process, and the process that a thread belongs to. */
  process(mm: number): string {
    return this.k.mm[mm]!.name
  }

  processOf(thread: number): number | undefined {
    return this.k.cpu[thread]?.mm
  }

  /** The frame that a process maps at a page, before a step; undefined if none. */
  mapped(step: number, mm: number, vpn: number): number | undefined {
    const pte = this.before(step).get(this.k.mm[mm]!.pte[vpn]!.location)
    return pte_present(pte) ? pte_pfn(pte) : undefined
  }

  /** The last step before `before` that satisfies a condition, or undefined. */
  last(before: number, condition: (step: Step, index: number) => boolean): number | undefined {
    for (let i = Math.min(before, this.steps.length) - 1; i >= 0; i--) {
      if (condition(this.steps[i]!, i)) return i
    }
    return undefined
  }

  /** The first step from `from` on that satisfies a condition, or undefined. */
  first(from: number, condition: (step: Step, index: number) => boolean): number | undefined {
    for (let i = from; i < this.steps.length; i++) if (condition(this.steps[i]!, i)) return i
    return undefined
  }

  /** Whether a step runs inside a procedure of this name. */
  inside(step: Step, ...names: readonly string[]): boolean {
    return step.stack.some(({ procedure }) => names.includes(procedure.name))
  }

  /** What a procedure is called; a rule that a design gives as an anonymous function, by the rule's name. */
  nameOf(procedure: Procedure): string {
    return procedure.name || (this.ruleOfProcedure(procedure) ?? 'a function')
  }

  /** The rule of the design that a step belongs to. */
  ruleOf(step: Step): keyof Rules | undefined {
    for (const { procedure } of step.stack.toReversed()) {
      const rule = this.ruleOfProcedure(procedure)
      if (rule !== undefined) return rule
    }
    return undefined
  }

  private ruleOfProcedure(procedure: Procedure): keyof Rules | undefined {
    const { rules } = this.k
    return RULES_WITH_STEPS.find((name) => (rules[name] as unknown) === procedure)
  }

  private replay(): void {
    let bytes = this.trace.initial
    const held = new Map<number, readonly HeldLock[]>()
    for (const { thread, changes } of this.steps) {
      this.memories.push(bytes)
      bytes = bytes.slice()
      let locks = held.get(thread) ?? []
      for (const { location, before, after } of changes) {
        bytes[location] = after
        const { kind } = this.names.place(location)
        const lock = heldAs(kind, before, after)
        if (lock === undefined) continue
        locks = locks.filter((other) => other.location !== location)
        if (lock !== 'free') locks = [...locks, { location, kind: lock }]
      }
      held.set(thread, locks)
      this.held.push(locks)
    }
    this.memories.push(bytes)
  }
}

/** What the steps from `from` to `to` changed, locations that are as before left out. */
export function netChanges(story: Story, from: number, to: number): Change[] {
  const touched = new Set<number>()
  for (let i = from; i <= to; i++) for (const { location } of story.steps[i]!.changes) touched.add(location)
  const before = story.before(from)
  const after = story.after(to)
  return [...touched]
    .map((location) => ({ location, before: before.get(location), after: after.get(location) }))
    .filter((change) => change.before !== change.after)
}

const RULES_WITH_STEPS = [
  'wp_can_reuse',
  'page_try_dup_rmap',
  'gup_must_unshare',
  'may_add_to_swap',
  'page_try_share_anon_rmap',
  'swap_in_exclusive',
  'clear_refs_may_protect',
] as const

/** How a thread holds a lock whose value it has just changed; undefined if it is no lock. */
function heldAs(kind: string, before: number, after: number): HeldLock['kind'] | 'free' | undefined {
  switch (kind) {
    case 'ptl':
      return after === 0 ? 'free' : 'ptl'
    case 'ksm_thread_mutex':
      return after === 0 ? 'free' : 'ksm'
    case 'page_lock':
      return after === 0 ? 'free' : 'page'
    case 'mmap_lock':
    case 'vma_lock':
    case 'anon_vma':
      if (after < WRITER && after <= before && (after === 0 || before < WRITER)) return 'free'
      if (kind === 'anon_vma') return kind
      if (kind === 'vma_lock') return 'vma'
      return after >= WRITER ? 'written' : 'read'
    default:
      return undefined
  }
}
