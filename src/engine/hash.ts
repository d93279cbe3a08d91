/**
 * Hashes of tuples, and how a table is cut into shards by them.
 *
 * Each shard is an open-addressing table of its own that doubles when it is full. Their shares
 * of all tuples differ, by up to a factor of two, so that they fill up one after another: no
 * moment needs room for a second copy of everything, or stops to make one.
 */

/** Shards of a table. */
export const SHARDS = 64
/** The upper bits of a hash that choose the shard. */
const SHARD_HASH_BITS = 12
export const SHARD_SHIFT = 32 - SHARD_HASH_BITS

/** How full a shard may get before it doubles. */
export const MAX_LOAD = 0.8

/**
 * The bits of an entry that hold a number, beyond the bits that choose one of the shard's slots.
 * Shards of the same number of slots have as many numbers between them; the rest is for shares
 * that differ and for chance. A number that is too large makes its shard double early.
 */
export const NUMBER_BITS_BEYOND_SLOTS = Math.log2(SHARDS) + 2

/** By the upper bits of a hash: the shard. */
export const SHARD_OF: Uint8Array = shares()

function shares(): Uint8Array {
  const weights = Array.from({ length: SHARDS }, (_, i) => 2 ** (i / SHARDS))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shards = new Uint8Array(1 << SHARD_HASH_BITS)
  let shard = 0
  let end = weights[0]!
  for (let i = 0; i < shards.length; i++) {
    while (shard < SHARDS - 1 && (i + 0.5) * total > end * shards.length) end += weights[++shard]!
    shards[i] = shard
  }
  return shards
}

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

/** What of a hash goes into the upper bits of an entry: bits that neither shard nor slot give away. */
export function tagOf(hash: number): number {
  return Math.imul(hash, 0xc2b2ae35)
}
