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
import { ON_LRU, ZERO_PFN } from '../mm/machine.ts'
import { type Pte, pte_none, pte_pfn, pte_present, pte_swp_slot } from '../mm/pte.ts'
import { reclaim_frame } from '../mm/vmscan.ts'
import { Arena, mayWait } from './arena.ts'
import { Board, type PinnedPage, type Statistic } from './board.ts'
import { Contents, MemorySwap, type SwapDevice } from './contents.ts'
import { Aborted } from './error.ts'
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
  /** Tells that worker from those that had its number before. */
  readonly serial: number
  /** In milliseconds: how long one who waits is content to see nobody move. */
  readonly patience: number
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
  /** Frames that the path which is running may allocate, and has allocated. */
  private reserved = 0
  private allocated = 0
  /** What has happened, and was not told yet. */
  private readonly untold: Statistic[] = []
  private watched = { pulse: 0, wait: 0, at: 0, still: 0 }
  /** Tells one wait from the next. */
  private wait = 0
  private starving = false

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
    this.arena.onWait = () => this.watch()
    const random = new Random(worker, Date.now())
    this.machine = new LiveMachine(design.rules, places, this.board, this.arena, random)
    const transaction = new Transaction(worker, this.arena, undefined, random, this.contents)
    this.thread = new LiveThread(this.arena, transaction, this.machine, {
      beforeStep: (effect) => this.beforeStep(effect),
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
  ended(handle: Pick<MemoryHandle, 'worker' | 'serial'>): boolean {
    const { board, arena } = this
    // Whoever has detached has left everything already, and its number may be another one's.
    if (!board.isTaken(handle)) return !arena.aborted
    const { worker } = handle
    if (board.isInside(worker)) {
      this.breakDown()
      return false
    }
    const pins = arena.aborted ? [] : board.allPins().filter((pin) => pin.worker === worker)
    if (pins.length > 0) {
      this.systemCall(() => {
        for (const pin of pins) if (board.claimRelease(pin)) this.unpin(pin)
      })
    }
    for (let mm = 0; mm < this.size.processes; mm++) this.leave(mm, worker)
    board.leaveSeat(handle)
    return !arena.aborted
  }

  /** A worker leaves a process: what its TLB has is good no more. */
  leave(mm: number, worker: number): void {
    this.board.leave(mm, worker)
    this.forget(this.machine.processor(mm, worker))
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
    const counted = this.board.free + this.size.spare
    if (free !== counted) return `${free} frames are free and ${counted} are counted as free`
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
      this.reserved = frames
      this.allocated = 0
      try {
        return this.perform(procedure as unknown as Procedure, args) as R
      } finally {
        this.board.release(this.reserved - this.allocated)
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
      throw this.brokenBy(error)
    } finally {
      board.setInside(worker, within)
      if (!within) this.tell()
    }
  }

  /** Waits for another worker, somewhere else than at a lock. */
  readonly onWait = (): void => {
    this.watch()
    this.usable()
  }

  /**
   * How many pages of a process are pinned, by whomever: all those that fork may have to copy, as long as nobody pins
   * another.
   */
  pinnedPagesOf(mm: number): number {
    const { machine, arena } = this
    if (arena.get(machine.mm[mm]!.has_pinned.location) === 0) return 0
    let pinned = 0
    for (const pte of this.entriesOf(mm)) {
      // The swap cache has 1 + the frame, or 0.
      const pfn = pte_present(pte) ? pte_pfn(pte) : arena.get(machine.places.slot(pte_swp_slot(pte), 1)) - 1
      if (pfn > ZERO_PFN && arena.get(machine.page[pfn]!.pins.location) > 0) pinned++
    }
    return pinned
  }

  /** Pages that a process has mapped, or in swap. */
  pagesOf(mm: number): number {
    return this.entriesOf(mm).length
  }

  /** The entries of a page table that are not empty. */
  private entriesOf(mm: number): Pte[] {
    const entries: Pte[] = []
    for (let vpn = 0; vpn < this.size.pages; vpn++) {
      const pte = this.arena.get(this.machine.places.pte(mm, vpn))
      if (!pte_none(pte)) entries.push(pte)
    }
    return entries
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

  /** Runs a path, which holds locks if anything is thrown in it: then the memory is broken, whatever that was. */
  private perform(procedure: Procedure, args: readonly Plain[]): Plain | void {
    try {
      return this.thread.run(procedure, args)
    } catch (error) {
      if (error instanceof MemoryBroken) throw error
      throw this.brokenBy(error)
    }
  }

  private brokenBy(error: unknown): MemoryBroken {
    this.breakDown()
    if (error instanceof Aborted) return new MemoryBroken(BROKEN, { cause: error })
    const why = error instanceof Error ? error.message : String(error)
    return new MemoryBroken(`the memory is broken: ${why}`, { cause: error })
  }

  count(what: Statistic, times = 1): void {
    this.board.count(what, times)
    if (this.options.onEvent === undefined) return
    for (let i = 0; i < times; i++) this.untold.push(what)
    if (!this.board.isInside(this.worker)) this.tell()
  }

  /** Tells what has happened, while nothing is held: whoever is told may use the memory, or fail. */
  private tell(): void {
    for (let what = this.untold.shift(); what !== undefined; what = this.untold.shift())
      this.options.onEvent?.({ what, worker: this.worker })
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
    if (this.arena.aborted) throw new MemoryBroken(BROKEN)
    if (!this.board.isTaken(this.handle))
      throw new NotAttached('somebody has said that this worker has ended')
  }

  /** Whether this worker is still who it was when it attached. */
  get isSeated(): boolean {
    return this.attached && this.board.isTaken(this.handle)
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
    for (let cpu = 0; cpu < this.machine.cpu.length; cpu++) this.forget(cpu)
  }

  /** Makes a TLB's entries useless, and ends a store that its worker may have been in the middle of. */
  private forget(cpu: number): void {
    const { version } = this.arena
    const first = this.machine.places.tlb(cpu, 0)
    for (let set = 0; set < TLB_SETS; set++) {
      const before = Atomics.load(version, first + set)
      Atomics.compareExchange(version, first + set, before, ((before | 1) + 1) | 0)
    }
  }

  /** Called while this worker waits: if nobody has made a step for long, who holds the lock is gone. */
  private watch(): void {
    const { watched, wait } = this
    const now = Date.now()
    const pulse = this.board.pulseBeside(this.worker)
    if (pulse !== watched.pulse || wait !== watched.wait) this.watched = { pulse, wait, at: now, still: 0 }
    else {
      // A machine that was asleep has not been patient.
      watched.still += Math.min(now - watched.at, MOST_AT_ONCE_MS)
      watched.at = now
      if (watched.still > this.handle.patience) this.breakDown()
    }
  }

  private beforeStep(effect: Effect): void {
    this.board.beat(this.worker)
    // What is done for want of a frame is part of waiting for one.
    if (!this.starving) this.wait++
    if (this.allocated >= this.reserved && this.observerOf(effect) === 'allocate') this.reserveOneMore()
  }

  /**
   * A path needs a frame more than could be foreseen, since others undo what it does. Where it allocates it holds no
   * lock that reclaim waits for, as in the kernel (GFP_KERNEL).
   */
  private reserveOneMore(): void {
    const { board } = this
    this.starving = true
    while (!board.reserve(1)) {
      if (this.reclaimInside(1 + RECLAIM_MORE) > 0 || board.free > 0) continue
      if (board.reserve(1, this.size.spare)) break
      board.awaitFrames()
      this.onWait()
    }
    this.starving = false
    this.reserved++
  }

  private reserve(frames: number): void {
    while (!this.board.reserve(frames)) {
      if (this.reclaimInside(frames + RECLAIM_MORE) === 0 && this.board.free < frames) {
        const free = Math.max(0, this.board.free)
        const none = this.size.swap === 0 ? 'there is no swap' : 'nothing more can be swapped out'
        throw new OutOfMemory(
          `out of memory: ${frames} frame${frames === 1 ? ' is' : 's are'} needed, ${free} of ${this.size.frames} are free, and ${none}`,
        )
      }
    }
  }

  private reclaimInside(frames: number): number {
    const { board, machine, arena } = this
    if (this.size.swap === 0) return 0
    const before = board.free
    for (let looked = 0; looked < 2 * machine.places.allFrames && board.free - before < frames; looked++) {
      const pfn = board.nextCandidate()
      const { refcount, lru } = machine.page[pfn]!
      if (arena.get(refcount.location) === 0 || arena.get(lru.location) !== ON_LRU) continue
      this.perform(reclaim_frame as unknown as Procedure, [pfn])
    }
    return Math.max(0, board.free - before)
  }

  private observerOf(done: Effect | Procedure): Observer | undefined {
    let observer = this.observers.get(done)
    if (observer === undefined && !this.observers.has(done)) {
      observer = OBSERVED[done.name]
      this.observers.set(done, observer)
    }
    return observer
  }

  private observe(done: Effect | Procedure, args: readonly Plain[]): void {
    const observer = this.observerOf(done)
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

const BROKEN = 'the memory is broken: a worker ended, or failed, in the middle of a step'

/** So much of the time between two looks counts as waiting, in milliseconds. */
const MOST_AT_ONCE_MS = 100

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
