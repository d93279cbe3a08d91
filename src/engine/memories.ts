/**
 * Interned memories: every distinct vector of the shared locations, once, under a number.
 *
 * Many states share a memory, so a state holds its number instead. And many memories share
 * parts: a memory is cut into chunks of 32 locations, each distinct chunk is kept once, and a
 * memory is the tuple of the numbers of its chunks (tree compression, as in LTSmin).
 */
import type { Location } from './layout.ts'
import { allocate, SEGMENT_BITS, SEGMENT_MASK } from './segments.ts'
import type { Memory } from './system.ts'
import { Tuples, type TupleTable } from './tuples.ts'

/** Locations of a chunk, as a power of two, and its 32-bit words. */
export const CHUNK_BITS = 5
const CHUNK_BYTES = 1 << CHUNK_BITS
export const CHUNK_WORDS = CHUNK_BYTES / 4

/** How many results of changes are remembered, to memories and to chunks, as powers of two. */
const MEMO_BITS = 14
const CHUNK_MEMO_BITS = 13

export class Memories {
  /** Chunks of one memory. */
  readonly chunksEach: number
  private readonly chunks: TupleTable
  private readonly vectors: TupleTable
  private readonly vectorStride: number
  /** The segments of `chunks` as bytes. */
  private readonly bytes: Uint8Array[] = []
  /**
   * Results of the last changes: a memory or chunk, the place of the writes, and what it became.
   * The same writes to the same memory come again with every state of the other threads, and
   * to the same chunk with every state of the rest. No writes are at place 0.
   */
  private readonly memo = allocate(3 << MEMO_BITS)
  private readonly chunkMemo = allocate(3 << CHUNK_MEMO_BITS)
  /** A memory and a chunk in the making. */
  private readonly vector: Int32Array
  private readonly chunk = new Int32Array(CHUNK_WORDS)
  private readonly chunkBytes = new Uint8Array(this.chunk.buffer)

  /** @param tables where memories and chunks are kept, if not in tables of their own */
  constructor(
    private readonly locations: readonly Location[],
    tables?: { readonly chunks: TupleTable; readonly vectors: TupleTable },
  ) {
    this.chunksEach = chunksOf(locations)
    this.chunks = tables?.chunks ?? new Tuples(CHUNK_WORDS)
    this.vectors = tables?.vectors ?? new Tuples(this.chunksEach)
    this.vectorStride = this.vectors.stride
    this.vector = new Int32Array(this.chunksEach)
    this.seeChunks()
  }

  get count(): number {
    return this.vectors.count
  }

  /** Interns the initial values and returns their number. */
  internInitial(): number {
    for (let c = 0; c < this.chunksEach; c++) {
      this.chunk.fill(0)
      this.locations.slice(c * CHUNK_BYTES, (c + 1) * CHUNK_BYTES).forEach(({ initial }, i) => {
        this.chunkBytes[i] = initial
      })
      this.vector[c] = this.internChunk()
    }
    return this.internVector()
  }

  /** Interns a memory that is given as its bytes. */
  internBytes(bytes: Uint8Array): number {
    for (let c = 0; c < this.chunksEach; c++) {
      this.chunk.fill(0)
      this.chunkBytes.set(bytes.subarray(c * CHUNK_BYTES, (c + 1) * CHUNK_BYTES))
      this.vector[c] = this.internChunk()
    }
    return this.internVector()
  }

  /** The value of a location in a memory. */
  get(memory: number, location: number): number {
    const vectors = this.vectors.rows.list[memory >>> SEGMENT_BITS]!
    const chunk = vectors[(memory & SEGMENT_MASK) * this.vectorStride + (location >> CHUNK_BITS)]!
    const bytes = this.bytes[chunk >>> SEGMENT_BITS]!
    return bytes[((chunk & SEGMENT_MASK) << CHUNK_BITS) + (location & (CHUNK_BYTES - 1))]!
  }

  /** The number of a memory after the writes of a leaf, a record in `code`. */
  after(memory: number, code: Int32Array, leaf: number): number {
    const writes = code[leaf + 2]!
    return writes === 0 ? memory : this.internChanged(memory, code, leaf + 3, leaf + 3 + 2 * writes)
  }

  /**
   * The number of memory `from` after some writes.
   * @param at the index of the first (location, value) pair in `code`; locations ascend
   * @param end the index after the last
   */
  private internChanged(from: number, code: Int32Array, at: number, end: number): number {
    const { memo, chunkMemo, vector, chunksEach } = this
    const place = memoPlace(from, at, MEMO_BITS)
    if (memo[place] === from && memo[place + 1] === at) return memo[place + 2]!

    const segment = this.vectors.rows.list[from >>> SEGMENT_BITS]!
    const base = (from & SEGMENT_MASK) * this.vectorStride
    for (let c = 0; c < chunksEach; c++) vector[c] = segment[base + c]!
    let i = at
    while (i < end) {
      const first = i
      const c = code[i]! >> CHUNK_BITS
      while (i < end && code[i]! >> CHUNK_BITS === c) i += 2
      const before = vector[c]!
      const chunkPlace = memoPlace(before, first, CHUNK_MEMO_BITS)
      if (chunkMemo[chunkPlace] !== before || chunkMemo[chunkPlace + 1] !== first) {
        chunkMemo[chunkPlace + 2] = this.changeChunk(before, code, first, i)
        chunkMemo[chunkPlace] = before
        chunkMemo[chunkPlace + 1] = first
      }
      vector[c] = chunkMemo[chunkPlace + 2]!
    }
    const next = this.internVector()
    memo[place] = from
    memo[place + 1] = at
    memo[place + 2] = next
    return next
  }

  /** One memory, to be read by people's code. */
  reader(memory: number): Memory {
    return new Reader(this, memory)
  }

  /** A copy of one memory. */
  copy(memory: number): Uint8Array {
    const bytes = new Uint8Array(this.locations.length)
    for (let location = 0; location < bytes.length; location++) bytes[location] = this.get(memory, location)
    return bytes
  }

  get byteLength(): number {
    return this.chunks.byteLength + this.vectors.byteLength
  }

  /** The number of a chunk after some writes, all of them within it. */
  private changeChunk(from: number, code: Int32Array, at: number, end: number): number {
    const segment = this.chunks.rows.list[from >>> SEGMENT_BITS]!
    const base = (from & SEGMENT_MASK) * CHUNK_WORDS
    for (let w = 0; w < CHUNK_WORDS; w++) this.chunk[w] = segment[base + w]!
    for (let i = at; i < end; i += 2) this.chunkBytes[code[i]! & (CHUNK_BYTES - 1)] = code[i + 1]!
    return this.internChunk()
  }

  private internChunk(): number {
    const { capacity } = this.chunks.rows
    const number = this.chunks.intern(this.chunk, 0, this.chunks.hash(this.chunk, 0))
    if (this.chunks.rows.capacity !== capacity) this.seeChunks()
    return number
  }

  private internVector(): number {
    return this.vectors.intern(this.vector, 0, this.vectors.hash(this.vector, 0))
  }

  /** Looks at new segments of chunks as bytes; the first one may be another one now. */
  private seeChunks(): void {
    const { list } = this.chunks.rows
    for (let i = 0; i < list.length; i = Math.max(i + 1, this.bytes.length)) {
      const { buffer, byteOffset, byteLength } = list[i]!
      this.bytes[i] = new Uint8Array(buffer, byteOffset, byteLength)
    }
  }
}

/** How many chunks a memory of these locations has. */
export function chunksOf(locations: readonly Location[]): number {
  return Math.max(1, Math.ceil(locations.length / CHUNK_BYTES))
}

function memoPlace(number: number, at: number, bits: number): number {
  return 3 * (Math.imul(Math.imul(number, 0x9e3779b1) ^ at, 0x85ebca6b) >>> (32 - bits))
}

class Reader implements Memory {
  constructor(
    private readonly memories: Memories,
    private readonly memory: number,
  ) {}

  get(location: number): number {
    return this.memories.get(this.memory, location)
  }
}
