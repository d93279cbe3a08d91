/**
 * The visited set: every state once, in the order of discovery, with the state from which it
 * was first reached. A state is a few 32-bit words: the number of its memory, then the control
 * states of its threads, two to a word.
 */
import { Tuples } from './tuples.ts'

export class Visited {
  private readonly tuples: Tuples
  /** For each state the one before it; the initial state has itself. */
  parents = new Int32Array(1 << 8)

  constructor(readonly words: number) {
    this.tuples = new Tuples(words)
  }

  get count(): number {
    return this.tuples.count
  }

  /** The words of all states, one state after another. Another array when it has grown. */
  get states(): Int32Array {
    return this.tuples.words
  }

  hash(source: Int32Array, at: number): number {
    return this.tuples.hash(source, at)
  }

  /** Adds the first `count` states of a batch, unless they are known, in their order. */
  addAll(source: Int32Array, hashes: Int32Array, parents: Int32Array, count: number): void {
    this.tuples.prefetch(hashes, count)
    for (let i = 0; i < count; i++) this.add(source, i * this.words, hashes[i]!, parents[i]!)
  }

  /** Adds a state unless it is known; tells whether it was new. Its number is then `count - 1`. */
  add(source: Int32Array, at: number, hash: number, parent: number): boolean {
    const before = this.tuples.count
    return this.intern(source, at, hash, parent) === before
  }

  /** The number of a state, which is added unless it is known. */
  intern(source: Int32Array, at: number, hash: number, parent: number): number {
    const before = this.tuples.count
    const number = this.tuples.intern(source, at, hash)
    if (number < before) return number
    if (before === this.parents.length) {
      const parents = new Int32Array(Math.ceil(before * 1.125))
      parents.set(this.parents)
      this.parents = parents
    }
    this.parents[before] = parent
    return number
  }

  get byteLength(): number {
    return this.tuples.byteLength + this.parents.byteLength
  }
}
