/**
 * What a search has found so far: the memories in which runs end, and the ways in which they
 * fail, each with the state at which it was first seen.
 */

import type { Notes } from './expansion.ts'
import type { FailedRun, FailureKind, FinalMemory } from './exploration.ts'
import type { Memories } from './memories.ts'
import type { System } from './system.ts'

export class Findings implements Notes {
  private readonly ends = new Set<number>()
  /** Copied once: whoever watches asks for them again and again, and there may be many. */
  private readonly copies: FinalMemory[] = []
  private readonly failed = new Map<string, FailedRun>()
  /** Memories in which the invariant does not hold, and those that were looked at at rest. */
  private readonly broken = new Set<number>()
  /** The invariant has been looked at in all memories before this one. */
  private looked = 0
  private readonly restChecked = new Set<number>()

  constructor(
    private readonly system: System,
    private readonly memories: Memories,
  ) {}

  /** Whether the invariant does not hold in the initial memory, which is noted. */
  isBrokenFromTheBeginning(): boolean {
    return this.isNewAndBreaks(0, 0, undefined)
  }

  /**
   * Whether the invariant does not hold in a memory, to which a step leads: such a state is not
   * looked into, nor counted. Memories must come here as they get their numbers, each at least once.
   */
  breaks(memory: number, state: number, thread: number, alternative: number): boolean {
    if (memory >= this.looked) return this.isNewAndBreaks(memory, state, { thread, alternative })
    return this.broken.size > 0 && this.broken.has(memory)
  }

  private isNewAndBreaks(memory: number, state: number, step: FailedRun['step']): boolean {
    if (memory !== this.looked) throw new Error(`memory ${memory} comes before ${this.looked}`)
    this.looked++
    const message = this.system.invariant?.(this.memories.reader(memory))
    if (message === undefined) return false
    this.broken.add(memory)
    this.failAt('invariant', message, state, step)
    return true
  }

  /** Looks at a memory in which all threads are at rest. */
  checkRest(memory: number, state: number): void {
    if (this.restChecked.has(memory)) return
    this.restChecked.add(memory)
    const message = this.system.restInvariant?.(this.memories.reader(memory))
    if (message !== undefined) this.failAt('invariant', message, state, undefined)
  }

  /** Notes a memory in which a run can end. */
  reachEnd(memory: number, state: number): void {
    if (this.ends.has(memory)) return
    this.ends.add(memory)
    this.copies.push({ bytes: this.memories.copy(memory), state })
    const message = this.system.finalInvariant?.(this.memories.reader(memory))
    if (message !== undefined) this.failAt('invariant', message, state, undefined)
  }

  failAt(kind: FailureKind, message: string, state: number, step: FailedRun['step']): void {
    const key = `${kind} ${message}`
    if (!this.failed.has(key)) this.failed.set(key, { kind, message, state, step })
  }

  get finals(): FinalMemory[] {
    return [...this.copies]
  }

  get failures(): FailedRun[] {
    return [...this.failed.values()]
  }
}
