/**
 * A set of which only fingerprints are kept: two hashes of 32 bits for each thing, in place of
 * the thing (the "hashcompact" method of Wolper and Leroy, with both hashes independent, as Stern and Dill
 * have it in "Improved probabilistic verification by hash compaction", 1995). Two things
 * that have the same fingerprint are taken for one, so the second one is never noticed.
 *
 * Shards double on their own, as those of `tuples.ts` do. Both hashes are kept whole, so that
 * entries can be moved without the things.
 */
import { SHARD_OF, SHARDS, SLICE_SHIFT } from './hash.ts'
import { allocate } from './segments.ts'

/** Bits of a fingerprint. */
export const FINGERPRINT_BITS = 64
/** Slots of a shard in the beginning, as a power of two. */
const FIRST_SLOT_BITS = 4
/** How full a shard may get before it doubles; a slot is compared with at no further cost, so fuller than others. */
const MAX_LOAD = 0.9

export class Fingerprints {
  count = 0
  /** By shard: open addressing; a slot is two words, both 0 if it is empty. */
  private readonly tables: Int32Array[] = []
  private readonly used = new Int32Array(SHARDS)
  private words = 0

  /** @param mask bits of the first hash that are kept, if not all and the second: to see how chance works */
  constructor(private readonly mask?: number) {
    for (let shard = 0; shard < SHARDS; shard++) this.install(shard, allocate(2 << FIRST_SLOT_BITS))
  }

  /**
   * Adds a fingerprint.
   * @param first chooses the shard
   * @param second chooses the slot
   * @returns whether it was new
   * @throws OutOfMemory, and nothing has changed
   */
  add(first: number, second: number): boolean {
    if (this.mask !== undefined) {
      first &= this.mask
      second = first
    }
    // What would look like an empty slot.
    if (first === 0 && second === 0) first = 1
    const shard = SHARD_OF[first >>> SLICE_SHIFT]!
    const table = this.tables[shard]!
    const slot = find(table, first, second)
    if (table[slot] !== 0 || table[slot + 1] !== 0) return false
    if (this.used[shard]! + 1 > (table.length >> 1) * MAX_LOAD) {
      this.double(shard)
      put(this.tables[shard]!, first, second)
    } else {
      table[slot] = first
      table[slot + 1] = second
    }
    this.used[shard]!++
    this.count++
    return true
  }

  get byteLength(): number {
    return 4 * this.words
  }

  private double(shard: number): void {
    const old = this.tables[shard]!
    const table = this.install(shard, allocate(old.length * 2))
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot] !== 0 || old[slot + 1] !== 0) put(table, old[slot]!, old[slot + 1]!)
    }
    this.words -= old.length
  }

  private install(shard: number, table: Int32Array): Int32Array {
    this.tables[shard] = table
    this.words += table.length
    return table
  }
}

/**
 * The chance that of so many different things at least two have the same fingerprint, or a little
 * more: the number of pairs, over that of fingerprints.
 */
export function chanceOfCollision(things: number, bits = FINGERPRINT_BITS): number {
  return Math.min(1, (things * (things - 1)) / 2 ** (bits + 1))
}

/**
 * One half of the fingerprint of `width` words. Each word is mixed in by a function in which every
 * bit changes every other about half the time, so that what is alike in the words is not in the hashes.
 */
export function fingerprintOf(half: 0 | 1, source: Int32Array, at: number, width: number): number {
  const [one, other] = half === 0 ? FIRST : SECOND
  let h = width
  for (let i = 0; i < width; i++) {
    h ^= source[at + i]!
    h = Math.imul(h ^ (h >>> 16), one)
    h = Math.imul(h ^ (h >>> 15), other)
    h = (h ^ (h >>> 15)) + one
  }
  return h | 0
}

/** Multipliers that were found to have little bias (Wellons, "Prospecting for hash functions", 2018, and its update of 2022). */
const FIRST = [0x7feb352d, 0x846ca68b] as const
const SECOND = [0x21f0aaad, 0xd35a2d97] as const

/** Where a fingerprint is, or would be. */
function find(table: Int32Array, first: number, second: number): number {
  const mask = table.length - 2
  let slot = (second << 1) & mask
  for (;;) {
    const found = table[slot]!
    const other = table[slot + 1]!
    if ((found === first && other === second) || (found === 0 && other === 0)) return slot
    slot = (slot + 2) & mask
  }
}

function put(table: Int32Array, first: number, second: number): void {
  const slot = find(table, first, second)
  table[slot] = first
  table[slot + 1] = second
}
