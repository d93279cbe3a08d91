/**
 * A process, as one worker sees it: system calls, and loads and stores through a processor of its own.
 *
 * The processor is the hardware. It keeps what it has read of the page table in a TLB, which is
 * private to the worker. What other workers share of it is a version for each set of entries: a flush
 * changes it, and an entry is good only while the version is the one that it was filled at. A store holds the version
 * odd, so a flush by another worker waits until the store is done, and none comes after the flush. A load
 * looks at the version afterwards: if it is the entry's still, it was so when the byte was read.
 *
 * Where the TLB has nothing, the page table is walked, and where that has nothing, there is a page fault, which is
 * the kernel's.
 */
import { atomic, type Response, type Steps, type View } from '../engine/index.ts'
import { do_user_addr_fault } from '../mm/fault.ts'
import { do_exit, do_fork } from '../mm/fork.ts'
import { pin_user_pages, pin_user_pages_fast } from '../mm/gup.ts'
import type { Kernel } from '../mm/kernel.ts'
import { EXITED, type GupFlags } from '../mm/machine.ts'
import { madvise_dontneed } from '../mm/madvise.ts'
import { do_mmap, do_munmap } from '../mm/mmap.ts'
import { mprotect_fixup } from '../mm/mprotect.ts'
import { type Pte, pte_dirty, pte_none, pte_pfn, pte_present, pte_write } from '../mm/pte.ts'
import { walked } from '../mm/tlb.ts'
import { madvise_pageout } from '../mm/vmscan.ts'
import type { PinnedPage } from './board.ts'
import { PAGE_SIZE } from './contents.ts'
import { InvalidCall, NotAttached, OutOfMemory, SegmentationFault } from './memory_error.ts'
import { Pin } from './pin.ts'
import { TLB_SETS } from './places.ts'
import type { Session } from './session.ts'

/** Entries of a TLB; each page has one place in it. A multiple of the number of sets. */
const TLB_ENTRIES = 1024
/** How often an access finds that a flush is under way before it lets others have the processor. */
const SPINS = 20
/** A fault may swap a page in, and then copy it. */
const FRAMES_OF_FAULT = 2
/** Others may undo what a fault has done before the page is pinned. */
const FRAMES_OF_PIN = 4
/** What fork needs beside the copies of pinned pages. */
const FRAMES_OF_FORK = 1

const OFFSET = PAGE_SIZE - 1

export interface PinOptions {
  /** Whether the holder writes (FOLL_WRITE). */
  readonly write: boolean
  /** FOLL_PIN, which is what it is without this; otherwise FOLL_GET. */
  readonly pin?: boolean
  /** FOLL_LONGTERM; without this it is not. */
  readonly longterm?: boolean
  /** Tries the lockless walk first, which is what it does without this. */
  readonly fast?: boolean
}

export class Process {
  private readonly bytes: Uint8Array
  private readonly version: Int32Array
  private readonly sets: number
  /** The page of each entry. */
  private readonly tag = new Int32Array(TLB_ENTRIES).fill(-1)
  /** The same if the entry is writable, and dirty; otherwise -1. */
  private readonly writable = new Int32Array(TLB_ENTRIES).fill(-1)
  private readonly filled = new Int32Array(TLB_ENTRIES)
  private readonly frame = new Int32Array(TLB_ENTRIES)
  private readonly limit: number
  private readonly cpu: number
  private readonly birth: number
  private inside = true

  /** Not to be called but by `Memory.process`. */
  constructor(
    private readonly memory: Session,
    /** Its number. */
    readonly pid: number,
  ) {
    const { machine, arena, contents, board } = memory
    this.cpu = machine.processor(pid, memory.worker)
    this.bytes = contents.bytes
    this.version = arena.version
    this.sets = machine.places.tlb(this.cpu, 0)
    this.limit = memory.size.pages * PAGE_SIZE
    this.birth = board.birthOf(pid)
  }

  /** Loads a byte. @throws SegmentationFault */
  load(address: number): number {
    const hit = this.loadHit(address)
    if (hit >= 0) return hit
    for (let misses = 0; ; misses++) {
      this.fault(address, false, misses)
      const value = this.loadHit(address)
      if (value >= 0) return value
    }
  }

  /** Stores a byte. @throws SegmentationFault, OutOfMemory */
  store(address: number, value: number): void {
    if (this.storeHit(address, value)) return
    for (let misses = 0; ; misses++) {
      this.fault(address, true, misses)
      if (this.storeHit(address, value)) return
    }
  }

  /** Loads a byte if the TLB has its page; -1 if it has not. */
  private loadHit(address: number): number {
    const vpn = address >>> 12
    const entry = vpn & (TLB_ENTRIES - 1)
    // Nothing else than a whole number that fits is the same after a shift.
    if (this.tag[entry] !== vpn || address >>> 0 !== address) return -1
    // Not a plain read, which a processor may do after it has looked at the version.
    const value = Atomics.load(this.bytes, this.frame[entry]! * PAGE_SIZE + (address & OFFSET))
    return Atomics.load(this.version, this.sets + (vpn & (TLB_SETS - 1))) === this.filled[entry] ? value : -1
  }

  /** Stores a byte if the TLB has its page, and for writing. */
  private storeHit(address: number, value: number): boolean {
    const vpn = address >>> 12
    const entry = vpn & (TLB_ENTRIES - 1)
    if (this.writable[entry] !== vpn || address >>> 0 !== address) return false
    // What is no number throws here, and not while the version is held.
    const byte = value & 255
    const at = this.sets + (vpn & (TLB_SETS - 1))
    const version = this.filled[entry]!
    if (Atomics.compareExchange(this.version, at, version, version + 1) !== version) return false
    this.bytes[this.frame[entry]! * PAGE_SIZE + (address & OFFSET)] = byte
    Atomics.store(this.version, at, version)
    return true
  }

  /** Stores bytes, page by page. @throws SegmentationFault, OutOfMemory: then the pages before have been stored to */
  copyIn(address: number, from: Uint8Array): void {
    if (!(from instanceof Uint8Array)) throw new InvalidCall('copyIn of what is no Uint8Array')
    this.eachPage(address, from.length, 'write', (vpn, offset, at, length) => {
      const piece = from.subarray(at, at + length)
      for (let misses = 0; ; misses++) {
        const entry = this.entryFor(vpn, true, misses)
        const set = this.sets + (vpn & (TLB_SETS - 1))
        const version = this.filled[entry]!
        if (Atomics.compareExchange(this.version, set, version, version + 1) !== version) continue
        this.bytes.set(piece, this.frame[entry]! * PAGE_SIZE + offset)
        Atomics.store(this.version, set, version)
        return
      }
    })
  }

  /** Loads bytes, page by page. @throws SegmentationFault */
  copyOut(address: number, length: number): Uint8Array {
    if (!(length <= this.limit)) throw new SegmentationFault(address, 'read')
    const result = new Uint8Array(Math.max(0, length))
    this.eachPage(address, length, 'read', (vpn, offset, at, part) => {
      for (let misses = 0; ; misses++) {
        const entry = this.entryFor(vpn, false, misses)
        const set = this.sets + (vpn & (TLB_SETS - 1))
        const version = this.filled[entry]!
        const from = this.frame[entry]! * PAGE_SIZE + offset
        result.set(this.bytes.subarray(from, from + part), at)
        if (Atomics.load(this.version, set) === version) return
      }
    })
    return result
  }

  /**
   * Maps private memory, which holds zeros.
   * @param length in bytes, from 1 up; whole pages are mapped
   * @returns the address of its first byte
   * @throws InvalidCall if there is no room in the address space
   */
  mmap(length: number, options?: { readonly write?: boolean }): number {
    this.usable()
    const write = options?.write ?? true
    const pages = Math.ceil(length / PAGE_SIZE)
    if (!(Number.isSafeInteger(length) && length > 0))
      throw new InvalidCall(`mmap of ${length} bytes; expected a whole number from 1 up`)
    const vpn = this.memory.run(0, do_mmap, this.cpu, pages, write)
    if (vpn < 0)
      throw new InvalidCall(
        `mmap of ${pages} pages: there is no such room in an address space of ${this.memory.size.pages}`,
      )
    return vpn * PAGE_SIZE
  }

  /** Unmaps all pages of a range, one after the other. */
  munmap(address: number, length: number): void {
    for (const vpn of this.pages(address, length)) this.memory.run(0, do_munmap, this.cpu, vpn)
  }

  /** Discards what the pages of a range hold (MADV_DONTNEED): they hold zeros then. */
  discard(address: number, length: number): void {
    for (const vpn of this.pages(address, length)) this.memory.run(0, madvise_dontneed, this.cpu, vpn)
  }

  /** Changes whether the pages of a range may be written. */
  protect(address: number, length: number, options: { readonly write: boolean }): void {
    const write = options?.write
    if (typeof write !== 'boolean')
      throw new InvalidCall('protect needs to know: { write: true } or { write: false }')
    for (const vpn of this.pages(address, length)) this.memory.run(0, mprotect_fixup, this.cpu, vpn, write)
  }

  /** Swaps the pages of a range out, those that can be (MADV_PAGEOUT). */
  pageOut(address: number, length: number): void {
    if (this.memory.size.swap === 0) throw new InvalidCall('this memory was made without swap')
    for (const vpn of this.pages(address, length)) this.memory.run(0, madvise_pageout, this.cpu, vpn)
  }

  /**
   * Forks: a child with the same memory, copied when it is written to.
   * @returns the child's number, for `memory.process` in whichever worker
   * @throws InvalidCall if there are as many processes as there can be; OutOfMemory
   */
  fork(): number {
    this.usable()
    const { memory } = this
    const child = memory.systemCall(() => {
      const born = memory.bear()
      try {
        this.forkInto(born)
      } catch (error) {
        if (error instanceof OutOfMemory) memory.board.bury(born)
        throw error
      }
      return born
    })
    memory.count('forks')
    return child
  }

  /**
   * Forks, with frames for the pages that are copied. Which ones is the design's to decide: none that is not pinned. Where
   * there are not frames enough for all, those that are pinned are counted, and nobody may pin another meanwhile.
   */
  private forkInto(child: number): void {
    const { memory, pid, cpu } = this
    const { board } = memory
    const copies = memory.design.rules.marks_pinned_mm
    const most = copies ? memory.pagesOf(pid) : 0
    if (board.free >= 2 * (FRAMES_OF_FORK + most)) {
      memory.run(FRAMES_OF_FORK + most, do_fork, cpu, child)
      return
    }
    board.closeGate(memory.onWait)
    try {
      memory.run(FRAMES_OF_FORK + (copies ? memory.pinnedPagesOf(pid) : 0), do_fork, cpu, child)
    } finally {
      board.openGate()
    }
  }

  /**
   * Takes references to the pages of a range, as the kernel does for a device.
   * @throws SegmentationFault if a page is not mapped, or not for writing; InvalidCall if too many are pinned; OutOfMemory.
   *   Then none is.
   */
  pin(address: number, length: number, options: PinOptions): Pin {
    const { write, pin = true, longterm = false, fast = true } = options ?? {}
    if (typeof write !== 'boolean')
      throw new InvalidCall('pin needs to know: { write: true } or { write: false }')
    const flags: GupFlags = { write, pin, longterm }
    const { memory } = this
    const pages: PinnedPage[] = []
    const all = new Pin(memory, pages, address, length)
    memory.systemCall(() => {
      memory.board.beginPinning(memory.onWait)
      try {
        for (const vpn of this.pages(address, length)) {
          const page = memory.board.takePin(memory.worker, this.pid, vpn, flags)
          if (page === undefined)
            throw new InvalidCall(`${memory.size.pins} pages are pinned; no more can be`)
          pages.push(page)
          memory.machine.refer(page.ref, page)
          memory.run(FRAMES_OF_PIN, fast ? pin_user_pages_fast : pin_user_pages, this.cpu, page.ref)
          if (!memory.isHeld(page)) throw new SegmentationFault(vpn * PAGE_SIZE, write ? 'write' : 'read')
        }
      } catch (error) {
        if (
          error instanceof OutOfMemory ||
          error instanceof InvalidCall ||
          error instanceof SegmentationFault
        )
          all.unpin()
        throw error
      } finally {
        memory.board.endPinning()
      }
    })
    memory.count('pins', pages.length)
    return all
  }

  /** This worker leaves the process, which goes on. */
  leave(): void {
    const { memory, pid, birth } = this
    if (!this.inside) return
    this.inside = false
    // By now the worker may be gone, or its number another one's, and so may the process.
    if (memory.isSeated && memory.board.birthOf(pid) === birth) memory.leave(pid, memory.worker)
  }

  /**
   * Ends the process: all its memory is unmapped.
   * @throws InvalidCall if other workers are in it
   */
  exit(): void {
    this.usable()
    const { memory, pid } = this
    if (memory.board.workersIn(pid).some((worker) => worker !== memory.worker)) {
      throw new InvalidCall(`process ${pid} cannot exit while other workers are in it; they leave by "leave"`)
    }
    memory.systemCall(() => {
      memory.run(0, do_exit, this.cpu)
      memory.run(0, bury, pid)
      this.leave()
      memory.board.bury(pid)
    })
  }

  /** The TLB entry of a page, filled. */
  private entryFor(vpn: number, write: boolean, misses: number): number {
    const entry = vpn & (TLB_ENTRIES - 1)
    const at = this.sets + (vpn & (TLB_SETS - 1))
    const good =
      (write ? this.writable : this.tag)[entry] === vpn &&
      Atomics.load(this.version, at) === this.filled[entry]
    if (!good) this.fault(vpn * PAGE_SIZE, write, misses)
    return entry
  }

  /**
   * Walks the page table and fills the TLB, with the kernel's help if need be.
   * @param misses how often this access has come here in vain: somebody may be in the middle of a flush
   */
  private fault(address: number, write: boolean, misses: number): void {
    this.usable()
    const vpn = Math.floor(address / PAGE_SIZE)
    if (!(Number.isInteger(address) && address >= 0 && address < this.limit)) {
      throw new SegmentationFault(address, write ? 'write' : 'read')
    }
    if (misses >= SPINS) this.memory.arena.nap(this.sets + (vpn & (TLB_SETS - 1)))
    while (!this.walk(vpn, write)) {
      if (!this.memory.run(FRAMES_OF_FAULT, do_user_addr_fault, this.cpu, vpn, write)) {
        throw new SegmentationFault(address, write ? 'write' : 'read')
      }
    }
  }

  private walk(vpn: number, write: boolean): boolean {
    const { machine, arena } = this.memory
    const entry = vpn & (TLB_ENTRIES - 1)
    // The version comes first: a flush that comes after the entry has been read makes the TLB's useless.
    const version = Atomics.load(this.version, this.sets + (vpn & (TLB_SETS - 1)))
    let pte = arena.get(machine.places.pte(this.pid, vpn))
    if (!pte_present(pte) || (write && !pte_write(pte))) return false
    if (write && !pte_dirty(pte)) {
      pte = this.memory.run(0, walk_for_write, this.pid, vpn)
      if (pte_none(pte)) return false
    }
    this.tag[entry] = vpn
    this.filled[entry] = version & ~1
    this.frame[entry] = pte_pfn(pte)
    // With a clean entry the processor walks again, to set the dirty bit.
    this.writable[entry] = pte_write(pte) && pte_dirty(pte) ? vpn : -1
    return true
  }

  private eachPage(
    address: number,
    length: number,
    access: 'read' | 'write',
    visit: (vpn: number, offset: number, at: number, length: number) => void,
  ): void {
    this.usable()
    if (!(Number.isSafeInteger(address) && address >= 0 && Number.isSafeInteger(length))) {
      throw new SegmentationFault(address, access)
    }
    for (let at = 0; at < length; ) {
      const offset = (address + at) % PAGE_SIZE
      const part = Math.min(length - at, PAGE_SIZE - offset)
      visit(Math.floor((address + at) / PAGE_SIZE), offset, at, part)
      at += part
    }
  }

  /** The pages that a range touches. */
  private *pages(address: number, length: number): Generator<number> {
    this.usable()
    if (!(Number.isSafeInteger(address) && Number.isSafeInteger(length) && length > 0)) {
      throw new InvalidCall(
        `a range of ${length} bytes at ${address}; expected whole numbers, and a length from 1 up`,
      )
    }
    const [first, last] = [Math.floor(address / PAGE_SIZE), Math.floor((address + length - 1) / PAGE_SIZE)]
    if (first < 0 || last >= this.memory.size.pages) throw new SegmentationFault(address, 'read')
    for (let vpn = first; vpn <= last; vpn++) yield vpn
  }

  /** @throws NotAttached if this worker has left the process, or the process is another one by now */
  private usable(): void {
    this.memory.usable()
    const { board, worker } = this.memory
    const isIn = this.inside && board.isIn(this.pid, worker)
    if (!isIn || !board.isAlive(this.pid) || board.birthOf(this.pid) !== this.birth) {
      throw new NotAttached(
        `this worker is not in process ${this.pid}, which it has left, or which has ended`,
      )
    }
  }
}

function* walk_for_write(_k: Kernel, mm: number, vpn: number): Steps<Pte> {
  return yield* atomic(walk_and_set_dirty, mm, vpn)
}

function walk_and_set_dirty(view: View, k: Kernel, mm: number, vpn: number): Response {
  return walked(view, k, mm, vpn, true)
}

/** A process that has exited is as if it had never been. */
function* bury(k: Kernel, mm: number): Steps<void> {
  yield* k.mm[mm]!.state.waitFor(EXITED)
  yield* k.mm[mm]!.has_pinned.write(0)
  yield* k.mm[mm]!.tlb_flush_batched.write(0)
}
