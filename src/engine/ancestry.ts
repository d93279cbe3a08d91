/**
 * How each state was first reached, in a few bits: for searches that keep no states.
 *
 * States are numbered as they are found and looked into in that order, so those that one state
 * led to come after those that an earlier one led to. One sequence of bits therefore says where
 * all came from: a 1 for each state found, a 0 whenever a state has been looked into. The 0s
 * before the n-th 1 are the states that were done with when it was found. Besides, each state
 * has the number of the way by which it was reached, in 16 bits.
 */
import { ModelError } from './error.ts'
import { SEGMENT_BITS, SEGMENT_MASK, Segments } from './segments.ts'

/** Words of the sequence between two sums. */
const BLOCK_BITS = 8
const MOST_WAYS = 1 << 16

export class Ancestry {
  count = 0
  private readonly bits = new Segments(1)
  /** The bits that there are, as whole words and the rest. */
  private word = 0
  private bit = 0
  /** The 1s before each block of words. */
  private readonly sums = new Segments(1)
  private readonly ways = new Segments(1)

  /**
   * A state has been found.
   * @param way by which the state that is being looked into led to it
   * @throws OutOfMemory
   */
  found(way: number): void {
    if (way >= MOST_WAYS) {
      throw new ModelError('unbounded', 'a state', `a state leads on in more than ${MOST_WAYS} ways`)
    }
    this.makeRoom()
    const half = this.count >> 1
    if (half === this.ways.capacity) this.ways.grow()
    const row = this.ways.list[half >>> SEGMENT_BITS]!
    row[half & SEGMENT_MASK]! |= this.count & 1 ? way << 16 : way
    this.bits.list[this.word >>> SEGMENT_BITS]![this.word & SEGMENT_MASK]! |= 1 << this.bit
    this.count++
    this.next()
  }

  /**
   * A state has been looked into; the next one is being.
   * @throws OutOfMemory
   */
  done(): void {
    this.makeRoom()
    this.next()
  }

  /** The state that led to one, and by which of its ways; the initial state has itself. */
  originOf(state: number): { readonly parent: number; readonly way: number } {
    const row = this.ways.list[state >>> (1 + SEGMENT_BITS)]!
    const word = row[(state >> 1) & SEGMENT_MASK]!
    return { parent: this.positionOf(state) - state, way: state & 1 ? word >>> 16 : word & 0xffff }
  }

  get byteLength(): number {
    return 4 * (this.word + (this.word >>> BLOCK_BITS) + (this.count >> 1))
  }

  /** Where the 1 of a state is in the sequence. */
  private positionOf(state: number): number {
    let low = 0
    let high = this.word >>> BLOCK_BITS
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (valueAt(this.sums, middle) <= state) low = middle
      else high = middle - 1
    }
    let left = state - valueAt(this.sums, low)
    for (let word = low << BLOCK_BITS; ; word++) {
      let value = valueAt(this.bits, word)
      const ones = onesIn(value)
      if (left < ones) {
        for (; left > 0; left--) value &= value - 1
        return 32 * word + 31 - Math.clz32(value & -value)
      }
      left -= ones
    }
  }

  /** For one more bit, before anything changes: what there is must stay good if there is no more memory. */
  private makeRoom(): void {
    if (this.bit < 31) return
    const word = this.word + 1
    if (word === this.bits.capacity) this.bits.grow()
    if (word >>> BLOCK_BITS === this.sums.capacity) this.sums.grow()
  }

  private next(): void {
    if (++this.bit < 32) return
    this.bit = 0
    this.word++
    if ((this.word & ((1 << BLOCK_BITS) - 1)) !== 0) return
    const block = this.word >>> BLOCK_BITS
    this.sums.list[block >>> SEGMENT_BITS]![block & SEGMENT_MASK] = this.count
  }
}

function valueAt({ list }: Segments, row: number): number {
  return list[row >>> SEGMENT_BITS]![row & SEGMENT_MASK]!
}

/** How many bits of a word are 1. */
function onesIn(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555)
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333)
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
