/**
 * Interned tuples: every distinct tuple of so many 32-bit words, once, exactly, under a number
 * that follows the order of discovery.
 *
 * Looking up compares all words, so nothing is ever lost to a hash.
 *
 * Nothing here is ever copied as a whole: tuples lie in segments, and the table consists of
 * shards (`hash.ts`) that double on their own.
 */
import {
  displacedOf,
  enter,
  entryOf,
  FIRST_SLICES,
  hashFrom,
  hashOf,
  MAX_LOAD,
  MOST_SLOT_BITS,
  numberMaskOf,
  SHARD_OF,
  SHARDS,
  SLICE_SHIFT,
  SLICES,
  slotOf,
  tagMaskOf,
  tagOf,
} from './hash.ts'
import { allocate, OutOfMemory, SEGMENT_BITS, SEGMENT_MASK, Segments } from './segments.ts'

/** Slots of a shard in the beginning, as a power of two. */
const FIRST_SLOT_BITS = 4

const NONE = new Int32Array(0)

/** What interns tuples, for one thread (here) or for several (`shared_tuples.ts`). */
export interface TupleTable {
  readonly width: number
  /** Words from one row to the next. */
  readonly stride: number
  readonly count: number
  /** Whether the last `intern` added a tuple. */
  readonly fresh: boolean
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
  fresh = false
  /** Rows of `stride` words: a tuple and what belongs to it. */
  readonly rows: Segments
  readonly stride: number
  /** By slice: the slots of its shard, each with an entry (`hash.ts`), or 0. */
  private readonly tables: Int32Array[] = Array.from({ length: SLICES }, () => NONE)
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
    for (let shard = 0; shard < SHARDS; shard++) this.install(shard, FIRST_SLOT_BITS)
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
    const { list } = this.rows
    const slice = hash >>> SLICE_SHIFT
    const table = this.tables[slice]!
    const last = table.length - 1
    const numberMask = numberMaskOf(table.length)
    const tagMask = tagMaskOf(numberMask)
    const tag = tagOf(hash)
    let slot = slotOf(hash, last)
    let behind = 0
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      if (((entry ^ tag) & tagMask) === 0) {
        const number = (entry & numberMask) - 1
        const segment = list[number >>> SEGMENT_BITS]!
        const other = (number & SEGMENT_MASK) * stride
        let i = 0
        while (i < width && segment[other + i] === source[at + i]) i++
        if (i === width) {
          this.fresh = false
          return number
        }
      }
      slot = (slot + 1) & last
      behind++
    }

    const number = this.count
    const shard = SHARD_OF[slice]!
    if (number === this.rows.capacity) this.rows.grow()
    if (this.used[shard] === this.limits[shard] || number >= numberMask) {
      const larger = this.double(shard, number)
      enter(larger, 0, larger.length - 1, hash, number)
    } else {
      table[slot] = entryOf(hash, number, behind, numberMask)
    }
    this.used[shard]!++
    this.count++
    this.fresh = true
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
    const { tables, stride } = this
    const { list } = this.rows
    let touched = 0
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const table = tables[hash >>> SLICE_SHIFT]!
      const entry = table[slotOf(hash, table.length - 1)]!
      const numberMask = numberMaskOf(table.length)
      // In this order, since whether there is an entry cannot be foretold; whoever guesses has to wait for memory.
      if (((entry ^ tagOf(hash)) & tagMaskOf(numberMask)) === 0 && entry !== 0) {
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

  /** Gives a shard twice as many slots, or so many that its entries have room for a number. */
  private double(shard: number, number: number): Int32Array {
    const old = this.tables[FIRST_SLICES[shard]!]!
    let slots = old.length * 2
    while (number >= numberMaskOf(slots)) slots *= 2
    const table = this.install(shard, Math.log2(slots))
    const numberMask = numberMaskOf(old.length)
    const { width, stride } = this
    const { list } = this.rows
    for (let slot = 0; slot < old.length; slot++) {
      const entry = old[slot]!
      if (entry === 0) continue
      const moved = (entry & numberMask) - 1
      const hash =
        (entry & displacedOf(numberMask)) === 0
          ? hashFrom(entry, slot, numberMask)
          : hashOf(list[moved >>> SEGMENT_BITS]!, (moved & SEGMENT_MASK) * stride, width)
      enter(table, 0, table.length - 1, hash, moved)
    }
    this.tableWords -= old.length
    return table
  }

  private install(shard: number, slotBits: number): Int32Array {
    if (slotBits > MOST_SLOT_BITS) throw new OutOfMemory('no room for a larger table')
    const table = allocate(1 << slotBits)
    this.tables.fill(table, FIRST_SLICES[shard], FIRST_SLICES[shard + 1])
    this.limits[shard] = Math.floor(table.length * MAX_LOAD)
    this.tableWords += table.length
    return table
  }
}
