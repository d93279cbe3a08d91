/**
 * Hashes of tuples, and how a table finds tuples by them.
 *
 * A table is cut into shards, each an open-addressing table of its own that doubles when it is
 * full. Their shares of all tuples differ, by up to a factor of two, so that they fill up one
 * after another: no moment needs room for a second copy of everything, or stops to make one.
 *
 * The slots of a shard form buckets, which fill from their first slot on; only what finds its
 * own bucket full goes on to the next. An entry of 32 bits is, from the lowest bit,
 *
 *   the number of a tuple, and 1
 *   whether it is displaced: not in its own bucket
 *   a tag: the bits of the hash that follow those that chose the bucket
 *
 * A tag spares most looks at tuples that are others. When a shard doubles, an entry that is in
 * its own bucket has in the lowest bit of its tag which of the two halves it goes to, so nothing but
 * the table is read; only of what is displaced the tuple is looked at again.
 */

/** Shards of a table. */
export const SHARDS = 64
/** The upper bits of a hash, which say to which slice of all tuples it belongs; a shard has some slices. */
const SLICE_BITS = 10
export const SLICES = 1 << SLICE_BITS
export const SLICE_SHIFT = 32 - SLICE_BITS

/** How full a shard may get before it doubles. */
export const MAX_LOAD = 0.8

/**
 * The bits of an entry that hold a number, beyond those that choose one of the shard's slots.
 * Shards of the same number of slots have as many numbers between them; the rest is for shares
 * that differ and for chance. A number that is too large makes its shard double early.
 */
const NUMBER_BITS_BEYOND_SLOTS = Math.log2(SHARDS) + 2

/** Slots of a bucket, as a power of two. */
const BUCKET_BITS = 3
const BUCKET = 1 << BUCKET_BITS

/** How far a hash is moved to be a tag: as an entry's number needs one bit more, its tag gives away one more to the bucket. */
const TAG_SHIFT = BUCKET_BITS + NUMBER_BITS_BEYOND_SLOTS + 1

/** Most slots of a shard, as a power of two: with more there would be no bit left to tell what is displaced. */
export const MOST_SLOT_BITS = 31 - NUMBER_BITS_BEYOND_SLOTS

/** The bits of an entry that hold a number, in a shard of so many slots. */
export function numberMaskOf(slots: number): number {
  return ((slots << NUMBER_BITS_BEYOND_SLOTS) - 1) | 0
}

/** The bits of an entry that hold a tag. */
export function tagMaskOf(numberMask: number): number {
  return ~numberMask << 1
}

/** The bit of an entry that says that it is displaced. */
export function displacedOf(numberMask: number): number {
  return (numberMask + 1) | 0
}

/**
 * The first slot of the bucket of a hash.
 * @param last slot of the shard
 */
export function slotOf(hash: number, last: number): number {
  return (hash << BUCKET_BITS) & last
}

/** A hash, moved to where its tag is in an entry. */
export function tagOf(hash: number): number {
  return hash << TAG_SHIFT
}

/** The entry of a tuple so many slots behind the first one of its bucket. */
export function entryOf(hash: number, number: number, behind: number, numberMask: number): number {
  return (
    (tagOf(hash) & tagMaskOf(numberMask)) | (behind < BUCKET ? 0 : displacedOf(numberMask)) | (number + 1)
  )
}

/** What an entry that is not displaced and its slot tell of a hash: all that it takes to enter it in a larger table. */
export function hashFrom(entry: number, slot: number, numberMask: number): number {
  return ((entry & tagMaskOf(numberMask)) >>> TAG_SHIFT) | (slot >>> BUCKET_BITS)
}

/**
 * Enters a tuple that is not in a shard.
 * @param base where the shard begins in `slots`
 * @param last slot of the shard
 */
export function enter(slots: Int32Array, base: number, last: number, hash: number, number: number): void {
  const numberMask = numberMaskOf(last + 1)
  let slot = slotOf(hash, last)
  let behind = 0
  for (; slots[base + slot] !== 0; behind++) slot = (slot + 1) & last
  slots[base + slot] = entryOf(hash, number, behind, numberMask)
}

/** By slice: the shard. */
export const SHARD_OF: Uint8Array = shares()

function shares(): Uint8Array {
  const weights = Array.from({ length: SHARDS }, (_, i) => 2 ** (i / SHARDS))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shards = new Uint8Array(SLICES)
  let shard = 0
  let end = weights[0]!
  for (let i = 0; i < shards.length; i++) {
    while (shard < SHARDS - 1 && (i + 0.5) * total > end * shards.length) end += weights[++shard]!
    shards[i] = shard
  }
  return shards
}

/** By shard: its first slice; and the end of the last one's. */
export const FIRST_SLICES: Int32Array = new Int32Array(SHARDS + 1).fill(SLICES)
for (let slice = SLICES - 1; slice >= 0; slice--) FIRST_SLICES[SHARD_OF[slice]!] = slice

/** The hash of `width` words. */
export function hashOf(source: Int32Array, at: number, width: number): number {
  let h = 0
  for (let i = 0; i < width; i++) {
    h = Math.imul(h ^ source[at + i]!, 0x9e3779b1)
    h ^= h >>> 16
  }
  h = Math.imul(h, 0x85ebca6b)
  return h ^ (h >>> 15)
}
