/** What the workers of a memory know of each other, beside the machine itself: who is where, and what is counted. */
import type { GupFlags } from '../mm/machine.ts'
import type { MemorySize } from './places.ts'

/** What is counted, since the memory was made. */
export const STATISTICS = [
  /** Page faults. */
  'faults',
  /** Pages copied, by write faults and by fork. */
  'copies',
  /** Write faults that kept the page that they found. */
  'reuses',
  /** Faults that gave the owner a page of its own before a reference was taken. */
  'unshares',
  /** TLB flushes, one for each processor that was flushed. */
  'flushes',
  'swapIns',
  'swapOuts',
  'forks',
  /** Pages pinned. */
  'pins',
] as const
export type Statistic = (typeof STATISTICS)[number]

/** A pinned page: which reference of the machine it is, and to what. */
export interface PinnedPage {
  readonly ref: number
  /** Tells it from those that had the same number before. */
  readonly serial: number
  readonly mm: number
  /** Tells its process from those that had the same number before. */
  readonly birth: number
  readonly vpn: number
  readonly flags: GupFlags
  /** Who has taken it. */
  readonly worker: number
}

const FREE_FRAMES = 0
const BIRTHS = 1
const SERIALS = 2
const CLOCK = 3
const SEATS = 4
const GLOBALS = 8

const PROCESS_FIELDS = 4
const PIN_FIELDS = 5

export class Board {
  private readonly words: Int32Array
  private readonly counts: number
  private readonly inside: number
  private readonly processes: number
  private readonly pins: number

  constructor(
    private readonly size: MemorySize,
    readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(
      4 *
        (GLOBALS +
          STATISTICS.length +
          size.workers +
          size.processes * PROCESS_FIELDS +
          size.pins * PIN_FIELDS),
    ),
  ) {
    this.words = new Int32Array(buffer)
    this.counts = GLOBALS
    this.inside = this.counts + STATISTICS.length
    this.processes = this.inside + size.workers
    this.pins = this.processes + size.processes * PROCESS_FIELDS
  }

  /** Frames that are free and not spoken for. */
  get free(): number {
    return Atomics.load(this.words, FREE_FRAMES)
  }

  /** Speaks for frames, if there are so many. */
  reserve(frames: number): boolean {
    for (;;) {
      const free = this.free
      if (free < frames) return false
      if (Atomics.compareExchange(this.words, FREE_FRAMES, free, free - frames) === free) return true
    }
  }

  /** Frames have become free, or were spoken for and not needed; fewer if there were more needed. */
  release(frames: number): void {
    Atomics.add(this.words, FREE_FRAMES, frames)
  }

  /** The next frame to be looked at by whoever reclaims. */
  nextCandidate(): number {
    return 1 + ((Atomics.add(this.words, CLOCK, 1) >>> 0) % this.size.frames)
  }

  count(statistic: Statistic, times = 1): void {
    Atomics.add(this.words, this.counts + STATISTICS.indexOf(statistic), times)
  }

  statistics(): Record<Statistic, number> {
    return Object.fromEntries(
      STATISTICS.map((name, i) => [name, Atomics.load(this.words, this.counts + i)]),
    ) as Record<Statistic, number>
  }

  /** A number for one more worker; -1 if all are taken. */
  takeSeat(): number {
    for (let worker = 0; worker < this.size.workers; worker++) {
      if ((Atomics.or(this.words, SEATS, 1 << worker) & (1 << worker)) === 0) return worker
    }
    return -1
  }

  leaveSeat(worker: number): void {
    Atomics.and(this.words, SEATS, ~(1 << worker))
  }

  isSeated(worker: number): boolean {
    return (Atomics.load(this.words, SEATS) & (1 << worker)) !== 0
  }

  /** Whether a worker is in the middle of a system call or a fault. */
  setInside(worker: number, inside: boolean): void {
    Atomics.store(this.words, this.inside + worker, inside ? 1 : 0)
  }

  isInside(worker: number): boolean {
    return Atomics.load(this.words, this.inside + worker) !== 0
  }

  /** A number for one more process, which is the youngest; -1 if all are taken. */
  bear(): number {
    for (let mm = 0; mm < this.size.processes; mm++) {
      const at = this.processes + mm * PROCESS_FIELDS
      if (Atomics.compareExchange(this.words, at, 0, 1) !== 0) continue
      Atomics.store(this.words, at + 2, Atomics.add(this.words, BIRTHS, 1) + 1)
      Atomics.store(this.words, at + 3, 0)
      return mm
    }
    return -1
  }

  bury(mm: number): void {
    const at = this.processes + mm * PROCESS_FIELDS
    Atomics.store(this.words, at + 1, 0)
    Atomics.store(this.words, at, 0)
  }

  isAlive(mm: number): boolean {
    return (
      mm >= 0 &&
      mm < this.size.processes &&
      Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS) !== 0
    )
  }

  /** Tells a process from those that had its number before. */
  birthOf(mm: number): number {
    return Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS + 2)
  }

  byAge(): number[] {
    const alive: number[] = []
    for (let mm = 0; mm < this.size.processes; mm++) if (this.isAlive(mm)) alive.push(mm)
    return alive.sort((a, b) => this.birthOf(a) - this.birthOf(b))
  }

  /** A worker comes into a process, and may from now on have its entries in a TLB. */
  enter(mm: number, worker: number): void {
    Atomics.or(this.words, this.processes + mm * PROCESS_FIELDS + 1, 1 << worker)
  }

  leave(mm: number, worker: number): void {
    Atomics.and(this.words, this.processes + mm * PROCESS_FIELDS + 1, ~(1 << worker))
  }

  workersIn(mm: number): number[] {
    const mask = Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS + 1)
    const workers: number[] = []
    for (let worker = 0; worker < this.size.workers; worker++) if (mask & (1 << worker)) workers.push(worker)
    return workers
  }

  /** How many pages of a process are pinned. */
  pinsOf(mm: number): number {
    return Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS + 3)
  }

  /** A reference for a page that is about to be pinned; undefined if all are in use. */
  takePin(worker: number, mm: number, vpn: number, flags: GupFlags): PinnedPage | undefined {
    const { pins } = this.size
    const birth = this.birthOf(mm)
    const serial = (Atomics.add(this.words, SERIALS, 1) + 1) | 0 || 1
    for (let i = 0; i < pins; i++) {
      const ref = ((serial >>> 0) + i) % pins
      const at = this.pins + ref * PIN_FIELDS
      if (Atomics.compareExchange(this.words, at, 0, serial) !== 0) continue
      const packed = (flags.write ? 1 : 0) | (flags.pin ? 2 : 0) | (flags.longterm ? 4 : 0) | (worker << 3)
      Atomics.store(this.words, at + 1, mm)
      Atomics.store(this.words, at + 2, vpn)
      Atomics.store(this.words, at + 3, packed)
      Atomics.store(this.words, at + 4, birth)
      if (flags.pin) Atomics.add(this.words, this.processes + mm * PROCESS_FIELDS + 3, 1)
      return { ref, serial, mm, birth, vpn, flags, worker }
    }
    return undefined
  }

  isPinned({ ref, serial }: PinnedPage): boolean {
    return Atomics.load(this.words, this.pins + ref * PIN_FIELDS) === serial
  }

  /** Claims the right to release a pinned page: only one can. `dropPin` follows. */
  claimRelease({ ref, serial }: PinnedPage): boolean {
    const at = this.pins + ref * PIN_FIELDS
    return Atomics.compareExchange(this.words, at, serial, BEING_RELEASED) === serial
  }

  dropPin({ ref, mm, birth, flags }: PinnedPage): void {
    if (flags.pin && this.birthOf(mm) === birth)
      Atomics.sub(this.words, this.processes + mm * PROCESS_FIELDS + 3, 1)
    Atomics.store(this.words, this.pins + ref * PIN_FIELDS, 0)
  }

  /** All that are in use. */
  allPins(): PinnedPage[] {
    const found: PinnedPage[] = []
    for (let ref = 0; ref < this.size.pins; ref++) {
      const at = this.pins + ref * PIN_FIELDS
      const field = (i: number): number => Atomics.load(this.words, at + i)
      const [serial, mm, vpn, packed, birth] = [field(0), field(1), field(2), field(3), field(4)]
      const flags = { write: (packed & 1) !== 0, pin: (packed & 2) !== 0, longterm: (packed & 4) !== 0 }
      if (serial !== 0) found.push({ ref, serial, mm, birth, vpn, flags, worker: packed >> 3 })
    }
    return found
  }
}

/** No serial is this. */
const BEING_RELEASED = -0x80000000
