/**
 * A machine with thousands of frames, in the shape that the kernel's paths know (`mm/machine.ts`). Its
 * handles are made when they are asked for, and processes, processors and references come and go.
 *
 * What a page holds is one word: a location that stands for all its bytes (`contents.ts`).
 */
import { Cell, Layout, Lock, RwLock, type View } from '../engine/index.ts'
import type { Kernel, Rules } from '../mm/kernel.ts'
import {
  type Cpu,
  type Finder,
  type MachineConfig,
  type Mm,
  NOT_STARTED,
  type Page,
  type Ref,
  type SwapSlot,
  ZERO_PFN,
} from '../mm/machine.ts'
import { is_free } from '../mm/page_alloc.ts'
import type { Arena } from './arena.ts'
import { type Places, TLB_SETS } from './places.ts'
import type { Random } from './random.ts'

/** What a machine must be told of its processes: who runs where, and in which order they were born. */
export interface Population {
  /** Workers that are in a process, in ascending order. */
  workersIn(mm: number): readonly number[]
  /** All live processes, the eldest first. */
  byAge(): readonly number[]
}

export class LiveMachine implements Kernel {
  readonly layout = new Layout()
  readonly config: MachineConfig
  readonly mm: readonly Mm[]
  readonly page: readonly Page[]
  readonly cpu: readonly Cpu[]
  /** Those that this worker has to do with; see `refer`. */
  readonly ref: Ref[] = []
  readonly register: readonly Cell[] = []
  readonly signal: readonly Cell[] = []
  readonly framesUsed = new Cell(0)
  readonly copies = new Cell(1)
  readonly words = 1
  readonly slot: readonly SwapSlot[]
  readonly slotsUsed = new Cell(2)
  readonly anon_vma = new RwLock(3, 4)
  readonly ksm_thread_mutex = new Lock(5)
  readonly reverse_maps: boolean
  readonly ISOLATED: number
  readonly NOT_ON_LRU: number
  readonly KSM: number
  readonly finder: Finder

  readonly rules: Rules

  constructor(
    rules: Rules,
    readonly places: Places,
    population: Population,
    arena: Arena,
    random: Random,
  ) {
    // Each page would be an area, and fork would take as many locks as there are pages: mmap_lock stands for all.
    this.rules = { ...rules, per_vma_locks: false, fork_locks_vmas: false, dontneed_locks_vma: false }
    const { pages, processes, workers, swap } = places.size
    const frames = places.allFrames
    const cpus = processes * workers
    this.reverse_maps = swap > 0
    this.ISOLATED = cpus + 1
    this.NOT_ON_LRU = cpus + 2
    this.KSM = processes + 1
    this.config = {
      processes: Array.from({ length: processes }, (_, mm) => `process ${mm}`),
      cpus: [],
      pages: new Array(pages),
      references: [],
      registers: [],
      signals: [],
      frames,
      lruBatch: false,
      countCopies: true,
      parents: [],
      swapSlots: swap,
      ksm: false,
      softDirty: false,
    }
    this.mm = Array.from({ length: processes }, (_, mm) => new LiveMm(places, mm, population))
    this.page = Array.from({ length: frames + 1 }, (_, pfn) => new Frame(places, pfn))
    this.cpu = Array.from({ length: cpus }, (_, cpu) => new Processor(places, cpu))
    this.slot = Array.from({ length: swap }, (_, slot) => new Slot(places, slot))
    this.finder = new FreeFinder(this, arena, random)
  }

  /** Makes a reference known to this worker, before it is taken or released here. */
  refer(index: number, reference: Omit<Ref, 'name' | 'page'>): void {
    this.ref[index] = { ...reference, name: `reference ${index}`, page: new Cell(this.places.ref(index)) }
  }

  /** The processor that a worker is while it is in a process. */
  processor(mm: number, worker: number): number {
    return mm * this.places.size.workers + worker
  }
}

const STATE = 0
const MMAP_LOCK = 1
const MMAP_LOCK_WAITING = 2
const PTL = 3
const HAS_PINNED = 4
const SEQUENCE_AND_BATCH = 5

class LiveMm implements Mm {
  readonly name: string
  readonly state: Cell
  readonly mmap_lock: RwLock
  readonly ptl: Lock
  readonly has_pinned: Cell
  readonly write_protect_seq: Cell
  readonly tlb_flush_batched: Cell
  readonly vma_lock: readonly RwLock[] = []
  readonly watched = undefined
  readonly soft_dirty: readonly Cell[] = []
  private areas: readonly Cell[] | undefined
  private entries: readonly Cell[] | undefined

  constructor(
    private readonly places: Places,
    private readonly number: number,
    private readonly population: Population,
  ) {
    const at = (field: number): number => places.mm(number, field)
    this.name = `process ${number}`
    this.state = new Cell(at(STATE))
    // Writers first: a fork must come to its turn while others fault all the time.
    this.mmap_lock = new RwLock(at(MMAP_LOCK), at(MMAP_LOCK_WAITING))
    this.ptl = new Lock(at(PTL))
    this.has_pinned = new Cell(at(HAS_PINNED))
    this.write_protect_seq = new Cell(at(SEQUENCE_AND_BATCH))
    this.tlb_flush_batched = new Cell(at(SEQUENCE_AND_BATCH + 1))
  }

  get vma(): readonly Cell[] {
    const { places, number } = this
    this.areas ??= Array.from({ length: places.size.pages }, (_, vpn) => new Cell(places.vma(number, vpn)))
    return this.areas
  }

  get pte(): readonly Cell[] {
    const { places, number } = this
    this.entries ??= Array.from({ length: places.size.pages }, (_, vpn) => new Cell(places.pte(number, vpn)))
    return this.entries
  }

  get cpus(): readonly number[] {
    const { workers } = this.places.size
    return this.population.workersIn(this.number).map((worker) => this.number * workers + worker)
  }

  /** Any live process may be one: a walk that looks in too many places finds nothing there. */
  get descendants(): readonly number[] {
    return this.population.byAge()
  }
}

class Frame implements Page {
  constructor(
    private readonly places: Places,
    private readonly pfn: number,
  ) {}
  private cell(field: number): Cell {
    return new Cell(this.places.page(this.pfn, field))
  }
  get refcount(): Cell {
    return this.cell(0)
  }
  get mapcount(): Cell {
    return this.cell(1)
  }
  get pins(): Cell {
    return this.cell(2)
  }
  get exclusive(): Cell {
    return this.cell(3)
  }
  get lock(): Lock {
    return new Lock(this.places.page(this.pfn, 4))
  }
  get lru(): Cell {
    return this.cell(5)
  }
  get mapping(): Cell {
    return this.cell(6)
  }
  get index(): Cell {
    return this.cell(7)
  }
  get dirty(): Cell {
    return this.cell(8)
  }
  get writeback(): Cell {
    return this.cell(9)
  }
  get swap(): Cell {
    return this.cell(10)
  }
  get word(): readonly Cell[] {
    return [new Cell(this.places.frameContent(this.pfn))]
  }
}

class Slot implements SwapSlot {
  constructor(
    private readonly places: Places,
    private readonly slot: number,
  ) {}
  get count(): Cell {
    return new Cell(this.places.slot(this.slot, 0))
  }
  get cache(): Cell {
    return new Cell(this.places.slot(this.slot, 1))
  }
  get word(): readonly Cell[] {
    return [new Cell(this.places.slotContent(this.slot))]
  }
}

class Processor implements Cpu {
  readonly name: string
  readonly mm: number
  readonly ended = new Cell(6)
  private entries: Tlb | undefined

  constructor(
    private readonly places: Places,
    private readonly number: number,
  ) {
    this.mm = Math.floor(number / places.size.workers)
    this.name = `processor ${number % places.size.workers} in process ${this.mm}`
  }

  get tlb(): readonly Cell[] {
    if (this.entries === undefined) {
      const { places, number } = this
      const sets = Array.from({ length: TLB_SETS }, (_, set) => new Cell(places.tlb(number, set)))
      const tlb = new Tlb()
      for (let vpn = 0; vpn < places.size.pages; vpn++) tlb.push(sets[vpn % TLB_SETS]!)
      tlb.sets = sets
      this.entries = tlb
    }
    return this.entries
  }
}

/** By vpn, the set that its entry is in. Who goes through all of them finds each set once. */
class Tlb extends Array<Cell> {
  sets: readonly Cell[] = []
  override [Symbol.iterator](): ArrayIterator<Cell> {
    return this.sets[Symbol.iterator]()
  }
}

/** Looks for what seems free, from somewhere on, and makes sure of it as part of the step. */
class FreeFinder implements Finder {
  private nextFrame: number
  private nextSlot: number

  constructor(
    private readonly k: LiveMachine,
    private readonly arena: Arena,
    random: Random,
  ) {
    // Each worker from somewhere else, so that they do not meet.
    this.nextFrame = random.below(k.places.size.frames)
    this.nextSlot = k.slot.length === 0 ? 0 : random.below(k.slot.length)
  }

  frame(view: View): number {
    const { k, arena } = this
    const n = k.page.length
    const { frames } = k.places.size
    const isFree = (pfn: number): boolean => arena.get(k.places.page(pfn, 0)) === 0 && is_free(view, k, pfn)
    for (let i = 0; i < frames; i++) {
      const pfn = ZERO_PFN + 1 + ((this.nextFrame + i) % frames)
      if (!isFree(pfn)) continue
      this.nextFrame = pfn
      return pfn
    }
    for (let pfn = ZERO_PFN + 1 + frames; pfn < n; pfn++) if (isFree(pfn)) return pfn
    // So that whoever waits is woken by any that becomes free.
    for (let pfn = ZERO_PFN + 1; pfn < n; pfn++) view.get(k.places.page(pfn, 0))
    return -1
  }

  slot(view: View): number {
    const { k, arena } = this
    const n = k.slot.length
    for (let i = 0; i < n; i++) {
      const slot = (this.nextSlot + i) % n
      const [count, cache] = [k.places.slot(slot, 0), k.places.slot(slot, 1)]
      if (arena.get(count) !== 0 || arena.get(cache) !== 0) continue
      if (view.get(count) !== 0 || view.get(cache) !== 0) continue
      this.nextSlot = slot + 1
      return slot
    }
    return -1
  }
}

/** What the locations of a new memory hold that is not 0. */
export function initialValues(places: Places): (readonly [location: number, value: number])[] {
  return [
    [places.page(ZERO_PFN, 0), 1],
    [places.mm(0, STATE), NOT_STARTED],
  ]
}
