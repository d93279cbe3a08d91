/**
 * A worker's part in a memory: runs the kernel's paths on the shared machine, and keeps account.
 *
 * Nothing here decides anything about pages. This file sees to it that there are frames before a path begins that may
 * need some, so that a path never has to give up half-way; that what happens is counted; and that a memory
 * in which something has gone wrong is not used any more.
 */
import type { Design } from '../designs/index.ts'
import type { Effect, Plain, Procedure, Steps } from '../engine/index.ts'
import { unpin_user_page } from '../mm/gup.ts'
import { countsHold, restHolds } from '../mm/invariants.ts'
import type { Kernel } from '../mm/kernel.ts'
import { ON_LRU } from '../mm/machine.ts'
import { reclaim_frame } from '../mm/vmscan.ts'
import { Arena, mayWait } from './arena.ts'
import { Board, type PinnedPage, type Statistic } from './board.ts'
import { Contents, MemorySwap, type SwapDevice } from './contents.ts'
import { LiveMachine } from './machine.ts'
import { InvalidCall, MemoryBroken, MemoryError, NotAttached, OutOfMemory } from './memory_error.ts'
import { type MemorySize, Places, TLB_SETS } from './places.ts'
import { Random } from './random.ts'
import { LiveThread } from './thread.ts'
import { Transaction } from './transaction.ts'

/** What a viewer may want to know, from the worker in which it happens. */
export interface MemoryEvent {
  readonly what: Statistic
  readonly worker: number
}

/** What another worker needs to attach to a memory: send it by `postMessage` or as `workerData`. */
export interface MemoryHandle {
  readonly kind: 'cowherd memory'
  readonly design: string
  readonly size: MemorySize
  /** The number of the one worker that is to attach with it. */
  readonly worker: number
  readonly arena: SharedArrayBuffer
  readonly board: SharedArrayBuffer
  readonly frames: SharedArrayBuffer
  readonly swap: SharedArrayBuffer | undefined
}

export interface AttachOptions {
  /** A design of your own, which the memory was made with: functions cannot be sent to a worker. */
  readonly design?: Design
  readonly onEvent?: (event: MemoryEvent) => void
  /** The device for pages that are swapped out, if it is not in memory. */
  readonly swapDevice?: SwapDevice
}

export class Session {
  readonly machine: LiveMachine
  readonly arena: Arena
  readonly board: Board
  readonly contents: Contents
  private readonly thread: LiveThread
  private readonly observers = new Map<Effect | Procedure, Observer | undefined>()
  private readonly waits = mayWait()
  private attached = true
  private allocated = 0

  constructor(
    readonly design: Design,
    readonly handle: MemoryHandle,
    private readonly options: AttachOptions,
  ) {
    const { size, worker } = handle
    const places = new Places(size)
    this.arena = new Arena(places.total, handle.arena)
    this.board = new Board(size, handle.board)
    const swap = options.swapDevice ?? (handle.swap === undefined ? undefined : new MemorySwap(handle.swap))
    this.contents = new Contents(places, handle.frames, swap, () => this.board.release(1))
    const random = new Random(worker, Date.now())
    this.machine = new LiveMachine(design.rules, places, this.board, this.arena, random)
    const transaction = new Transaction(worker, this.arena, undefined, random, this.contents)
    this.thread = new LiveThread(this.arena, transaction, this.machine, {
      observe: (done, args) => this.observe(done, args),
    })
  }

  /** The number of this worker. */
  get worker(): number {
    return this.handle.worker
  }

  get size(): MemorySize {
    return this.handle.size
  }

  /** This worker leaves all processes and drops its pins, and is no longer attached. */
  detach(): void {
    if (!this.attached) return
    this.ended(this.handle)
    this.attached = false
  }

  /**
   * To be called when a worker is gone, by whoever knows: with the handle that it had. If it was in the middle of a
   * system call or a fault, the memory is broken from now on. What it had pinned is unpinned, as the kernel does when a
   * file is closed whose holder is gone.
   * @returns whether the memory is still whole
   * @throws InvalidCall, and nothing has been done, if it had pinned something and this thread may not wait for others
   */
  ended({ worker }: Pick<MemoryHandle, 'worker'>): boolean {
    if (this.board.isInside(worker)) {
      this.breakDown()
      return false
    }
    if (!this.arena.aborted) {
      const pins = this.board.allPins().filter((pin) => pin.worker === worker)
      if (pins.length > 0) {
        this.systemCall(() => {
          for (const pin of pins) this.unpin(pin)
        })
      }
    }
    const { places } = this.machine
    for (let mm = 0; mm < this.size.processes; mm++) {
      this.board.leave(mm, worker)
      // It may have been in the middle of a store, which holds off flushes.
      const first = places.tlb(this.machine.processor(mm, worker), 0)
      for (let set = 0; set < TLB_SETS; set++) {
        if (Atomics.load(this.arena.version, first + set) & 1) Atomics.add(this.arena.version, first + set, 1)
      }
    }
    this.board.leaveSeat(worker)
    return !this.arena.aborted
  }

  /**
   * Swaps pages out until so many frames more are free, as kswapd would; call it from a worker of its own to have one.
   * @returns how many have become free
   */
  reclaim(frames: number): number {
    this.usable()
    return this.systemCall(() => this.reclaimInside(frames))
  }

  /**
   * Looks whether all counts are what they must be, while no worker is in a system call.
   * @returns what is wrong, in words; undefined if nothing is
   */
  check(): string | undefined {
    this.usable()
    for (const pin of this.board.allPins()) this.machine.refer(pin.ref, pin)
    const refs = this.machine.ref.filter(({ page }) => this.arena.get(page.location) !== 0)
    const looked = Object.create(this.machine, { ref: { value: refs } }) as Kernel
    const wrong = countsHold(looked, this.arena) ?? restHolds(looked, this.arena)
    if (wrong !== undefined) return wrong
    const free = this.machine.page.filter(({ refcount }) => this.arena.get(refcount.location) === 0).length
    if (free !== this.board.free) return `${free} frames are free and ${this.board.free} are counted as free`
    return undefined
  }

  /**
   * Runs one of the kernel's paths.
   * @param frames that it may need, which are made free before it begins
   * @throws OutOfMemory, before anything has been done; MemoryBroken
   */
  run<A extends readonly Plain[], R extends Plain | void>(
    frames: number,
    procedure: (k: Kernel, ...args: A) => Steps<R>,
    ...args: A
  ): R {
    this.usable()
    return this.systemCall(() => {
      this.reserve(frames)
      this.allocated = 0
      try {
        return this.thread.run(procedure as unknown as Procedure, args) as R
      } finally {
        this.board.release(frames - this.allocated)
      }
    })
  }

  /**
   * Does what must be done as a whole: the memory is broken if this worker ends in the middle of it, or if anything
   * else is thrown than what a system call answers.
   * @throws MemoryBroken; what `work` throws
   */
  systemCall<T>(work: () => T): T {
    const { board, worker } = this
    this.worksHere()
    const within = board.isInside(worker)
    board.setInside(worker, true)
    try {
      return work()
    } catch (error) {
      if (error instanceof MemoryError) throw error
      // Whatever was thrown, it was thrown with locks held.
      this.breakDown()
      throw new MemoryBroken(
        `the memory is broken: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      )
    } finally {
      board.setInside(worker, within)
    }
  }

  /** Whether a reference has its page. */
  isHeld({ ref }: PinnedPage): boolean {
    return this.arena.get(this.machine.places.ref(ref)) !== 0
  }

  /** Drops a reference, if it has its page, and lets others have its number; only one may. */
  unpin(page: PinnedPage): void {
    this.machine.refer(page.ref, page)
    if (this.isHeld(page)) this.run(0, unpin_user_page, page.ref)
    this.board.dropPin(page)
  }

  count(what: Statistic, times = 1): void {
    this.board.count(what, times)
    const { onEvent } = this.options
    if (onEvent !== undefined) for (let i = 0; i < times; i++) onEvent({ what, worker: this.worker })
  }

  /** A number for a new process. */
  bear(): number {
    const mm = this.board.bear()
    if (mm < 0) throw new InvalidCall(`there are ${this.size.processes} processes; no more can be`)
    return mm
  }

  /** @throws NotAttached, MemoryBroken */
  usable(): void {
    if (!this.attached) throw new NotAttached('this worker has detached from the memory')
    if (this.arena.aborted)
      throw new MemoryBroken('the memory is broken: a worker ended, or failed, in the middle of a step')
  }

  /** @throws InvalidCall in a thread that may not wait for others */
  worksHere(): void {
    if (!this.waits)
      throw new InvalidCall(
        'this thread may not wait for others, as a page’s main thread: use the memory in workers',
      )
  }

  private breakDown(): void {
    this.arena.abort()
  }

  private reserve(frames: number): void {
    while (!this.board.reserve(frames)) {
      if (this.reclaimInside(frames + RECLAIM_MORE) === 0 && this.board.free < frames) {
        const none = this.size.swap === 0 ? 'there is no swap' : 'nothing more can be swapped out'
        throw new OutOfMemory(
          `out of memory: ${frames} frame${frames === 1 ? ' is' : 's are'} needed, ${this.board.free} of ${this.size.frames} are free, and ${none}`,
        )
      }
    }
  }

  private reclaimInside(frames: number): number {
    const { board, machine, arena } = this
    if (this.size.swap === 0) return 0
    const before = board.free
    for (let looked = 0; looked < 2 * this.size.frames && board.free - before < frames; looked++) {
      const pfn = board.nextCandidate()
      const { refcount, lru } = machine.page[pfn]!
      if (arena.get(refcount.location) === 0 || arena.get(lru.location) !== ON_LRU) continue
      this.thread.run(reclaim_frame as unknown as Procedure, [pfn])
    }
    return Math.max(0, board.free - before)
  }

  private observe(done: Effect | Procedure, args: readonly Plain[]): void {
    let observer = this.observers.get(done)
    if (observer === undefined && !this.observers.has(done)) {
      observer = OBSERVED[done.name]
      this.observers.set(done, observer)
    }
    if (observer === 'allocate') this.allocated++
    else if (observer === 'faults') {
      this.count((args[0] as { readonly kind: string }).kind === 'unshare' ? 'unshares' : 'faults')
    } else if (observer === 'flush') {
      const location = args[0] as number
      const first = this.machine.places.tlb(0, 0)
      if (location >= first && location < this.machine.places.ref(0)) this.count('flushes')
    } else if (observer !== undefined) this.count(observer)
  }
}

/** How many frames more are made free when there are none. */
const RECLAIM_MORE = 16

type Observer = Statistic | 'allocate' | 'flush'

/** What is counted, by the names of the kernel's functions and of their steps. */
const OBSERVED: Readonly<Record<string, Observer>> = {
  count_one_copy: 'copies',
  wp_page_reuse: 'reuses',
  handle_mm_fault: 'faults',
  flush_all: 'flushes',
  write: 'flush',
  swap_readpage: 'swapIns',
  write_swap_word: 'swapOuts',
  allocate: 'allocate',
}
