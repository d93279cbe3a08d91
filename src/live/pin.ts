/** References to the pages of a range, as a device or a pipe holds them: pages, and not addresses. */
import type { PinnedPage } from './board.ts'
import { PAGE_SIZE } from './contents.ts'
import { InvalidCall, NotPinned } from './memory_error.ts'
import type { Session } from './session.ts'

/** A pin as another worker is told of it: send it by `postMessage`, and give it to `memory.pinned` there. */
export interface PinHandle {
  readonly kind: 'cowherd pin'
  readonly pages: readonly PinnedPage[]
  readonly address: number
  readonly length: number
}

export class Pin {
  /** Not to be called but by `Process.pin`. */
  constructor(
    private readonly memory: Session,
    private readonly pages: readonly PinnedPage[],
    /** The first address that was pinned. */
    readonly address: number,
    /** In bytes. */
    readonly length: number,
  ) {}

  /** For another worker, which may use and release it, too. It stays with the worker that took it, and goes with that one. */
  share(): PinHandle {
    const { pages, address, length } = this
    return { kind: 'cowherd pin', pages, address, length }
  }

  /**
   * The bytes of the pinned pages themselves, a piece for each page: what a device reads and writes, and what `fs.readv`
   * can be given. Not to be used after `unpin`.
   * @throws NotPinned
   */
  get buffers(): Uint8Array[] {
    const { memory, address, length } = this
    return this.pages.map((page, i) => {
      if (!memory.board.isPinned(page)) throw new NotPinned()
      const pfn = memory.arena.get(memory.machine.places.ref(page.ref)) - 1
      const offset = i === 0 ? address % PAGE_SIZE : 0
      const before = i === 0 ? 0 : i * PAGE_SIZE - (address % PAGE_SIZE)
      return memory.contents.frame(pfn).subarray(offset, Math.min(PAGE_SIZE, offset + length - before))
    })
  }

  /** What the device sees. @throws NotPinned */
  read(): Uint8Array {
    const result = new Uint8Array(this.length)
    let at = 0
    for (const piece of this.buffers) {
      result.set(piece, at)
      at += piece.length
    }
    return result
  }

  /**
   * The device writes, from the beginning of the range.
   * @throws NotPinned; InvalidCall if the pin is not for writing, or there are more bytes than in the range
   */
  write(bytes: Uint8Array): void {
    if (this.pages.some(({ flags }) => !flags.write)) throw new InvalidCall('this pin is for reading')
    if (bytes.length > this.length)
      throw new InvalidCall(`${bytes.length} bytes into a pin of ${this.length}`)
    let at = 0
    for (const piece of this.buffers) {
      piece.set(bytes.subarray(at, at + piece.length))
      at += piece.length
      if (at >= bytes.length) return
    }
  }

  /** Drops the references. @throws NotPinned if they have been dropped */
  unpin(): void {
    const { memory } = this
    memory.usable()
    memory.systemCall(() => {
      for (const page of this.pages) {
        if (!memory.board.claimRelease(page)) throw new NotPinned()
        memory.unpin(page)
      }
    })
  }
}
