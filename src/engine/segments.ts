/**
 * Rows of 32-bit words that grow without ever being copied: they lie in segments of the same
 * size, and only the first of these grows, until it has that size too.
 */

/** Rows of a segment, as a power of two. */
export const SEGMENT_BITS = 16
export const SEGMENT_MASK = (1 << SEGMENT_BITS) - 1
/** Rows of the first segment in the beginning. */
const FIRST_ROWS = 1 << 8

/** There is no more memory to be had. Whoever explores ends with what it has. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory'
}

/**
 * New words, all 0.
 * @throws OutOfMemory if there is no room for them
 */
export function allocate(words: number): Int32Array<ArrayBuffer> {
  try {
    return new Int32Array(words)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new OutOfMemory(`no room for ${words} words`, { cause })
  }
}

/** Typed arrays are indexed by 31-bit integers here. */
const MOST_BYTES = 4 * (2 ** 31 - 1)
const FEWEST_BYTES = 2 ** 20

/**
 * Shared memory, all 0: so much, or as much as there is, by halves.
 * @throws OutOfMemory
 */
export function reserve(bytes: number): SharedArrayBuffer {
  for (let size = Math.min(bytes, MOST_BYTES); ; size /= 2) {
    try {
      return new SharedArrayBuffer(Math.ceil(size / 4) * 4)
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      if (size / 2 < FEWEST_BYTES) throw new OutOfMemory(`no room for ${size} shared bytes`, { cause })
    }
  }
}

/**
 * An array with room for at least one more index than `index`, and the same words otherwise.
 * @throws OutOfMemory
 */
export function grown(words: Int32Array, index: number): Int32Array<ArrayBuffer> {
  const more = allocate(Math.max(index + 1, words.length * 2))
  more.set(words)
  return more
}

export class Segments {
  /** Row `n` begins at word `(n & SEGMENT_MASK) * stride` of segment `n >>> SEGMENT_BITS`. */
  readonly list: Int32Array[] = []
  /** Rows that there is room for. */
  capacity = FIRST_ROWS

  /** @param stride the words of a row */
  constructor(readonly stride: number) {
    this.list.push(allocate(FIRST_ROWS * stride))
  }

  /**
   * Makes room for at least one more row.
   * @throws OutOfMemory
   */
  grow(): void {
    const { stride, list } = this
    if (this.capacity <= SEGMENT_MASK) {
      list[0] = grown(list[0]!, this.capacity * 2 * stride - 1)
      this.capacity *= 2
    } else {
      list.push(allocate((SEGMENT_MASK + 1) * stride))
      this.capacity += SEGMENT_MASK + 1
    }
  }
}
