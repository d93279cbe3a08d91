/** A search that keeps every state that it has found, whole. */
import { BoundedSearch } from './bounded_search.ts'
import type { ExploreLimits } from './exploration.ts'
import { pack, wordsOfState } from './packed.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

export abstract class StoredSearch extends BoundedSearch {
  /** Every state that was found, once. */
  protected visited: Visited
  /** The words of the state that is being looked at. */
  protected readonly here: Int32Array

  constructor(system: System, limits: ExploreLimits, onReplay: ((procedure: string) => void) | undefined) {
    super(system, limits, onReplay)
    this.visited = new Visited(wordsOfState(system.threads.length))
    this.here = new Int32Array(this.visited.words)
  }

  get count(): number {
    return this.visited.count
  }

  memoryOf(state: number): number {
    return this.visited.memoryOf(state)
  }

  controlOf(state: number, thread: number): number {
    return this.visited.controlOf(state, thread)
  }

  parentOf(state: number): number {
    return this.visited.parentOf(state)
  }

  protected get states(): number {
    return this.visited.count
  }

  protected get byteLength(): number {
    return this.visited.byteLength + this.memories.byteLength
  }

  /** Packs the initial state into `here`. */
  protected packInitial(): void {
    const { controls } = this.learned
    pack(
      this.here,
      this.memories.internInitial(),
      controls.map(({ initial }) => initial),
    )
  }

  /** The number of the state whose words are at `at`, which is added unless it is known. */
  protected add(words: Int32Array, at: number, parent: number): number {
    return this.visited.intern(words, at, this.visited.hash(words, at), parent)
  }
}
