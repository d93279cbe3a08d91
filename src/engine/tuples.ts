/**
 * Interned tuples: every distinct tuple of so many 32-bit words, once, exactly, under a number
 * that follows the order of discovery.
 *
 * Looking up compares all words, so nothing is ever lost to a hash; the bits of a table entry
 * that its number does not need hold a piece of the hash, which spares most comparisons.
 */

/** Growing by an eighth keeps what is reserved close to what is used. */
const GROWTH = 1.125
/** How full the table may get before it doubles. */
const MAX_LOAD = 0.8

export class Tuples {
  /** All tuples, one after another. Reassigned when it grows. */
  words: Int32Array
  count = 0
  private capacity = 1 << 8
  /** Open addressing; holds (tag | number + 1), or 0. The mask for numbers is the one for slots. */
  private table: Int32Array
  private mask: number
  /** Keeps reads that only warm the cache from being optimised away. */
  protected touched = 0

  /** @param width the words of a tuple, at least 1 */
  constructor(readonly width: number) {
    this.words = new Int32Array(this.capacity * width)
    this.table = new Int32Array(1 << 9)
    this.mask = this.table.length - 1
  }

  /** The hash of the tuple whose words are at `at`. */
  hash(source: Int32Array, at: number): number {
    let h = 0
    for (let i = 0; i < this.width; i++) {
      h = Math.imul(h ^ source[at + i]!, 0x9e3779b1)
      h ^= h >>> 16
    }
    h = Math.imul(h, 0x85ebca6b)
    return h ^ (h >>> 15)
  }

  /** The number of a tuple; `count` grows if it is new. */
  intern(source: Int32Array, at: number, hash: number): number {
    const { table, mask, words, width } = this
    const tag = hash & ~mask
    let slot = hash & mask
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      if ((entry & ~mask) === tag) {
        const number = (entry & mask) - 1
        const other = number * width
        let i = 0
        while (i < width && words[other + i] === source[at + i]) i++
        if (i === width) return number
      }
      slot = (slot + 1) & mask
    }
    const number = this.count++
    table[slot] = tag | (number + 1)
    const base = number * width
    for (let i = 0; i < width; i++) words[base + i] = source[at + i]!
    if (this.count === this.capacity) this.growWords()
    if (this.count > table.length * MAX_LOAD) this.growTable()
    return number
  }

  /**
   * Reads what `intern` is going to need for these hashes. Nearly all its time goes into cache
   * misses; reading for a whole batch first lets the misses overlap.
   */
  prefetch(hashes: Int32Array, count: number): void {
    const { table, mask, words, width } = this
    let touched = 0
    for (let i = 0; i < count; i++) {
      const entry = table[hashes[i]! & mask]!
      const mayBeKnown = entry !== 0 && ((entry ^ hashes[i]!) & ~mask) === 0
      if (mayBeKnown) touched ^= words[((entry & mask) - 1) * width]!
    }
    this.touched = touched
  }

  get byteLength(): number {
    return this.words.byteLength + this.table.byteLength
  }

  private growWords(): void {
    this.capacity = Math.ceil(this.capacity * GROWTH)
    const words = new Int32Array(this.capacity * this.width)
    words.set(this.words)
    this.words = words
  }

  private growTable(): void {
    const table = new Int32Array(this.table.length * 2)
    const mask = table.length - 1
    // In portions, so that the cache misses overlap as in `prefetch`.
    const hashes = new Int32Array(256)
    for (let first = 0; first < this.count; first += hashes.length) {
      const portion = Math.min(hashes.length, this.count - first)
      let touched = 0
      for (let i = 0; i < portion; i++) {
        const hash = this.hash(this.words, (first + i) * this.width)
        hashes[i] = hash
        touched ^= table[hash & mask]!
      }
      this.touched = touched
      for (let i = 0; i < portion; i++) {
        const hash = hashes[i]!
        let slot = hash & mask
        while (table[slot] !== 0) slot = (slot + 1) & mask
        table[slot] = (hash & ~mask) | (first + i + 1)
      }
    }
    this.table = table
    this.mask = mask
  }
}
