/**
 * What pages hold: the bytes of the frames, in shared memory, and those of the places in swap, on a device.
 *
 * A step speaks of a whole page as of one word. What it reads there is the number of the place,
 * and writing that elsewhere copies all bytes. Others may change the page meanwhile, as with the
 * kernel's copy; it is kept from being freed by whoever holds a reference.
 */
import type { Places } from './places.ts'

export const PAGE_SIZE = 4096

/** Where pages go that are swapped out. */
export interface SwapDevice {
  /** Writes one page to a place. */
  write(slot: number, page: Uint8Array): void
  /** Reads one page back. */
  read(slot: number, page: Uint8Array): void
}

/** A swap device in shared memory, for machines without files. */
export class MemorySwap implements SwapDevice {
  private readonly bytes: Uint8Array
  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer)
  }
  write(slot: number, page: Uint8Array): void {
    this.bytes.set(page, slot * PAGE_SIZE)
  }
  read(slot: number, page: Uint8Array): void {
    page.set(this.bytes.subarray(slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE))
  }
}

export class Contents {
  /** Locations from here on stand for what pages hold. */
  readonly first: number
  readonly bytes: Uint8Array

  /** @param freed called when a frame is freed, which fills it with zeros */
  constructor(
    private readonly places: Places,
    buffer: SharedArrayBuffer,
    private readonly swap: SwapDevice | undefined,
    private readonly freed: () => void,
  ) {
    this.first = places.total
    this.bytes = new Uint8Array(buffer)
  }

  frame(pfn: number): Uint8Array {
    return this.bytes.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)
  }

  /** Makes one place hold what another one does; 0 for zeros. */
  put(to: number, from: number): void {
    const pfn = this.places.frameOf(to)
    if (from === 0) {
      // What a place in swap held is forgotten when something else is written there.
      if (pfn < 0) return
      this.frame(pfn).fill(0)
      this.freed()
      return
    }
    const source = this.places.frameOf(from)
    if (pfn >= 0 && source >= 0)
      this.bytes.copyWithin(pfn * PAGE_SIZE, source * PAGE_SIZE, (source + 1) * PAGE_SIZE)
    else if (pfn >= 0) this.device.read(this.places.slotOf(from), this.frame(pfn))
    else this.device.write(this.places.slotOf(to), this.frame(source))
  }

  private get device(): SwapDevice {
    if (this.swap === undefined) throw new Error('a page goes to swap, and there is none')
    return this.swap
  }
}
