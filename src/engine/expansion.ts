/**
 * Expanding a state: every step of every thread that can go on from it, and what the state
 * itself is (an end, a deadlock, a moment of rest).
 */
import { DONE } from './control.ts'
import { FAIL, STUCK } from './decision.ts'
import type { FailureKind } from './exploration.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { halfOf } from './packed.ts'
import type { Stepper } from './stepper.ts'

/** Finds the leaves of pending operations: what they do in a state (`decision.ts`). */
export interface Leaves {
  /** A state is going to be expanded, its threads in their order. */
  begin(state: number): void
  /** @returns how many leaves a thread reaches, in each of its ways one */
  reach(thread: number, control: number, memory: number): number
  /** The record of one of the leaves that were reached last. */
  leaf(i: number): number
  /** Whether it is known to lead to a state that has been found, or waits to be. Asked before that state is added. */
  isKnown(i: number): boolean
  /** The state has been expanded. */
  end(): void
}

/** Takes the states that are found. */
export interface Successors {
  /**
   * @param from the words of the state before it; they are overwritten later
   * @param parent the number of the state before it
   * @param way which of the ways that lead on from that state it is, in their order
   */
  add(from: Int32Array, parent: number, thread: number, memory: number, control: number, way: number): void
}

/** Takes what is noticed: `Findings`, or what one of several threads notes (`hand.ts`). */
export interface Notes {
  /** Whether the invariant does not hold in a memory, which is noted with the step that led there. */
  breaks(memory: number, state: number, thread: number, alternative: number): boolean
  reachEnd(memory: number, state: number): void
  checkRest(memory: number, state: number): void
  failAt(
    kind: FailureKind,
    message: string,
    state: number,
    step: { readonly thread: number; readonly alternative: number } | undefined,
  ): void
}

export class Expansion {
  private readonly rests: boolean

  constructor(
    private readonly learned: Learned,
    private readonly memories: Memories,
    private readonly leaves: Leaves,
    private readonly notes: Notes,
    private readonly successors: Successors,
  ) {
    const { system } = learned
    this.rests = system.restInvariant !== undefined
  }

  /**
   * @param here the words of the state
   * @returns how many steps it has that do not fail: transitions
   */
  expand(state: number, here: Int32Array): number {
    const { memories, leaves, notes, successors } = this
    const { controls, trees, required } = this.learned
    const memory = here[0]!
    let way = 0
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.rests

    leaves.begin(state)
    for (let thread = 0; thread < controls.length; thread++) {
      const control = halfOf(here[1 + (thread >> 1)]!, thread)
      if (control === DONE) continue
      if (required[thread]) running = true
      const reached = leaves.reach(thread, control, memory)
      // Asked only now: where several threads learn, this one may not have known the control state before.
      if (resting && !controls[thread]!.atRest(control)) resting = false
      const { code } = trees
      let alternative = 0
      for (let i = 0; i < reached; i++) {
        const leaf = leaves.leaf(i)
        const tag = code[leaf]
        if (tag === STUCK) continue
        if (tag === FAIL) {
          failures++
          notes.failAt('failure', trees.messages[code[leaf + 1]!]!, state, { thread, alternative })
        } else {
          steps++
          if (!leaves.isKnown(i)) {
            const next = memories.after(memory, code, leaf)
            if (notes.breaks(next, state, thread, alternative)) failures++
            else successors.add(here, state, thread, next, code[leaf + 1]!, way)
          }
        }
        alternative++
        way++
      }
    }
    leaves.end()

    if (!running) notes.reachEnd(memory, state)
    else if (steps === 0 && failures === 0) notes.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) notes.checkRest(memory, state)
    return steps
  }
}

/** Walks to every leaf. */
export class Walks implements Leaves {
  constructor(private readonly stepper: Stepper) {}

  begin(): void {}

  reach(thread: number, control: number, memory: number): number {
    return this.stepper.walk(thread, control, memory)
  }

  leaf(i: number): number {
    return this.stepper.leaves[i]!
  }

  isKnown(): boolean {
    return false
  }

  end(): void {}
}
