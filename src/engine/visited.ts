/**
 * The visited set: every state once, exactly, in the order of discovery.
 *
 * A state is a few 32-bit words (the number of its memory, then the control states of its
 * threads, two to a word). Beside them stands the number of the state from which it was
 * first reached. Looking up compares all words, so no state is ever lost to a hash; the
 * bits of a table entry that its state number does not need hold a piece of the hash, which
 * spares most comparisons.
 */
/** Growing by a quarter keeps what is reserved close to what is used. */
const GROWTH = 1.25
/** How full the table may get before it doubles. */
const MAX_LOAD = 0.8

export class Visited {
  /** The words of all states, one state after another. Reassigned when it grows. */
  states: Int32Array
  /** For each state the one before it; the initial state has itself. */
  parents: Int32Array
  count = 0
  private capacity = 1 << 10
  /** Open addressing; holds (tag | state number + 1), or 0. */
  private table: Int32Array
  private mask: number
  private numberMask: number
  /** Keeps reads that only warm the cache from being optimised away. */
  protected touched = 0

  constructor(readonly words: number) {
    this.states = new Int32Array(this.capacity * words)
    this.parents = new Int32Array(this.capacity)
    this.table = new Int32Array(1 << 11)
    this.mask = this.table.length - 1
    this.numberMask = numberMaskFor(this.table.length)
  }

  /** The hash of the state whose words are at `at`. */
  hash(source: Int32Array, at: number): number {
    let h = 0
    for (let i = 0; i < this.words; i++) {
      h = Math.imul(h ^ source[at + i]!, 0x9e3779b1)
      h ^= h >>> 16
    }
    h = Math.imul(h, 0x85ebca6b)
    return h ^ (h >>> 15)
  }

  /**
   * Adds the first `count` states of a batch, unless they are known, in their order. Nearly
   * all its time goes into cache misses, so it first reads for all of them what it is going
   * to need, which lets the misses overlap.
   */
  addAll(source: Int32Array, hashes: Int32Array, parents: Int32Array, count: number): void {
    const { table, mask, numberMask, states, words } = this
    let touched = 0
    for (let i = 0; i < count; i++) {
      const entry = table[hashes[i]! & mask]!
      const mayBeKnown = entry !== 0 && ((entry ^ hashes[i]!) & ~numberMask) === 0
      if (mayBeKnown) touched ^= states[((entry & numberMask) - 1) * words]!
    }
    this.touched = touched
    for (let i = 0; i < count; i++) this.add(source, i * words, hashes[i]!, parents[i]!)
  }

  /** Adds a state unless it is known; tells whether it was new. Its number is then `count - 1`. */
  add(source: Int32Array, at: number, hash: number, parent: number): boolean {
    const { table, mask, numberMask, states, words } = this
    const tag = hash & ~numberMask
    let slot = hash & mask
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      if ((entry & ~numberMask) === tag) {
        const other = ((entry & numberMask) - 1) * words
        let i = 0
        while (i < words && states[other + i] === source[at + i]) i++
        if (i === words) return false
      }
      slot = (slot + 1) & mask
    }
    const number = this.count++
    table[slot] = tag | (number + 1)
    const base = number * words
    for (let i = 0; i < words; i++) states[base + i] = source[at + i]!
    this.parents[number] = parent
    if (this.count === this.capacity) this.growStates()
    if (this.count > table.length * MAX_LOAD) this.growTable()
    return true
  }

  get byteLength(): number {
    return this.states.byteLength + this.parents.byteLength + this.table.byteLength
  }

  private growStates(): void {
    this.capacity = Math.ceil(this.capacity * GROWTH)
    const states = new Int32Array(this.capacity * this.words)
    states.set(this.states)
    this.states = states
    const parents = new Int32Array(this.capacity)
    parents.set(this.parents)
    this.parents = parents
  }

  private growTable(): void {
    const table = new Int32Array(this.table.length * 2)
    const mask = table.length - 1
    const numberMask = numberMaskFor(table.length)
    // In portions, so that the cache misses overlap as in `addAll`.
    const hashes = new Int32Array(256)
    for (let first = 0; first < this.count; first += hashes.length) {
      const portion = Math.min(hashes.length, this.count - first)
      let touched = 0
      for (let i = 0; i < portion; i++) {
        const hash = this.hash(this.states, (first + i) * this.words)
        hashes[i] = hash
        touched ^= table[hash & mask]!
      }
      this.touched = touched
      for (let i = 0; i < portion; i++) {
        const hash = hashes[i]!
        let slot = hash & mask
        while (table[slot] !== 0) slot = (slot + 1) & mask
        table[slot] = (hash & ~numberMask) | (first + i + 1)
      }
    }
    this.table = table
    this.mask = mask
    this.numberMask = numberMask
  }
}

/** Enough low bits for any state number + 1 that a table of this length can hold. */
function numberMaskFor(tableLength: number): number {
  return tableLength - 1
}
