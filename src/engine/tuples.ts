/**
 * Interned tuples: every distinct tuple of so many 32-bit words, once, exactly, under a number
 * that follows the order of discovery.
 *
 * Looking up compares all words, so nothing is ever lost to a hash; the bits of a table entry
 * that its number does not need hold a piece of the hash, which spares most comparisons.
 *
 * Nothing here is ever copied as a whole: tuples lie in segments, and the table consists of
 * shards (`hash.ts`) that double on their own.
 */
import { hashOf, MAX_LOAD, NUMBER_BITS_BEYOND_SLOTS, SHARD_OF, SHARD_SHIFT, SHARDS, tagOf } from './hash.ts'
import { allocate, SEGMENT_BITS, SEGMENT_MASK, Segments } from './segments.ts'

/** Slots of a shard in the beginning, as a power of two. */
const FIRST_SLOT_BITS = 4
/** Entries that are moved together when a shard doubles, so that their cache misses overlap. */
const PORTION = 256

/** What interns tuples, for one thread (here) or for several (`shared_tuples.ts`). */
export interface TupleTable {
  readonly width: number
  /** Words from one row to the next. */
  readonly stride: number
  readonly count: number
  /** Row `n` begins at word `(n & SEGMENT_MASK) * stride` of segment `n >>> SEGMENT_BITS`. */
  readonly rows: { readonly list: readonly Int32Array[]; readonly capacity: number }
  hash(source: Int32Array, at: number): number
  intern(source: Int32Array, at: number, hash: number, payload?: number): number
  prefetch(hashes: Int32Array, count: number): void
  word(number: number, i: number): number
  /** Gives a tuple another payload; nobody else may look at it meanwhile. */
  setPayload(number: number, payload: number): void
  readonly byteLength: number
}

export class Tuples implements TupleTable {
  count = 0
  /** Rows of `stride` words: a tuple and what belongs to it. */
  readonly rows: Segments
  readonly stride: number
  /** By shard: open addressing; a slot holds (tag | number + 1), or 0. */
  private readonly tables: Int32Array[] = []
  private readonly slotMasks = new Int32Array(SHARDS)
  private readonly numberMasks = new Int32Array(SHARDS)
  private readonly used = new Int32Array(SHARDS)
  private readonly limits = new Int32Array(SHARDS)
  private tableWords = 0
  /** Keeps reads that only warm the cache from being optimised away. */
  protected touched = 0

  /**
   * @param width the words of a tuple, at least 1
   * @param payload words, 0 or 1, that each tuple has besides, which do not count when tuples are compared
   */
  constructor(
    readonly width: number,
    payload = 0,
  ) {
    this.stride = width + payload
    this.rows = new Segments(this.stride)
    for (let shard = 0; shard < SHARDS; shard++) this.install(shard, allocate(1 << FIRST_SLOT_BITS))
  }

  /** The hash of the tuple whose words are at `at`. */
  hash(source: Int32Array, at: number): number {
    return hashOf(source, at, this.width)
  }

  /**
   * The number of a tuple; `count` grows if it is new.
   * @param payload goes with a tuple that is new
   * @throws OutOfMemory, and nothing has changed
   */
  intern(source: Int32Array, at: number, hash: number, payload = 0): number {
    const { width, stride } = this
    const shard = SHARD_OF[hash >>> SHARD_SHIFT]!
    const { list } = this.rows
    let table = this.tables[shard]!
    let slotMask = this.slotMasks[shard]!
    let numberMask = this.numberMasks[shard]!
    let tag = tagOf(hash) & ~numberMask
    let slot = hash & slotMask
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      if ((entry & ~numberMask) === tag) {
        const number = (entry & numberMask) - 1
        const segment = list[number >>> SEGMENT_BITS]!
        const other = (number & SEGMENT_MASK) * stride
        let i = 0
        while (i < width && segment[other + i] === source[at + i]) i++
        if (i === width) return number
      }
      slot = (slot + 1) & slotMask
    }

    const number = this.count
    if (number === this.rows.capacity) this.rows.grow()
    if (this.used[shard] === this.limits[shard] || number >= numberMask) {
      do this.double(shard)
      while (number >= this.numberMasks[shard]!)
      table = this.tables[shard]!
      slotMask = this.slotMasks[shard]!
      numberMask = this.numberMasks[shard]!
      tag = tagOf(hash) & ~numberMask
      slot = hash & slotMask
      while (table[slot] !== 0) slot = (slot + 1) & slotMask
    }
    table[slot] = tag | (number + 1)
    this.used[shard]!++
    this.count++
    const segment = list[number >>> SEGMENT_BITS]!
    const base = (number & SEGMENT_MASK) * stride
    for (let i = 0; i < width; i++) segment[base + i] = source[at + i]!
    if (stride > width) segment[base + width] = payload
    return number
  }

  /**
   * Reads what `intern` is going to need for these hashes. Nearly all its time goes into cache
   * misses; reading for a whole batch first lets the misses overlap.
   */
  prefetch(hashes: Int32Array, count: number): void {
    const { tables, slotMasks, numberMasks, stride } = this
    const { list } = this.rows
    let touched = 0
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const shard = SHARD_OF[hash >>> SHARD_SHIFT]!
      const entry = tables[shard]![hash & slotMasks[shard]!]!
      const numberMask = numberMasks[shard]!
      if (entry !== 0 && ((entry ^ tagOf(hash)) & ~numberMask) === 0) {
        const number = (entry & numberMask) - 1
        touched ^= list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * stride]!
      }
    }
    this.touched = touched
  }

  /** One word of a tuple, or of its payload. */
  word(number: number, i: number): number {
    return this.rows.list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * this.stride + i]!
  }

  /** Gives a tuple another payload. */
  setPayload(number: number, payload: number): void {
    this.rows.list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * this.stride + this.width] = payload
  }

  /** Bytes in use; what a segment has room for beyond that costs nothing until it is written to. */
  get byteLength(): number {
    return 4 * (this.count * this.stride + this.tableWords)
  }

  private double(shard: number): void {
    const old = this.tables[shard]!
    const oldMask = this.numberMasks[shard]!
    const table = this.install(shard, allocate(old.length * 2))
    const slotMask = this.slotMasks[shard]!
    const numberMask = this.numberMasks[shard]!
    const { width, stride } = this
    const { list } = this.rows
    const numbers = new Int32Array(PORTION)
    let next = 0
    while (next < old.length) {
      let portion = 0
      let touched = 0
      for (; next < old.length && portion < PORTION; next++) {
        const entry = old[next]!
        if (entry === 0) continue
        const number = (entry & oldMask) - 1
        numbers[portion++] = number
        touched ^= list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * stride]!
      }
      this.touched = touched
      for (let i = 0; i < portion; i++) {
        const number = numbers[i]!
        const hash = hashOf(list[number >>> SEGMENT_BITS]!, (number & SEGMENT_MASK) * stride, width)
        let slot = hash & slotMask
        while (table[slot] !== 0) slot = (slot + 1) & slotMask
        table[slot] = (tagOf(hash) & ~numberMask) | (number + 1)
      }
    }
    this.tableWords -= old.length
  }

  private install(shard: number, table: Int32Array): Int32Array {
    this.tables[shard] = table
    this.slotMasks[shard] = table.length - 1
    // Beyond 31 bits a number would be negative; there are no more than 2^30 tuples.
    this.numberMasks[shard] = Math.min(2 ** 31, table.length * 2 ** NUMBER_BITS_BEYOND_SLOTS) - 1
    this.limits[shard] = Math.floor(table.length * MAX_LOAD)
    this.tableWords += table.length
    return table
  }
}
