/**
 * Successors that wait to be looked up together, so that their cache misses overlap.
 */
import type { Successors } from './expansion.ts'
import { setControl } from './packed.ts'
import type { Visited } from './visited.ts'

const SIZE = 256

export class Batch implements Successors {
  /** How many wait. */
  count = 0
  private readonly states: Int32Array
  private readonly hashes = new Int32Array(SIZE)
  private readonly parents = new Int32Array(SIZE)

  constructor(private readonly visited: Visited) {
    this.states = new Int32Array(SIZE * visited.words)
  }

  /**
   * Adds the state that a thread's step leads to; a full batch is looked up at once.
   * @throws OutOfMemory
   */
  add(from: Int32Array, parent: number, thread: number, memory: number, control: number): void {
    const { states, visited } = this
    const { words } = visited
    const at = this.count * words
    states[at] = memory
    for (let i = 1; i < words; i++) states[at + i] = from[i]!
    setControl(states, at, thread, control)
    this.hashes[this.count] = visited.hash(states, at)
    this.parents[this.count] = parent
    if (++this.count === SIZE) this.flush()
  }

  /**
   * Looks up all that wait.
   * @throws OutOfMemory
   */
  flush(): void {
    this.visited.addAll(this.states, this.hashes, this.parents, this.count)
    this.count = 0
  }

  /** Forgets what waits. */
  drop(): void {
    this.count = 0
  }
}
