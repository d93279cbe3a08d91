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

  /**
   * Performs a thread's pending operation in every way in which it can go.
   * @param control a control state of the thread, not DONE
   * @returns how many ways there are; 0 if it is blocked
   */
  step(thread: number, control: number, memory: number): number {
    const { learned, store, pending } = this
    const slots = learned.roots[thread]!
    const root = control < slots.length ? slots[control]! : 0
    pending[0] = root === 0 ? learned.rootOf(thread, control) : root
    // Making a root or learning may have put the records elsewhere.
    let code = learned.trees.code
    let alternatives = 1
    let found = 0
    while (alternatives > 0) {
      let slot = pending[--alternatives]!
      walk: for (;;) {
        const record = code[slot]!
        if (record === 0) {
          this.learn(thread, control, memory)
          code = learned.trees.code
          continue
        }
        const operand = code[record + 1]!
        switch (code[record]) {
          case READ:
            slot = record + 2 + store.get(memory, operand)
            break
          case LEAF: {
            const writes = code[record + 2]!
            const next =
              writes === 0 ? memory : store.internChanged(memory, code, record + 3, record + 3 + 2 * writes)
            if (found === this.memories.length) this.grow()
            this.memories[found] = next
            this.controls[found++] = operand
            break walk
          }
          case CHOOSE:
            for (let i = operand - 1; i > 0; i--) pending[alternatives++] = record + 2 + i
            slot = record + 2
            break
          case FAIL:
            if (found === this.memories.length) this.grow()
            this.memories[found] = memory
            this.controls[found++] = -1 - operand
            break walk
          case STUCK:
            break walk
          default:
            throw new Error(`no record at ${record}`)
        }
      }
    }
    return found
  }

  private grow(): void {
    for (const name of ['memories', 'controls'] as const) {
      this[name] = grown(this[name], this[name].length)
    }
  }
}
