/** States that wait to be looked into, first in, first out, in segments that are given back when they are done with. */
import { allocate } from './segments.ts'

/** States of a segment. */
const SEGMENT = 1 << 12

export class Queue {
  count = 0
  private readonly segments: Int32Array[] = []
  /** Of the first segment, the state that comes out next; of the last one, where the next one goes. */
  private first = 0
  private last = SEGMENT

  /** @param words of a state */
  constructor(private readonly words: number) {}

  /** @throws OutOfMemory */
  push(from: Int32Array): void {
    const { words } = this
    if (this.last === SEGMENT) {
      this.segments.push(allocate(SEGMENT * words))
      this.last = 0
    }
    const segment = this.segments.at(-1)!
    const at = this.last++ * words
    for (let i = 0; i < words; i++) segment[at + i] = from[i]!
    this.count++
  }

  /** Takes the state that has waited longest; there must be one. */
  shift(into: Int32Array): void {
    const { words } = this
    const segment = this.segments[0]!
    const at = this.first++ * words
    for (let i = 0; i < words; i++) into[i] = segment[at + i]!
    this.count--
    if (this.first < SEGMENT) return
    this.segments.shift()
    this.first = 0
  }

  get byteLength(): number {
    return 4 * this.segments.length * SEGMENT * this.words
  }
}
