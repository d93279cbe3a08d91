/** Where the fields of a large machine lie: numbers of locations, computed and not looked up. */

export interface MemorySize {
  /** Frames of 4,096 bytes besides the zero page. */
  readonly frames: number
  /** Frames besides, for paths that have begun and need more than could be foreseen. */
  readonly spare: number
  /** Pages of each process's address space. */
  readonly pages: number
  /** Processes at one time. */
  readonly processes: number
  /** Workers that may be attached at one time. */
  readonly workers: number
  /** Pages that may be pinned at one time. */
  readonly pins: number
  /** Places in swap, of 4,096 bytes. */
  readonly swap: number
}

/**
 * The entries of a processor's TLB are flushed in so many sets: a flush of one page takes those with it
 * that are in the same set. A processor may drop entries whenever it likes.
 */
export const TLB_SETS = 64

const GLOBALS = 8
const MM_FIELDS = 7
const PAGE_FIELDS = 11

export class Places {
  /** Locations altogether, those apart that stand for what pages hold. */
  readonly total: number
  /** Frames with the spare ones, without the zero page. */
  readonly allFrames: number
  private readonly mmSize: number
  private readonly mms: number
  private readonly frames: number
  private readonly cpus: number
  private readonly refs: number
  private readonly slots: number

  constructor(readonly size: MemorySize) {
    this.allFrames = size.frames + size.spare
    let at = GLOBALS
    const take = (count: number): number => {
      at += count
      return at - count
    }
    this.mmSize = MM_FIELDS + 2 * size.pages
    this.mms = take(size.processes * this.mmSize)
    this.frames = take((this.allFrames + 1) * PAGE_FIELDS)
    this.cpus = take(size.processes * size.workers * TLB_SETS)
    this.refs = take(size.pins)
    this.slots = take(2 * size.swap)
    this.total = at
  }

  global(index: number): number {
    return index
  }
  mm(mm: number, field: number): number {
    return this.mms + mm * this.mmSize + field
  }
  vma(mm: number, vpn: number): number {
    return this.mms + mm * this.mmSize + MM_FIELDS + vpn
  }
  pte(mm: number, vpn: number): number {
    return this.mms + mm * this.mmSize + MM_FIELDS + this.size.pages + vpn
  }
  page(pfn: number, field: number): number {
    return this.frames + pfn * PAGE_FIELDS + field
  }
  tlb(cpu: number, vpn: number): number {
    return this.cpus + cpu * TLB_SETS + (vpn % TLB_SETS)
  }
  ref(ref: number): number {
    return this.refs + ref
  }
  slot(slot: number, field: number): number {
    return this.slots + 2 * slot + field
  }

  /** Stands for what a frame holds. */
  frameContent(pfn: number): number {
    return this.total + pfn
  }
  /** Stands for what a place in swap holds. */
  slotContent(slot: number): number {
    return this.total + this.allFrames + 1 + slot
  }
  /** The frame, or -1 if the location stands for what a place in swap holds. */
  frameOf(content: number): number {
    const pfn = content - this.total
    return pfn <= this.allFrames ? pfn : -1
  }
  slotOf(content: number): number {
    return content - this.total - this.allFrames - 1
  }
}
