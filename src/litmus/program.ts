/**
 * From a test to a system: each thread of the test becomes a thread that runs on a processor
 * of its own and enters the kernel as a program would.
 */
import { call, type Steps, type System, type ThreadSpec } from '../engine/index.ts'
import { user_load, user_store } from '../mm/fault.ts'
import { do_exit, do_fork, kernel_wait } from '../mm/fork.ts'
import { device_read, device_write, pin_user_pages, pin_user_pages_fast, unpin_user_page } from '../mm/gup.ts'
import { countsHold, restHolds } from '../mm/invariants.ts'
import { Kernel, type Rules } from '../mm/kernel.ts'
import { ksmd, madvise_unmergeable, merge } from '../mm/ksm.ts'
import { type MachineConfig, RUNNING } from '../mm/machine.ts'
import { madvise_dontneed } from '../mm/madvise.ts'
import { do_munmap } from '../mm/mmap.ts'
import { mprotect_fixup } from '../mm/mprotect.ts'
import { lru_drain_daemon } from '../mm/page_alloc.ts'
import { clear_refs_write } from '../mm/task_mmu.ts'
import { kswapd, madvise_pageout, reclaim_page } from '../mm/vmscan.ts'
import type { Litmus, Statement, StatementKind } from './ast.ts'

export interface ProgramOptions {
  /** New pages wait in LRU batches, and installed copies are counted: the run that counts copies. */
  readonly countCopies?: boolean
}

export interface Program {
  readonly test: Litmus
  readonly kernel: Kernel
  readonly system: System<Kernel>
}

/** Places in swap, of a test in which pages may go there. */
const SWAP_SLOTS = 2

const ACTORS = { kswapd, ksmd } as const

/** A statement with every name resolved to a number. */
export type Instruction =
  | { readonly op: 'load'; readonly vpn: number; readonly word: number; readonly register: number }
  | { readonly op: 'store'; readonly vpn: number; readonly word: number; readonly value: number }
  | { readonly op: 'fork' | 'waitpid'; readonly process: number }
  | { readonly op: 'unmap' | 'dontneed' | 'pageout' | 'reclaim' | 'unmerge'; readonly vpn: number }
  | { readonly op: 'merge'; readonly vpn: number; readonly process: number; readonly other: number }
  | { readonly op: 'clearRefs' }
  | { readonly op: 'mprotect'; readonly vpn: number; readonly writable: boolean }
  | { readonly op: 'pin'; readonly ref: number; readonly fast: boolean }
  | { readonly op: 'release'; readonly ref: number }
  | { readonly op: 'refLoad'; readonly ref: number; readonly word: number; readonly register: number }
  | { readonly op: 'refStore'; readonly ref: number; readonly word: number; readonly value: number }
  | { readonly op: 'signal' | 'wait'; readonly signal: number }
  | { readonly op: 'exit' }

/** Builds the system of a test under one set of rules. */
export function compile(test: Litmus, rules: Rules, options: ProgramOptions = {}): Program {
  const names = new Names(test)
  const counting = options.countCopies === true
  const actors = rules.shares_nothing ? [] : test.actors
  const config: MachineConfig = {
    processes: test.processes.map(({ name }) => name),
    cpus: test.processes.flatMap(({ threads }, mm) => threads.map(({ name }) => ({ name, mm }))),
    pages: test.pages.map((page) => ({
      name: page.name,
      words: page.words.map(({ initial }) => initial),
      untouched: page.untouched,
    })),
    references: names.references,
    registers: names.registers,
    signals: test.signals,
    frames: framesNeeded(test, names.references.length),
    lruBatch: counting,
    countCopies: counting,
    parents: test.processes.map(({ parent }) => test.processes.findIndex(({ name }) => name === parent)),
    swapSlots:
      doesAny(test, 'pageout', 'reclaim') || actors.some(({ kind }) => kind === 'kswapd') ? SWAP_SLOTS : 0,
    ksm: doesAny(test, 'merge', 'unmerge') || actors.some(({ kind }) => kind === 'ksmd'),
    softDirty: doesAny(test, 'clearRefs'),
  }
  const kernel = new Kernel(config, rules)
  const threads: ThreadSpec[] = test.processes
    .flatMap(({ threads }, process) => threads.map((thread) => ({ thread, process })))
    .map(({ thread, process }, cpu) => ({
      name: thread.name,
      procedure: run_thread,
      args: [cpu, thread.statements.map((statement) => names.resolve(statement, process))],
    }))
  if (counting) threads.push({ name: 'lru_add_drain', procedure: lru_drain_daemon, args: [], daemon: true })
  for (const { kind, times, pages } of actors) {
    threads.push({ name: kind, procedure: ACTORS[kind], args: [times, pages] })
  }
  threads.push(...(rules.hooks?.daemons ?? []))
  const system: System<Kernel> = {
    context: kernel,
    layout: kernel.layout,
    threads,
    invariant: (memory) => countsHold(kernel, memory),
    restInvariant: (memory) => restHolds(kernel, memory),
  }
  return { test, kernel, system }
}

function doesAny(test: Litmus, ...kinds: StatementKind[]): boolean {
  return test.processes.some(({ threads }) =>
    threads.some(({ statements }) => statements.some(({ kind }) => kinds.includes(kind))),
  )
}

/**
 * One frame for each page of each process, one for each reference that outlives its mapping,
 * and two for each thread: the page that it copies may be mapped by nobody any more.
 */
function framesNeeded(test: Litmus, references: number): number {
  const threads = test.processes.reduce((sum, process) => sum + process.threads.length, test.actors.length)
  return Math.min(30, test.pages.length * test.processes.length + references + 2 * threads)
}

/** The life of one thread of a test. */
export function* run_thread(k: Kernel, cpu: number, instructions: readonly Instruction[]): Steps<void> {
  const { mm } = k.cpu[cpu]!
  const alone = k.mm[mm]!.cpus.length === 1
  if (mm !== 0) yield* k.mm[mm]!.state.waitFor(RUNNING)
  for (const instruction of instructions) {
    if (instruction.op === 'exit' && !alone) {
      for (const other of k.mm[mm]!.cpus) if (other !== cpu) yield* k.cpu[other]!.ended.waitFor(1)
    }
    yield* perform(k, cpu, instruction)
  }
  if (!alone) yield* k.cpu[cpu]!.ended.write(1)
}

/**
 * The index of the instruction that `run_thread` is at when so many of its operations and
 * calls have been answered: -1 while its process has not begun to run, and the number of
 * instructions when it has done them all.
 */
export function instructionAt(
  k: Kernel,
  cpu: number,
  instructions: readonly Instruction[],
  position: number,
): number {
  const { mm } = k.cpu[cpu]!
  let left = mm === 0 ? position : position - 1
  if (left < 0) return -1
  for (let i = 0; i < instructions.length; i++) {
    const waits = instructions[i]!.op === 'exit' ? k.mm[mm]!.cpus.length - 1 : 0
    if (left <= waits) return i
    left -= waits + 1
  }
  return instructions.length
}

function* perform(k: Kernel, cpu: number, i: Instruction): Steps<void> {
  switch (i.op) {
    case 'load':
      return yield* call(user_load, cpu, i.vpn, i.word, i.register)
    case 'store':
      return yield* call(user_store, cpu, i.vpn, i.word, i.value)
    case 'fork':
      return yield* call(do_fork, cpu, i.process)
    case 'waitpid':
      return yield* call(kernel_wait, i.process)
    case 'unmap':
      return yield* call(do_munmap, cpu, i.vpn)
    case 'dontneed':
      return yield* call(madvise_dontneed, cpu, i.vpn)
    case 'pageout':
      return yield* call(madvise_pageout, cpu, i.vpn)
    case 'reclaim':
      return yield* call(reclaim_page, cpu, i.vpn)
    case 'merge':
      return yield* call(merge, cpu, i.vpn, { mm: i.process, vpn: i.other })
    case 'unmerge':
      return yield* call(madvise_unmergeable, cpu, i.vpn)
    case 'clearRefs':
      return yield* call(clear_refs_write, cpu)
    case 'mprotect':
      return yield* call(mprotect_fixup, cpu, i.vpn, i.writable)
    case 'pin':
      return yield* call(i.fast ? pin_user_pages_fast : pin_user_pages, cpu, i.ref)
    case 'release':
      return yield* call(unpin_user_page, i.ref)
    case 'refLoad':
      return yield* call(device_read, i.ref, i.word, i.register)
    case 'refStore':
      return yield* call(device_write, i.ref, i.word, i.value)
    case 'signal':
      return yield* k.signal[i.signal]!.write(1)
    case 'wait':
      return yield* k.signal[i.signal]!.waitFor(1)
    case 'exit':
      return yield* call(do_exit, cpu)
  }
}

/** The numbers of a test's references and registers. */
export class Names {
  readonly references: MachineConfig['references'][number][] = []
  readonly registers: string[] = []

  constructor(private readonly test: Litmus) {
    test.processes.forEach((process, mm) => {
      for (const { statements } of process.threads) {
        for (const statement of statements) this.note(statement, process.name, mm)
      }
    })
  }

  resolve(statement: Statement, process: number): Instruction {
    const { test } = this
    const s = statement
    switch (s.kind) {
      case 'load':
        return {
          op: 'load',
          vpn: s.target.page,
          word: s.target.word,
          register: this.register(process, s.register),
        }
      case 'store':
        return { op: 'store', vpn: s.target.page, word: s.target.word, value: s.value }
      case 'fork':
        return { op: 'fork', process: this.process(s.child) }
      case 'waitpid':
        return { op: 'waitpid', process: this.process(s.process) }
      case 'unmap':
      case 'dontneed':
      case 'pageout':
      case 'reclaim':
      case 'unmerge':
        return { op: s.kind, vpn: s.page }
      case 'mprotect':
        return { op: 'mprotect', vpn: s.page, writable: s.writable }
      case 'merge':
        return {
          op: 'merge',
          vpn: s.page,
          process: s.owner === undefined ? process : this.process(s.owner),
          other: s.other,
        }
      case 'clearRefs':
        return { op: 'clearRefs' }
      case 'pin':
        return { op: 'pin', ref: this.reference(s.ref), fast: s.fast }
      case 'release':
        return { op: 'release', ref: this.reference(s.ref) }
      case 'refLoad':
        return {
          op: 'refLoad',
          ref: this.reference(s.ref),
          word: s.word,
          register: this.register(process, s.register),
        }
      case 'refStore':
        return { op: 'refStore', ref: this.reference(s.ref), word: s.word, value: s.value }
      case 'signal':
      case 'wait':
        return { op: s.kind, signal: test.signals.indexOf(s.name) }
      case 'exit':
        return { op: 'exit' }
    }
  }

  reference(name: string): number {
    return this.references.findIndex((reference) => reference.name === name)
  }

  register(process: number, name: string): number {
    return this.registers.indexOf(`${this.test.processes[process]!.name}.${name}`)
  }

  private process(name: string): number {
    return this.test.processes.findIndex((process) => process.name === name)
  }

  private note(statement: Statement, process: string, mm: number): void {
    if (statement.kind === 'load' || statement.kind === 'refLoad') {
      const name = `${process}.${statement.register}`
      if (!this.registers.includes(name)) this.registers.push(name)
    }
    if (statement.kind === 'pin' && this.reference(statement.ref) < 0) {
      const { ref: name, page: vpn, access, type, longterm } = statement
      this.references.push({
        name,
        mm,
        vpn,
        flags: { write: access === 'write', pin: type === 'pin', longterm },
      })
    }
  }
}
