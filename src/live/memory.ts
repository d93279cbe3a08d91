/**
 * A memory that several workers share, with processes in it that share pages by copy-on-write: the
 * kernel's paths and a design's rules, run on real bytes.
 */
import { type Design, designNamed } from '../designs/index.ts'
import type { Steps } from '../engine/index.ts'
import type { Kernel } from '../mm/kernel.ts'
import { RUNNING as PROCESS_RUNNING } from '../mm/machine.ts'
import { MAX_PFN, MAX_SWAP_SLOT } from '../mm/pte.ts'
import { Arena, RUNNING } from './arena.ts'
import { Board, type Statistic } from './board.ts'
import { PAGE_SIZE, type SwapDevice } from './contents.ts'
import { initialValues } from './machine.ts'
import { InvalidCall, NotAttached } from './memory_error.ts'
import { Pin, type PinHandle } from './pin.ts'
import { type MemorySize, Places } from './places.ts'
import { Process } from './process.ts'
import { type AttachOptions, type MemoryEvent, type MemoryHandle, Session } from './session.ts'

export interface MemoryOptions {
  /** Whose rules: the name of one of Cowherd's designs, or a design of your own. */
  readonly design: string | Design
  /** Frames of 4,096 bytes, from 1 up. */
  readonly frames: number
  /** Pages of each process's address space; without it, as many as there are frames. */
  readonly pages?: number
  /** Processes at one time, 1 to 31; without it 8. */
  readonly processes?: number
  /** Workers that can be attached at one time, 1 to 15; without it 8. */
  readonly workers?: number
  /** Pages that can be pinned at one time; without it, as many as there are frames. */
  readonly pins?: number
  /** Places in swap, in memory; without it none, and pages are never swapped out. */
  readonly swap?: number
  /**
   * Milliseconds; without it 10,000. If whoever waits for others sees that for so long none of them has made a step, one
   * that has ended holds a lock, and the memory is broken.
   */
  readonly patience?: number
  /** Called with what has happened in this worker, when the system call in which it did is over. */
  readonly onEvent?: (event: MemoryEvent) => void
}

/** Frames for paths that need more than could be foreseen, for each worker. */
const SPARE = 4
const MOST_WORKERS = 15
const PATIENCE_MS = 10_000
/** As many bytes as one array can have everywhere. */
const MOST_BYTES = 2 ** 32 - 1

/** No thread of a memory is ever the last that could wake another. */
const NEVER_THE_LAST = 1 << 20

export class Memory {
  private constructor(private readonly session: Session) {}

  /**
   * Makes a memory; this worker is attached to it.
   * @throws InvalidCall if there cannot be such a memory; the message says why
   */
  static create(options: MemoryOptions, swapDevice?: SwapDevice): Memory {
    if (typeof SharedArrayBuffer === 'undefined') {
      throw new InvalidCall(
        'this JavaScript has no SharedArrayBuffer (a web page needs to be cross-origin isolated), so workers cannot ' +
          'share memory. What can happen, without threads, says the checker: cowherd check, or checkCell of the package cowherd',
      )
    }
    const design = typeof options?.design === 'string' ? designNamed(options.design) : options?.design
    if (design?.rules === undefined) throw new InvalidCall(`there is no design "${options?.design}"`)
    if (design.rules.shares_nothing) {
      throw new InvalidCall(
        `${design.name} shares no pages, so there is nothing to run; it is what designs are compared with`,
      )
    }
    const { frames, pages = frames, processes = 8, workers = 8, pins = frames, swap = 0 } = options
    const { patience = PATIENCE_MS } = options
    within('frames', frames, 1, Math.min(MAX_PFN, 2 ** 20) - SPARE * MOST_WORKERS - 2)
    within('pages', pages, 1, 2 ** 20)
    within('processes', processes, 1, 31)
    within('workers', workers, 1, MOST_WORKERS)
    within('patience', patience, 1, 2 ** 30)
    within('pins', pins, 1, 2 ** 20)
    within('swap', swap, 0, Math.min(MAX_SWAP_SLOT, 2 ** 22))
    if (swapDevice !== undefined && swap === 0) {
      throw new InvalidCall('a swap device, and no places in it; the option swap says how many there are')
    }
    const size: MemorySize = { frames, spare: SPARE * workers, pages, processes, workers, pins, swap }
    const places = new Places(size)
    const arena = roomFor(
      'all that is kept of pages and processes',
      Arena.bytes(places.total),
      () => new Arena(places.total),
    )
    for (const [location, value] of initialValues(places)) Atomics.store(arena.value, location, value)
    Atomics.store(arena.control, RUNNING, NEVER_THE_LAST)
    const board = new Board(size)
    board.release(frames)
    const seat = board.takeSeat()!
    board.sit(seat)
    const bytes = (pages: number): SharedArrayBuffer =>
      roomFor(`${pages} pages`, pages * PAGE_SIZE, () => new SharedArrayBuffer(pages * PAGE_SIZE))
    const handle: MemoryHandle = {
      kind: 'cowherd memory',
      design: design.name,
      size,
      ...seat,
      patience,
      arena: arena.buffer,
      board: board.buffer,
      frames: bytes(places.allFrames + 1),
      swap: swap > 0 && swapDevice === undefined ? bytes(swap) : undefined,
    }
    const session = new Session(design, handle, {
      ...(options.onEvent && { onEvent: options.onEvent }),
      ...(swapDevice && { swapDevice }),
    })
    return new Memory(session)
  }

  /**
   * Attaches this worker to a memory that another one has made.
   * @param handle from `share`; each is for one worker
   * @throws NotAttached if this is no handle, or the worker that it is for has attached already, or has ended
   */
  static attach(handle: MemoryHandle, options: AttachOptions = {}): Memory {
    if (handle?.kind !== 'cowherd memory' || !(handle.arena instanceof SharedArrayBuffer)) {
      throw new NotAttached('this is no handle of a memory; memory.share() makes one for each worker')
    }
    const design = options.design ?? designNamed(handle.design)
    if (design === undefined || design.name !== handle.design) {
      throw new NotAttached(`the memory was made with the design "${handle.design}"; attach needs it too`)
    }
    if (handle.size.swap > 0 && handle.swap === undefined && options.swapDevice === undefined) {
      throw new NotAttached('the memory has a swap device; every worker that attaches needs it too')
    }
    const session = new Session(design, handle, options)
    if (!session.board.sit(handle)) {
      throw new NotAttached(
        session.board.isTaken(handle)
          ? 'a worker has attached with this handle; memory.share() makes one for each'
          : 'the worker of this handle has ended',
      )
    }
    return new Memory(session)
  }

  /**
   * What one more worker needs to attach.
   * @throws InvalidCall if there are as many as there can be
   */
  share(): MemoryHandle {
    this.session.usable()
    const seat = this.session.board.takeSeat()
    if (seat === undefined)
      throw new InvalidCall(`${this.session.handle.size.workers} workers are attached; no more can be`)
    return { ...this.session.handle, ...seat }
  }

  /** The number of this worker. */
  get worker(): number {
    return this.session.worker
  }

  get size(): MemorySize {
    return this.session.size
  }

  /**
   * A new process, which has nothing mapped.
   * @throws InvalidCall if there are as many as there can be
   */
  spawn(): Process {
    this.session.usable()
    this.session.worksHere()
    const mm = this.session.systemCall(() => {
      const born = this.session.bear()
      this.session.run(0, begin, born)
      return born
    })
    return this.process(mm)
  }

  /**
   * A process, for use in this worker.
   * @throws InvalidCall if there is no such process
   */
  process(pid: number): Process {
    this.session.usable()
    this.session.worksHere()
    if (!this.session.board.isAlive(pid)) throw new InvalidCall(`there is no process ${pid}`)
    this.session.board.enter(pid, this.session.worker)
    return new Process(this.session, pid)
  }

  /**
   * A pin that another worker has taken, for use in this one.
   * @throws InvalidCall if that is none
   */
  pinned(handle: PinHandle): Pin {
    this.session.usable()
    if (handle?.kind !== 'cowherd pin')
      throw new InvalidCall('this is no pin of another worker; pin.share() makes one')
    return new Pin(this.session, handle.pages, handle.address, handle.length)
  }

  /** The numbers of all processes, the eldest first. */
  processes(): number[] {
    return this.session.board.byAge()
  }

  statistics(): Record<Statistic, number> {
    return this.session.board.statistics()
  }

  /** Frames that are free. */
  get freeFrames(): number {
    return Math.max(0, this.session.board.free)
  }

  /** This worker leaves all processes and drops its pins, and is no longer attached. */
  detach(): void {
    this.session.detach()
  }

  /**
   * To be called when a worker is gone, by whoever knows: with the handle that it had. If it was in the middle of a
   * system call or a fault, the memory is broken from now on. What it had pinned is unpinned.
   * @returns whether the memory is still whole
   * @throws InvalidCall, and nothing has been done, if it had pinned something and this thread may not wait for others
   */
  ended(handle: Pick<MemoryHandle, 'worker' | 'serial'>): boolean {
    if (!Number.isInteger(handle?.worker) || !Number.isInteger(handle.serial)) {
      throw new InvalidCall(
        'this is no handle of a memory; a worker that has ended is told by the one that it had',
      )
    }
    return this.session.ended(handle)
  }

  /**
   * Swaps pages out until so many frames more are free, as kswapd would; call it from a worker of its own to have one.
   * @returns how many have become free
   */
  reclaim(frames: number): number {
    return this.session.reclaim(frames)
  }

  /**
   * Looks whether all counts are what they must be, while no worker is in a system call.
   * @returns what is wrong, in words; undefined if nothing is
   */
  check(): string | undefined {
    return this.session.check()
  }
}

/** A process that nobody has forked begins to run. */
function* begin(k: Kernel, mm: number): Steps<void> {
  yield* k.mm[mm]!.state.write(PROCESS_RUNNING)
}

/** @throws InvalidCall if there is not so much memory */
function roomFor<T>(what: string, bytes: number, make: () => T): T {
  try {
    if (bytes <= MOST_BYTES) return make()
  } catch (cause) {
    throw new InvalidCall(`there is no room for ${what}, ${bytes} bytes`, { cause })
  }
  throw new InvalidCall(
    `there is no room for ${what}: ${bytes} bytes are more than the ${MOST_BYTES} of one array`,
  )
}

function within(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InvalidCall(`${name} is ${value}; expected a whole number from ${least} to ${most}`)
  }
}
