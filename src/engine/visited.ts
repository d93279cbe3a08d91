/**
 * The visited set: every state once, in the order of discovery, with the state from which it
 * was first reached.
 */
import { halfOf } from './packed.ts'
import { SEGMENT_BITS, SEGMENT_MASK } from './segments.ts'
import { Tuples, type TupleTable } from './tuples.ts'

export class Visited {
  constructor(
    /** Of a state (`packed.ts`). */
    readonly words: number,
    /** States, each with the state before it; the initial state has itself. */
    private readonly tuples: TupleTable = new Tuples(words, 1),
  ) {}

  /** Whether the last `intern` added a state. */
  get fresh(): boolean {
    return this.tuples.fresh
  }

  get count(): number {
    return this.tuples.count
  }

  /** Copies the words of a state. */
  load(state: number, into: Int32Array): void {
    const { words, tuples } = this
    const segment = tuples.rows.list[state >>> SEGMENT_BITS]!
    const base = (state & SEGMENT_MASK) * (words + 1)
    for (let i = 0; i < words; i++) into[i] = segment[base + i]!
  }

  /** One word of a state. */
  word(state: number, i: number): number {
    return this.tuples.word(state, i)
  }

  /** The number of the memory of a state. */
  memoryOf(state: number): number {
    return this.word(state, 0)
  }

  /** The control state of a thread in a state. */
  controlOf(state: number, thread: number): number {
    return halfOf(this.word(state, 1 + (thread >> 1)), thread)
  }

  /** The state from which a state was first reached. */
  parentOf(state: number): number {
    return this.tuples.word(state, this.words)
  }

  /** A state has been reached from another one, by a shorter run. */
  setParent(state: number, parent: number): void {
    this.tuples.setPayload(state, parent)
  }

  hash(source: Int32Array, at: number): number {
    return this.tuples.hash(source, at)
  }

  /** Reads what `intern` is going to need for these hashes. */
  prefetch(hashes: Int32Array, count: number): void {
    this.tuples.prefetch(hashes, count)
  }

  /** The number of a state, which is added unless it is known. */
  intern(source: Int32Array, at: number, hash: number, parent: number): number {
    return this.tuples.intern(source, at, hash, parent)
  }

  get byteLength(): number {
    return this.tuples.byteLength
  }
}
