/**
 * Interned tuples that several threads fill at once, without locks: every distinct tuple of so
 * many 32-bit words, once, exactly, under a number. The counterpart of `tuples.ts`, over shared
 * memory that is reserved beforehand; what is not written to takes no room.
 *
 * Why nothing is lost, and nothing is there twice:
 *
 * - A slot goes from empty to claimed, to published, and perhaps to moved; never back. A thread
 *   claims the first empty slot of a tuple's probe sequence by compare-and-exchange, takes a
 *   number, writes the tuple into its row and only then publishes the number in the slot, with
 *   an atomic store. Whoever reads a number with an atomic load therefore sees the whole row.
 * - Two threads with the same tuple walk the same sequence and pass over the same slots, since
 *   no slot becomes empty again. They come to the same first empty one; the loser of the
 *   exchange looks at what is there now. A claim carries the tag of its tuple, so one of
 *   another tag is passed over, and one of the same tag is waited for.
 * - Slots are first read without synchronisation. Such a look can be late, but every conclusion
 *   is drawn from an atomic operation: "it is the same" from an atomic load, "there is none"
 *   from the exchange. "It is another" needs none: a slot's tag never changes, except that it moves.
 * - A shard doubles under a lock of its own. Its mover exchanges each empty slot for "moved",
 *   and each published one after copying it; for a claimed one it waits. Only then it makes the
 *   new table known, so from the moment when the first thread can insert there none can insert
 *   in the old one, and everything that ever was in the old one is in the new one. Threads that
 *   meet "moved" wait for the new table and begin again. The old table is not used for anything
 *   else, as a late thread may still read it.
 * - Numbers are dense. Whether a shard ought to have doubled, and whether there is room for more, a thread
 *   decides by the number of its own last tuple: to ask how many there are by now would cost a wait for
 *   whoever counted last. So it may add one tuple too many. A shard's entries have room for some times more
 *   numbers than there can be when it ought to have doubled, so since its last tuple others would have to
 *   have inserted several times as many as there were, none of them in this shard; if that ever
 *   happens, it is an error and not a wrong number.
 */
import {
  displacedOf,
  enter,
  entryOf,
  hashFrom,
  hashOf,
  MAX_LOAD,
  MOST_SLOT_BITS,
  numberMaskOf,
  SHARD_OF,
  SHARDS,
  SLICE_SHIFT,
  slotOf,
  tagMaskOf,
  tagOf,
} from './hash.ts'
import { OutOfMemory, reserve, SEGMENT_BITS, SEGMENT_MASK } from './segments.ts'
import type { TupleTable } from './tuples.ts'

/** Slots of a shard in the beginning, as a power of two. */
const FIRST_SLOT_BITS = 8
/** Longer probe sequences double a shard, whatever its share should be. */
const MAX_PROBES = 1024
/** Tables begin at multiples of so many words, as a power of two. */
const ALIGN_BITS = 4
/** More threads than can be at work: as many numbers are kept in reserve. */
const RESERVE = 256

// Words of `control`; counters that everybody writes to have a cache line of their own.
const COUNT = 0
const TABLE_WORDS = 16
const SHARD_TABLES = 32
const SHARD_LOCKS = SHARD_TABLES + SHARDS
const CONTROL_WORDS = SHARD_LOCKS + SHARDS

/** By shard: the share of all tuples that it has. */
const SHARES: Float64Array = new Float64Array(SHARDS)
for (const shard of SHARD_OF) SHARES[shard]! += 1 / SHARD_OF.length

export interface TupleBuffers {
  readonly width: number
  readonly payload: number
  readonly control: SharedArrayBuffer
  readonly rows: SharedArrayBuffer
  readonly tables: SharedArrayBuffer
}

/**
 * Reserves room for tuples.
 * @param payload words, 0 or 1, that each tuple has besides
 * @param most tuples
 * @param bytes that rows and tables may each take at most; less if there is no more to be had
 * @param firstSlotBits slots of a shard in the beginning, as a power of two
 * @throws OutOfMemory
 */
export function reserveTuples(
  width: number,
  payload: number,
  most: number,
  bytes: number,
  firstSlotBits = FIRST_SLOT_BITS,
): TupleBuffers {
  const stride = width + payload
  const rows = reserve(4 * stride * RESERVE + Math.min(4 * stride * most, bytes))
  // A table that has grown takes as much again as all that it was before.
  const tables = reserve(((4 * SHARDS) << firstSlotBits) + Math.min(64 * most, bytes))
  const control = reserve(4 * CONTROL_WORDS)
  const words = new Int32Array(control)
  for (let shard = 0; shard < SHARDS; shard++) {
    words[SHARD_TABLES + shard] = descriptorOf(shard << firstSlotBits, firstSlotBits)
  }
  words[TABLE_WORDS] = SHARDS << firstSlotBits
  return { width, payload, control, rows, tables }
}

function descriptorOf(base: number, bits: number): number {
  return ((base >>> ALIGN_BITS) << 5) | bits
}

export class SharedTuples implements TupleTable {
  readonly width: number
  readonly stride: number
  readonly rows: { readonly list: Int32Array[]; readonly capacity: number }
  /** Whether the last `intern` added a tuple. */
  fresh = false
  private readonly control: Int32Array
  private readonly tables: Int32Array
  /** How many tuples there were when this thread had last added one. */
  private known = 0
  /** Keeps reads that only warm the cache from being optimised away. */
  protected touched = 0

  /**
   * @param buffers from `reserveTuples`, the same for all threads
   * @param pause called again and again while waiting for another thread: may throw
   */
  constructor(
    buffers: TupleBuffers,
    private readonly pause: () => void,
  ) {
    this.width = buffers.width
    this.stride = buffers.width + buffers.payload
    this.control = new Int32Array(buffers.control)
    this.tables = new Int32Array(buffers.tables)
    const bytesEach = 4 * this.stride
    const capacity = Math.floor(buffers.rows.byteLength / bytesEach)
    const list: Int32Array[] = []
    for (let first = 0; first < capacity; first += SEGMENT_MASK + 1) {
      const rows = Math.min(SEGMENT_MASK + 1, capacity - first)
      list.push(new Int32Array(buffers.rows, first * bytesEach, rows * this.stride))
    }
    this.rows = { list, capacity }
  }

  get count(): number {
    return Atomics.load(this.control, COUNT)
  }

  hash(source: Int32Array, at: number): number {
    return hashOf(source, at, this.width)
  }

  /**
   * The number of a tuple, which is added unless it is there.
   * @param payload goes with a tuple that is new
   * @throws OutOfMemory, and nothing has changed
   */
  intern(source: Int32Array, at: number, hash: number, payload = 0): number {
    const shard = SHARD_OF[hash >>> SLICE_SHIFT]!
    let number = this.internIn(this.control[SHARD_TABLES + shard]!, shard, source, at, hash, payload)
    while (number < 0) {
      const descriptor = Atomics.load(this.control, SHARD_TABLES + shard)
      number = this.internIn(descriptor, shard, source, at, hash, payload)
    }
    return number
  }

  prefetch(hashes: Int32Array, count: number): void {
    const { control, tables, stride } = this
    const { list } = this.rows
    let touched = 0
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const descriptor = control[SHARD_TABLES + SHARD_OF[hash >>> SLICE_SHIFT]!]!
      const numberMask = numberMaskOf(1 << (descriptor & 31))
      const entry = tables[((descriptor >>> 5) << ALIGN_BITS) + slotOf(hash, (1 << (descriptor & 31)) - 1)]!
      // First what can be foretold, as in `tuples.ts`.
      if (((entry ^ tagOf(hash)) & tagMaskOf(numberMask)) !== 0) continue
      const field = entry & numberMask
      if (field === 0 || field === numberMask) continue
      touched ^= list[(field - 1) >>> SEGMENT_BITS]![((field - 1) & SEGMENT_MASK) * stride]!
    }
    this.touched = touched
  }

  word(number: number, i: number): number {
    return this.rows.list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * this.stride + i]!
  }

  setPayload(number: number, payload: number): void {
    this.rows.list[number >>> SEGMENT_BITS]![(number & SEGMENT_MASK) * this.stride + this.width] = payload
  }

  /** Sets bits of a tuple's payload; returns what it was before. */
  mark(number: number, bits: number): number {
    const { list } = this.rows
    return Atomics.or(
      list[number >>> SEGMENT_BITS]!,
      (number & SEGMENT_MASK) * this.stride + this.width,
      bits,
    )
  }

  get byteLength(): number {
    return 4 * (this.count * this.stride + Atomics.load(this.control, TABLE_WORDS))
  }

  /** As `intern`, within one table; -1 if the shard has another one now, or may have. */
  private internIn(
    descriptor: number,
    shard: number,
    source: Int32Array,
    at: number,
    hash: number,
    payload: number,
  ): number {
    const { control, tables, width, stride } = this
    const { list } = this.rows
    const bits = descriptor & 31
    const base = (descriptor >>> 5) << ALIGN_BITS
    const slotMask = (1 << bits) - 1
    const numberMask = numberMaskOf(1 << bits)
    const tagMask = tagMaskOf(numberMask)
    const tag = tagOf(hash)
    let slot = slotOf(hash, slotMask)
    for (let probes = 0; probes <= slotMask && probes <= MAX_PROBES; probes++) {
      let entry = tables[base + slot]!
      if (entry === 0) {
        const count = this.known
        if (count >= this.limitOf(shard, bits)) break
        if (count >= this.rows.capacity - RESERVE) throw new OutOfMemory('no room for more tuples')
        // The claim: a number that there is not.
        entry = Atomics.compareExchange(
          tables,
          base + slot,
          0,
          entryOf(hash, numberMask - 1, probes, numberMask),
        )
        if (entry === 0) {
          const number = Atomics.add(control, COUNT, 1)
          this.known = number + 1
          if (number + 1 >= numberMask) throw new Error('a shard of the visited set was left behind')
          const segment = list[number >>> SEGMENT_BITS]!
          const row = (number & SEGMENT_MASK) * stride
          for (let i = 0; i < width; i++) segment[row + i] = source[at + i]!
          if (stride > width) segment[row + width] = payload
          Atomics.store(tables, base + slot, entryOf(hash, number, probes, numberMask))
          this.fresh = true
          return number
        }
      }
      if ((entry & numberMask) === 0) {
        this.waitForMove(shard, descriptor)
        return -1
      }
      if (((entry ^ tag) & tagMask) === 0) {
        entry = Atomics.load(tables, base + slot)
        while ((entry & numberMask) === numberMask) {
          this.pause()
          entry = Atomics.load(tables, base + slot)
        }
        if ((entry & numberMask) === 0) {
          this.waitForMove(shard, descriptor)
          return -1
        }
        const number = (entry & numberMask) - 1
        const segment = list[number >>> SEGMENT_BITS]!
        const row = (number & SEGMENT_MASK) * stride
        let i = 0
        while (i < width && segment[row + i] === source[at + i]) i++
        if (i === width) {
          this.fresh = false
          return number
        }
      }
      slot = (slot + 1) & slotMask
    }
    this.double(shard, descriptor)
    return -1
  }

  /** How many tuples there may be in all before a shard of so many slots must double. */
  private limitOf(shard: number, bits: number): number {
    return ((1 << bits) * MAX_LOAD * 0.95) / SHARES[shard]!
  }

  private waitForMove(shard: number, descriptor: number): void {
    const { control } = this
    // Whoever moved the shard may be gone, and have left it half moved.
    this.pause()
    while (
      Atomics.load(control, SHARD_TABLES + shard) === descriptor &&
      Atomics.load(control, SHARD_LOCKS + shard) !== 0
    ) {
      Atomics.wait(control, SHARD_TABLES + shard, descriptor, 1)
      this.pause()
    }
  }

  private double(shard: number, descriptor: number): void {
    const { control } = this
    if (Atomics.compareExchange(control, SHARD_LOCKS + shard, 0, 1) !== 0) {
      this.waitForMove(shard, descriptor)
      return
    }
    try {
      if (Atomics.load(control, SHARD_TABLES + shard) !== descriptor) return
      let bits = (descriptor & 31) + 1
      while (this.count >= this.limitOf(shard, bits)) bits++
      if (bits > MOST_SLOT_BITS) throw new OutOfMemory('no room for a larger table')
      const base = this.takeWords(1 << bits)
      this.move(descriptor, base, bits)
      Atomics.store(control, SHARD_TABLES + shard, descriptorOf(base, bits))
    } finally {
      Atomics.store(control, SHARD_LOCKS + shard, 0)
      Atomics.notify(control, SHARD_TABLES + shard)
    }
  }

  /** Where there is room for so many slots, which nobody else has. */
  private takeWords(slots: number): number {
    const { control, tables } = this
    for (;;) {
      const base = Atomics.load(control, TABLE_WORDS)
      if (base + slots > tables.length) throw new OutOfMemory('no room for a larger table')
      if (Atomics.compareExchange(control, TABLE_WORDS, base, base + slots) === base) return base
    }
  }

  /** Moves all entries of a table to another one, which nobody else knows yet. */
  private move(from: number, base: number, bits: number): void {
    const { tables, stride, width } = this
    const { list } = this.rows
    const oldBase = (from >>> 5) << ALIGN_BITS
    const oldNumberMask = numberMaskOf(1 << (from & 31))
    for (let slot = 0; slot < 1 << (from & 31); slot++) {
      const old = oldBase + slot
      let entry = Atomics.load(tables, old)
      if (entry === 0) entry = Atomics.compareExchange(tables, old, 0, ~oldNumberMask)
      if (entry === 0) continue
      while ((entry & oldNumberMask) === oldNumberMask) {
        this.pause()
        entry = Atomics.load(tables, old)
      }
      const number = (entry & oldNumberMask) - 1
      const hash =
        (entry & displacedOf(oldNumberMask)) === 0
          ? hashFrom(entry, slot, oldNumberMask)
          : hashOf(list[number >>> SEGMENT_BITS]!, (number & SEGMENT_MASK) * stride, width)
      enter(tables, base, (1 << bits) - 1, hash, number)
      Atomics.store(tables, old, ~oldNumberMask)
    }
  }
}
