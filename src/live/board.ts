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

/** A worker's part in a memory: its number, and what tells it from those that had the same number before. */
export interface Seat {
  readonly worker: number
  readonly serial: number
}

/** A pinned page: which reference of the machine it is, and to what. */
export interface PinnedPage {
  readonly ref: number
  /** Tells it from those that had the same number before. */
  readonly serial: number
  readonly mm: number
  readonly vpn: number
  readonly flags: GupFlags
  /** Who has taken it. */
  readonly worker: number
}

const FREE_FRAMES = 0
const BIRTHS = 1
const SERIALS = 2
const CLOCK = 3
const PINNING = 4
const GATE = 5
const GLOBALS = 8

/** Words from one worker's pulse to the next, so that they are in different cache lines. */
const PULSE_STRIDE = 16

/** How long whoever waits sleeps before it looks again, in milliseconds. */
const WAIT_MS = 20

const PROCESS_FIELDS = 3
const PIN_FIELDS = 4

export class Board {
  private readonly words: Int32Array
  private readonly counts: number
  private readonly seats: number
  private readonly inside: number
  private readonly pulses: number
  private readonly processes: number
  private readonly pins: number

  constructor(
    private readonly size: MemorySize,
    readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(
      4 *
        (GLOBALS +
          STATISTICS.length +
          (2 + PULSE_STRIDE) * size.workers +
          size.processes * PROCESS_FIELDS +
          size.pins * PIN_FIELDS),
    ),
  ) {
    this.words = new Int32Array(buffer)
    this.counts = GLOBALS
    this.seats = this.counts + STATISTICS.length
    this.inside = this.seats + size.workers
    this.pulses = this.inside + size.workers
    this.processes = this.pulses + PULSE_STRIDE * size.workers
    this.pins = this.processes + size.processes * PROCESS_FIELDS
  }

  /** Frames that are free and not spoken for; negative if spare ones are in use. */
  get free(): number {
    return Atomics.load(this.words, FREE_FRAMES)
  }

  /**
   * Speaks for frames, if there are so many.
   * @param spare how many there may be too few
   */
  reserve(frames: number, spare = 0): boolean {
    // Whoever needs none may be the one that makes some free.
    while (frames > 0) {
      const free = this.free
      if (free + spare < frames) return false
      if (Atomics.compareExchange(this.words, FREE_FRAMES, free, free - frames) === free) return true
    }
    return true
  }

  /** Frames have become free, or were spoken for and not needed; fewer if there were more needed. */
  release(frames: number): void {
    Atomics.add(this.words, FREE_FRAMES, frames)
    Atomics.notify(this.words, FREE_FRAMES)
  }

  /** Sleeps for a moment, or until frames become free. */
  awaitFrames(): void {
    Atomics.wait(this.words, FREE_FRAMES, this.free, WAIT_MS)
  }

  /** The next frame to be looked at by whoever reclaims. */
  nextCandidate(): number {
    return 1 + ((Atomics.add(this.words, CLOCK, 1) >>> 0) % (this.size.frames + this.size.spare))
  }

  count(statistic: Statistic, times = 1): void {
    Atomics.add(this.words, this.counts + STATISTICS.indexOf(statistic), times)
  }

  statistics(): Record<Statistic, number> {
    return Object.fromEntries(
      STATISTICS.map((name, i) => [name, Atomics.load(this.words, this.counts + i)]),
    ) as Record<Statistic, number>
  }

  /** A seat for one more worker; undefined if all are taken. */
  takeSeat(): Seat | undefined {
    const serial = this.nextSerial()
    for (let worker = 0; worker < this.size.workers; worker++) {
      if (Atomics.compareExchange(this.words, this.seats + worker, 0, serial) === 0) return { worker, serial }
    }
    return undefined
  }

  /** Sits down: only one can. */
  sit({ worker, serial }: Seat): boolean {
    return Atomics.compareExchange(this.words, this.seats + worker, serial, -serial) === serial
  }

  /** Gives up a seat, if it is still this one's. */
  leaveSeat({ worker, serial }: Seat): void {
    for (const state of [serial, -serial]) Atomics.compareExchange(this.words, this.seats + worker, state, 0)
  }

  isTaken({ worker, serial }: Seat): boolean {
    return Math.abs(Atomics.load(this.words, this.seats + worker)) === serial
  }

  /** Not 0, and never the same again. */
  private nextSerial(): number {
    return (Atomics.add(this.words, SERIALS, 1) + 1) & 0x3fffffff || this.nextSerial()
  }

  /** A worker has made a step: whoever waits sees that others are alive. */
  beat(worker: number): void {
    this.words[this.pulses + PULSE_STRIDE * worker]!++
  }

  /** Changes as long as any worker but one makes steps. */
  pulseBeside(one: number): number {
    let sum = 0
    for (let worker = 0; worker < this.size.workers; worker++)
      if (worker !== one) sum = (sum + Atomics.load(this.words, this.pulses + PULSE_STRIDE * worker)) | 0
    return sum
  }

  /**
   * A worker begins to take references, and waits until nobody keeps the gate. `endPinning` follows.
   * @param onWait called again and again while it waits; may throw
   */
  beginPinning(onWait: () => void): void {
    for (;;) {
      Atomics.add(this.words, PINNING, 1)
      if (Atomics.load(this.words, GATE) === 0) return
      this.endPinning()
      Atomics.wait(this.words, GATE, 1, WAIT_MS)
      onWait()
    }
  }

  endPinning(): void {
    Atomics.sub(this.words, PINNING, 1)
    Atomics.notify(this.words, PINNING)
  }

  /**
   * Keeps all from taking references, and waits until nobody does. `openGate` follows.
   * @param onWait called again and again while it waits; may throw
   */
  closeGate(onWait: () => void): void {
    while (Atomics.compareExchange(this.words, GATE, 0, 1) !== 0) {
      Atomics.wait(this.words, GATE, 1, WAIT_MS)
      onWait()
    }
    try {
      for (let pinning = Atomics.load(this.words, PINNING); pinning > 0; ) {
        Atomics.wait(this.words, PINNING, pinning, WAIT_MS)
        onWait()
        pinning = Atomics.load(this.words, PINNING)
      }
    } catch (error) {
      this.openGate()
      throw error
    }
  }

  openGate(): void {
    Atomics.store(this.words, GATE, 0)
    Atomics.notify(this.words, GATE)
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

  isIn(mm: number, worker: number): boolean {
    return (Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS + 1) & (1 << worker)) !== 0
  }

  workersIn(mm: number): number[] {
    const mask = Atomics.load(this.words, this.processes + mm * PROCESS_FIELDS + 1)
    const workers: number[] = []
    for (let worker = 0; worker < this.size.workers; worker++) if (mask & (1 << worker)) workers.push(worker)
    return workers
  }

  /** A reference for a page that is about to be pinned; undefined if all are in use. */
  takePin(worker: number, mm: number, vpn: number, flags: GupFlags): PinnedPage | undefined {
    const { pins } = this.size
    const serial = this.nextSerial()
    for (let i = 0; i < pins; i++) {
      const ref = (serial + i) % pins
      const at = this.pins + ref * PIN_FIELDS
      if (Atomics.compareExchange(this.words, at, 0, BEING_TAKEN) !== 0) continue
      const packed = (flags.write ? 1 : 0) | (flags.pin ? 2 : 0) | (flags.longterm ? 4 : 0) | (worker << 3)
      Atomics.store(this.words, at + 1, mm)
      Atomics.store(this.words, at + 2, vpn)
      Atomics.store(this.words, at + 3, packed)
      // Last: whoever finds the serial finds what belongs to it.
      Atomics.store(this.words, at, serial)
      return { ref, serial, mm, vpn, flags, worker }
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

  dropPin({ ref }: PinnedPage): void {
    Atomics.store(this.words, this.pins + ref * PIN_FIELDS, 0)
  }

  /** All that are in use, and are not being taken or released just now. */
  allPins(): PinnedPage[] {
    const found: PinnedPage[] = []
    for (let ref = 0; ref < this.size.pins; ref++) {
      const at = this.pins + ref * PIN_FIELDS
      const field = (i: number): number => Atomics.load(this.words, at + i)
      const [serial, mm, vpn, packed] = [field(0), field(1), field(2), field(3)]
      const flags = { write: (packed & 1) !== 0, pin: (packed & 2) !== 0, longterm: (packed & 4) !== 0 }
      if (serial > 0) found.push({ ref, serial, mm, vpn, flags, worker: packed >> 3 })
    }
    return found
  }
}

/** No serial is one of these. */
const BEING_RELEASED = -1
const BEING_TAKEN = -2
