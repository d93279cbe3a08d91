/**
 * Hashing for packed states.
 *
 * Multiplicative mixing throughout: a table of random numbers from a plain xorshift is
 * linear over GF(2), and such a table once made lookups nine times slower.
 */

/** A well-mixed 32-bit number for a 32-bit number (the finalizer of MurmurHash3). */
export function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
