/**
 * Interned memories: every distinct vector of the shared locations, once, under a number.
 *
 * Many states share a memory, so a state holds its number instead. The hash of a vector is
 * the exclusive or of one random number for each (location, value), so that the hash after
 * a write follows from the hash before it.
 */
import { mix } from './hash.ts'
import type { Location } from './layout.ts'
import type { Memory } from './system.ts'

/** How many results of `internChanged` are remembered, as a power of two. */
const MEMO_BITS = 13

export class Memories {
  /** Bytes of one vector: the locations, rounded up to whole words. */
  readonly width: number
  private readonly words: number
  /** All vectors, one after another. Reassigned when it grows. */
  bytes: Uint8Array
  private view: Int32Array
  private hashes: Int32Array
  /** Open addressing; holds number + 1. */
  private table: Int32Array
  private mask: number
  /** Results of the last `internChanged`: memory, place of the writes, number. No writes are at 0. */
  private readonly memo = new Int32Array(3 << MEMO_BITS)
  count = 0

  constructor(private readonly locations: readonly Location[]) {
    this.words = Math.max(1, Math.ceil(locations.length / 4))
    this.width = this.words * 4
    const buffer = new ArrayBuffer(this.width * 256)
    this.bytes = new Uint8Array(buffer)
    this.view = new Int32Array(buffer)
    this.hashes = new Int32Array(256)
    this.table = new Int32Array(1024)
    this.mask = 1023
  }

  /** Interns the initial values and returns their number. */
  internInitial(): number {
    const base = this.count * this.width
    let hash = 0
    this.locations.forEach(({ initial }, location) => {
      this.bytes[base + location] = initial
      hash ^= zobrist(location, initial)
    })
    return this.settle(hash)
  }

  /**
   * The number of memory `from` after the writes of a leaf.
   * @param code the record array that holds the leaf
   * @param at the index of the first (location, value) pair
   * @param end the index after the last
   */
  internChanged(from: number, code: Int32Array, at: number, end: number): number {
    const { memo, view, bytes, words, width } = this
    // The same writes to the same memory come again with every state of the other threads.
    const place = 3 * (Math.imul(Math.imul(from, 0x9e3779b1) ^ at, 0x85ebca6b) >>> (32 - MEMO_BITS))
    if (memo[place] === from && memo[place + 1] === at) return memo[place + 2]!
    const base = this.count * width
    view.copyWithin(this.count * words, from * words, from * words + words)
    let hash = this.hashes[from]!
    for (let i = at; i < end; i += 2) {
      const location = code[i]!
      const value = code[i + 1]!
      hash ^= zobrist(location, bytes[base + location]!) ^ zobrist(location, value)
      bytes[base + location] = value
    }
    const next = this.settle(hash)
    memo[place] = from
    memo[place + 1] = at
    memo[place + 2] = next
    return next
  }

  /** One memory, to be read by people's code. Valid until the next is interned. */
  reader(number: number): Memory {
    const base = number * this.width
    return { get: (location) => this.bytes[base + location]! }
  }

  /** A copy of one memory. */
  copy(number: number): Uint8Array {
    return this.bytes.slice(number * this.width, number * this.width + this.locations.length)
  }

  get byteLength(): number {
    return this.bytes.byteLength + this.hashes.byteLength + this.table.byteLength
  }

  /** Looks up the vector that was just written behind the last one; keeps it if it is new. */
  private settle(hash: number): number {
    const { view, words, hashes, table, mask } = this
    const fresh = this.count * words
    let slot = mix(hash) & mask
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      const candidate = entry - 1
      if (hashes[candidate] === hash) {
        const other = candidate * words
        let i = 0
        while (i < words && view[other + i] === view[fresh + i]) i++
        if (i === words) return candidate
      }
      slot = (slot + 1) & mask
    }
    table[slot] = this.count + 1
    hashes[this.count] = hash
    this.count++
    if (this.count === hashes.length) this.growVectors()
    if (this.count * 2 > mask) this.growTable()
    return this.count - 1
  }

  private growVectors(): void {
    const capacity = Math.ceil(this.hashes.length * 1.5)
    const buffer = new ArrayBuffer(this.width * capacity)
    const bytes = new Uint8Array(buffer)
    bytes.set(this.bytes)
    this.bytes = bytes
    this.view = new Int32Array(buffer)
    const hashes = new Int32Array(capacity)
    hashes.set(this.hashes)
    this.hashes = hashes
  }

  private growTable(): void {
    const table = new Int32Array(this.table.length * 2)
    const mask = table.length - 1
    for (let number = 0; number < this.count; number++) {
      let slot = mix(this.hashes[number]!) & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = number + 1
    }
    this.table = table
    this.mask = mask
  }
}

function zobrist(location: number, value: number): number {
  return mix(((location + 1) << 8) | value)
}
