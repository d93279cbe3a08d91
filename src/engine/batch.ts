/**
 * Successors that wait to be looked up together, so that their cache misses overlap.
 */
import { setControl } from './packed.ts'
import type { Visited } from './visited.ts'

const SIZE = 256

/** Hears what comes of those that waited. */
export interface Waiting {
  /** @param token what was given with it */
  numbered(token: number, state: number, isNew: boolean): void
  /** All of them have their numbers. */
  flushed(): void
}

export class Batch {
  /** How many wait. */
  count = 0
  private readonly states: Int32Array
  private readonly hashes = new Int32Array(SIZE)
  private readonly parents = new Int32Array(SIZE)
  private readonly tokens = new Int32Array(SIZE)

  constructor(
    private readonly visited: Visited,
    private readonly waiting: Waiting,
  ) {
    this.states = new Int32Array(SIZE * visited.words)
  }

  /**
   * Adds the state that a thread's step leads to; a full batch is looked up at once.
   * @throws OutOfMemory
   */
  add(
    from: Int32Array,
    parent: number,
    thread: number,
    memory: number,
    control: number,
    token: number,
  ): void {
    const { states, visited } = this
    const { words } = visited
    const at = this.count * words
    states[at] = memory
    for (let i = 1; i < words; i++) states[at + i] = from[i]!
    setControl(states, at, thread, control)
    this.hashes[this.count] = visited.hash(states, at)
    this.parents[this.count] = parent
    this.tokens[this.count] = token
    if (++this.count === SIZE) this.flush()
  }

  /**
   * Looks up all that wait.
   * @throws OutOfMemory
   */
  flush(): void {
    const { states, hashes, parents, tokens, count, visited, waiting } = this
    const { words } = visited
    visited.prefetch(hashes, count)
    for (let i = 0; i < count; i++) {
      const state = visited.intern(states, i * words, hashes[i]!, parents[i]!)
      waiting.numbered(tokens[i]!, state, visited.fresh)
    }
    this.count = 0
    waiting.flushed()
  }

  /** Forgets what waits. */
  drop(): void {
    this.count = 0
  }
}
