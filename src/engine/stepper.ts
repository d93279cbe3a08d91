/**
 * The inner loop: what one thread can do next, read off its decision tree.
 *
 * The results stay in arrays that every call overwrites, so that nothing is allocated.
 */
import { CHOOSE, FAIL, LEAF, READ, STUCK } from './decision.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { grown } from './segments.ts'

export class Stepper {
  /** For each way in which the operation can go, in the order of its choices: the memory afterwards. */
  memories = new Int32Array(16)
  /** The control state afterwards; or, where the step is a failure, -1 minus the number of its message. */
  controls = new Int32Array(16)
  /** Slots of alternatives still to be walked. */
  private readonly pending: number[] = []

  constructor(
    private readonly learned: Learned,
    private readonly store: Memories,
    /** Learns what an operation does in a memory, or hears of something that others have learned. */
    private readonly learn = (thread: number, control: number, memory: number): void =>
      learned.learn(thread, control, (location) => store.get(memory, location)),
  ) {}

  /** The leaves that the last `walk` reached. */
  leaves = new Int32Array(16)

  /**
   * Performs a thread's pending operation in every way in which it can go.
   * @param control a control state of the thread, not DONE
   * @returns how many ways there are; 0 if it is blocked
   */
  step(thread: number, control: number, memory: number): number {
    const { store } = this
    const reached = this.walk(thread, control, memory)
    const { code } = this.learned.trees
    let found = 0
    for (let i = 0; i < reached; i++) {
      const record = this.leaves[i]!
      const tag = code[record]
      if (tag === STUCK) continue
      const operand = code[record + 1]!
      if (tag === FAIL) {
        this.memories[found] = memory
        this.controls[found++] = -1 - operand
      } else {
        this.memories[found] = store.after(memory, code, record)
        this.controls[found++] = operand
      }
    }
    return found
  }

  /**
   * Finds the leaves of a thread's pending operation.
   * @returns how many `leaves` there are
   */
  walk(thread: number, control: number, memory: number): number {
    const { learned, store, pending } = this
    while (learned.rootOf(thread, control) === 0) this.learn(thread, control, memory)
    pending[0] = learned.rootOf(thread, control)
    let code = learned.trees.code
    let alternatives = 1
    let found = 0
    while (alternatives > 0) {
      let slot = pending[--alternatives]!
      walk: for (;;) {
        const record = code[slot]!
        if (record === 0) {
          this.learn(thread, control, memory)
          // Learning may have put the records elsewhere.
          code = learned.trees.code
          continue
        }
        const operand = code[record + 1]!
        switch (code[record]) {
          case READ:
            slot = record + 2 + store.get(memory, operand)
            break
          case CHOOSE:
            for (let i = operand - 1; i > 0; i--) pending[alternatives++] = record + 2 + i
            slot = record + 2
            break
          case LEAF:
          case FAIL:
          case STUCK:
            if (found === this.leaves.length) this.grow()
            this.leaves[found++] = record
            break walk
          default:
            throw new Error(`no record at ${record}`)
        }
      }
    }
    return found
  }

  private grow(): void {
    for (const name of ['memories', 'controls', 'leaves'] as const) {
      this[name] = grown(this[name], this[name].length)
    }
  }
}
