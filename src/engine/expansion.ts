/**
 * Expanding a state: every step of every thread that can go on from it, and what the state
 * itself is (an end, a deadlock, a moment of rest).
 */
import { DONE } from './control.ts'
import type { FailureKind } from './exploration.ts'
import type { Learned } from './learned.ts'
import { halfOf } from './packed.ts'
import type { Stepper } from './stepper.ts'

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
    private readonly stepper: Stepper,
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
    const { stepper, notes, successors } = this
    const { controls, trees, required } = this.learned
    const memory = here[0]!
    let way = 0
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.rests

    for (let thread = 0; thread < controls.length; thread++) {
      const control = halfOf(here[1 + (thread >> 1)]!, thread)
      if (control === DONE) continue
      if (required[thread]) running = true
      const found = stepper.step(thread, control, memory)
      // Asked after the step: where several threads learn, only now this one knows the control state for sure.
      if (resting && !controls[thread]!.atRest(control)) resting = false
      for (let alternative = 0; alternative < found; alternative++, way++) {
        const after = stepper.controls[alternative]!
        if (after < 0) {
          failures++
          notes.failAt('failure', trees.messages[-1 - after]!, state, { thread, alternative })
          continue
        }
        steps++
        const next = stepper.memories[alternative]!
        if (notes.breaks(next, state, thread, alternative)) failures++
        else successors.add(here, state, thread, next, after, way)
      }
    }

    if (!running) notes.reachEnd(memory, state)
    else if (steps === 0 && failures === 0) notes.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) notes.checkRest(memory, state)
    return steps
  }
}
