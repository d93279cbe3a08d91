/**
 * The library `cowherd/live`: a memory with real bytes, shared by real threads, under a design's rules.
 *
 * ```ts
 * import { Memory } from 'cowherd/live'
 * const memory = Memory.create({ design: 'v5.19', frames: 1024 })
 * ```
 */
import { closeSync, lstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { InvalidCall, MemoryError, PAGE_SIZE, type SwapDevice } from './live/index.ts'

export * from './live/index.ts'

/** Swap in a file. The one who makes the memory creates it, every other worker opens it. */
export class FileSwap implements SwapDevice {
  private constructor(
    private readonly path: string,
    private readonly file: number,
  ) {}

  /**
   * Makes the file, or empties it, and writes all of it, so that there is room for every place from the start.
   * @param slots as in `MemoryOptions.swap`
   * @throws InvalidCall if it cannot be written
   */
  static create(path: string, slots: number): FileSwap {
    if (!(Number.isInteger(slots) && slots > 0)) throw new InvalidCall(`swap of ${slots} places`)
    let file: number | undefined
    try {
      file = openSync(path, 'w+', 0o600)
      const zeros = new Uint8Array(PAGE_SIZE)
      for (let slot = 0; slot < slots; slot++) writeWhole(file, zeros, slot)
      return new FileSwap(path, file)
    } catch (error) {
      if (file !== undefined) {
        closeSync(file)
        // On a full disk it would leave no room for anybody else. What is no file of its own stays.
        if (lstatSync(path).isFile()) unlinkSync(path)
      }
      throw new InvalidCall(`swap in ${path}: ${(error as Error).message}`, { cause: error })
    }
  }

  /** @throws InvalidCall if it cannot be opened */
  static open(path: string): FileSwap {
    try {
      return new FileSwap(path, openSync(path, 'r+'))
    } catch (error) {
      throw new InvalidCall(`swap in ${path}: ${(error as Error).message}`, { cause: error })
    }
  }

  write(slot: number, page: Uint8Array): void {
    writeWhole(this.file, page, slot)
  }

  read(slot: number, page: Uint8Array): void {
    const read = readSync(this.file, page, 0, PAGE_SIZE, slot * PAGE_SIZE)
    if (read !== PAGE_SIZE) throw new MemoryError(`${this.path} is shorter than it was made`)
  }

  close(): void {
    closeSync(this.file)
  }
}

function writeWhole(file: number, page: Uint8Array, slot: number): void {
  const written = writeSync(file, page, 0, PAGE_SIZE, slot * PAGE_SIZE)
  if (written !== PAGE_SIZE) throw new Error('the disk is full')
}
