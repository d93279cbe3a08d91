/**
 * The machine: everything that the kernel's paths and the processors share, as locations of
 * one byte each. The fields are handles: `k.mm[m].pte[vpn]`, `k.page[pfn].refcount`,
 * `k.cpu[c].tlb[vpn]`. A machine never changes once it is made; what changes are the
 * locations behind its handles.
 *
 * Numbers: `mm` an address space, one per process; `cpu` a processor, one per thread of a
 * test; `vpn` a virtual page, the same number in every process; `pfn` a page frame; `word` a
 * word of a page; `ref` a reference taken by get_user_pages or pin_user_pages.
 */
import { type Cell, Layout, type Lock, type RwLock, type View } from '../engine/index.ts'
import { FRAMES, PFN_OR_0, PTE, SLOT_OR_0, SLOTS } from './names.ts'
import { MAX_SWAP_SLOTS, maxPte, mk_pte } from './pte.ts'

/** The zero page: frame 0, shared by all, never freed and never written. */
export const ZERO_PFN = 0

/** What a register holds after an access that got SIGSEGV, or through a reference that could not be taken. */
export const FAULTED = 10
/** What a register holds before it is assigned. */
export const UNSET = 11

export const VM_NONE = 0
export const VM_READ = 1
/** Readable and writable. */
export const VM_WRITE = 2

/** A process's life. */
export const NOT_STARTED = 0
export const RUNNING = 1
export const EXITED = 2
/** Its last thread is taking its memory down (mm_users is 0): ksmd keeps out. */
export const EXITING = 3

export interface VirtualPage {
  readonly name: string
  /** The initial value of each word, in the root process. */
  readonly words: readonly number[]
  /** Mapped but never touched: no page-table entry yet. */
  readonly untouched: boolean
}

export interface Reference {
  readonly name: string
  /** The process that takes it. */
  readonly mm: number
  readonly vpn: number
  readonly flags: GupFlags
}

export type GupFlags = {
  /** FOLL_WRITE. */
  readonly write: boolean
  /** FOLL_PIN; otherwise FOLL_GET. */
  readonly pin: boolean
  /** FOLL_LONGTERM. */
  readonly longterm: boolean
}

export interface MachineConfig {
  /** Process names; the first one runs when the test starts. */
  readonly processes: readonly string[]
  /** For each processor its thread's name and process. */
  readonly cpus: readonly { readonly name: string; readonly mm: number }[]
  readonly pages: readonly VirtualPage[]
  readonly references: readonly Reference[]
  readonly registers: readonly string[]
  readonly signals: readonly string[]
  /** Frames besides the zero page, 1 to 30. */
  readonly frames: number
  /** Newly mapped pages wait in a processor's batch, which holds a reference, until it is drained. */
  readonly lruBatch: boolean
  /** Count installed copies, up to MAX_COPIES. */
  readonly countCopies: boolean
  /** For each process the one that forks it; -1 for the first. */
  readonly parents: readonly number[]
  /** Places in swap, 0 to MAX_SWAP_SLOTS. With 0 nothing is ever swapped out. */
  readonly swapSlots: number
  /** Whether ksmd, or somebody in its place, may merge pages. */
  readonly ksm: boolean
  /** Whether somebody watches for writes (soft-dirty). */
  readonly softDirty: boolean
}

/** Copies are counted up to this many; the last value means "this many or more". */
export const MAX_COPIES = 15

/** `struct mm_struct`, with its areas and its page table. */
export interface Mm {
  readonly name: string
  readonly state: Cell
  readonly mmap_lock: RwLock
  /** The page-table lock. A test's pages share one page table, hence one lock. */
  readonly ptl: Lock
  /** 1 once a page has been pinned (`mm->has_pinned`, later MMF_HAS_PINNED). Never cleared. */
  readonly has_pinned: Cell
  /** Odd while fork write-protects (`mm->write_protect_seq`). */
  readonly write_protect_seq: Cell
  /** By vpn: VM_NONE, VM_READ or VM_WRITE. */
  readonly vma: readonly Cell[]
  readonly pte: readonly Cell[]
  /** By vpn: the lock of the area, where areas have locks of their own. */
  readonly vma_lock: readonly RwLock[]
  /** 1 once somebody watches for writes: no area has VM_SOFTDIRTY any more. Only where somebody may. */
  readonly watched: Cell | undefined
  /** By vpn: the entry's soft-dirty bit. Only where somebody may watch. */
  readonly soft_dirty: readonly Cell[]
  /** Reclaim has emptied entries of this mm without flushing (`mm->tlb_flush_batched`). */
  readonly tlb_flush_batched: Cell
  /** The processors that run this process's threads. */
  readonly cpus: readonly number[]
  /** This process and those that descend from it: whose memory a reverse-mapping walk from its anon_vma visits. */
  readonly descendants: readonly number[]
}

/** `struct page`, and the words it holds. */
export interface Page {
  readonly refcount: Cell
  /** Page-table entries that map it; the kernel stores this number minus one. */
  readonly mapcount: Cell
  /** References taken with FOLL_PIN. Each is in the refcount too. */
  readonly pins: Cell
  /** PageAnonExclusive. */
  readonly exclusive: Cell
  /** PG_locked. */
  readonly lock: Lock
  /** ON_LRU; or 1 + the processor whose batch holds it; or ISOLATED: reclaim has taken it off; or NOT_ON_LRU yet. */
  readonly lru: Cell
  /**
   * `page->mapping`: 0 while the page is not anonymous; else 1 + the process whose anon_vma it
   * belongs to, or `Machine.KSM`. Kept only where somebody looks: see `Machine.reverse_maps`.
   */
  readonly mapping: Cell
  /** `page->index`: the virtual page that it is. */
  readonly index: Cell
  /** PG_dirty. */
  readonly dirty: Cell
  /** PG_writeback. */
  readonly writeback: Cell
  /** PG_swapcache: 1 + its place in swap, or 0. The swap cache holds a reference. */
  readonly swap: Cell
  readonly word: readonly Cell[]
}

/** A place in swap, which holds what one page held. */
export interface SwapSlot {
  /** Page-table entries that name it. It is free when this and `cache` are 0. */
  readonly count: Cell
  /** 1 + the frame that the swap cache has for it, or 0. */
  readonly cache: Cell
  readonly word: readonly Cell[]
}

/** A processor and what it caches of the page table that it runs on. */
export interface Cpu {
  readonly name: string
  readonly mm: number
  /** 1 once its thread has done everything but a last exit. */
  readonly ended: Cell
  /** By vpn: a copy of a page-table entry, or 0. */
  readonly tlb: readonly Cell[]
}

/** A reference: 0 when not held, else 1 + the frame. */
export interface Ref extends Reference {
  readonly page: Cell
}

/** Finds what is free, as part of a step; -1 if nothing is. */
export interface Finder {
  frame(view: View): number
  slot(view: View): number
}

/** Counts stay below this; a larger one is a bug in a path and stops the exploration. */
const MAX_COUNT = 30

/** `Page.lru`: the page is on the LRU list, or, free, on none. */
export const ON_LRU = 0

export class Machine {
  readonly layout = new Layout()
  readonly mm: readonly Mm[]
  readonly page: readonly Page[]
  readonly cpu: readonly Cpu[]
  readonly ref: readonly Ref[]
  readonly register: readonly Cell[]
  readonly signal: readonly Cell[]
  /** Frames that have ever been allocated: the lowest never-used frame. */
  readonly framesUsed: Cell
  readonly copies: Cell
  readonly words: number
  readonly slot: readonly SwapSlot[]
  /** Places in swap that have ever been used: the lowest never-used one. */
  readonly slotsUsed: Cell
  /** The lock of the one anon_vma tree (`anon_vma->root->rwsem`): all processes descend from the first. */
  readonly anon_vma: RwLock
  /** ksmd does one thing at a time. */
  readonly ksm_thread_mutex: Lock
  /** Somebody may look for a page's mappings, so pages say where they belong. */
  readonly reverse_maps: boolean
  /** `Page.lru`: reclaim has taken the page off the LRU list. */
  readonly ISOLATED: number
  /** `Page.lru`: allocated, and not put on the LRU list yet. */
  readonly NOT_ON_LRU: number
  /** `Page.mapping` of a page that KSM has made (PageKsm). */
  readonly KSM: number
  /** How free frames and places in swap are found where there are too many to look at each. */
  readonly finder: Finder | undefined = undefined

  /**
   * @param anonExclusive whether pages that are mapped at the start carry PageAnonExclusive
   * @param perVmaLocks whether each area has a lock of its own
   */
  constructor(
    readonly config: MachineConfig,
    anonExclusive: boolean,
    perVmaLocks = false,
  ) {
    const { layout } = this
    const { processes, cpus, pages, references, frames, parents, swapSlots, softDirty } = config
    if (swapSlots > MAX_SWAP_SLOTS)
      throw new RangeError(`${swapSlots} places in swap; at most ${MAX_SWAP_SLOTS}`)
    this.reverse_maps = swapSlots > 0 || config.ksm
    this.ISOLATED = cpus.length + 1
    this.NOT_ON_LRU = cpus.length + 2
    this.KSM = processes.length + 1
    this.words = Math.max(...pages.map((page) => page.words.length), 1)
    const largest = maxPte(frames)
    const present = pages.map((page, vpn) => ({ page, vpn })).filter(({ page }) => !page.untouched)
    const mapped = new Map(present.map(({ vpn }, i) => [vpn, i + 1]))

    this.mm = processes.map((name, m) => ({
      name,
      state: layout.cell(`${name}.state`, EXITING, m === 0 ? RUNNING : NOT_STARTED),
      mmap_lock: layout.rwLock(`${name}.mmap_lock`),
      ptl: layout.lock(`${name}.ptl`),
      has_pinned: layout.cell(`${name}.has_pinned`, 1),
      write_protect_seq: layout.cell(`${name}.write_protect_seq`, MAX_COUNT),
      vma: pages.map(({ name: x }) =>
        layout.cell(`${name}.vma[${x}]`, VM_WRITE, m === 0 ? VM_WRITE : VM_NONE),
      ),
      pte: pages.map(({ name: x }, vpn) => {
        const pfn = m === 0 ? mapped.get(vpn) : undefined
        return layout.cell(`${name}.pte[${x}]`, largest, pfn === undefined ? 0 : mk_pte(pfn, true))
      }),
      vma_lock: perVmaLocks ? pages.map(({ name: x }) => layout.rwLock(`${name}.vma_lock[${x}]`)) : [],
      watched: softDirty ? layout.cell(`${name}.watched`, 1) : undefined,
      soft_dirty: softDirty
        ? pages.map(({ name: x, untouched }) =>
            layout.cell(`${name}.soft_dirty[${x}]`, 1, m > 0 || untouched ? 0 : 1),
          )
        : [],
      tlb_flush_batched: layout.cell(`${name}.tlb_flush_batched`, 1),
      cpus: cpus.flatMap((cpu, c) => (cpu.mm === m ? [c] : [])),
      descendants: processes.flatMap((_, d) => (descends(parents, d, m) ? [d] : [])),
    }))
    this.page = Array.from({ length: frames + 1 }, (_, pfn) => {
      const initial = present[pfn - 1]?.page
      const count = initial === undefined ? 0 : 1
      const name = pfn === ZERO_PFN ? 'zero page' : `page ${pfn}`
      return {
        refcount: layout.cell(`${name}.refcount`, MAX_COUNT, pfn === ZERO_PFN ? 1 : count),
        mapcount: layout.cell(`${name}.mapcount`, MAX_COUNT, count),
        pins: layout.cell(`${name}.pins`, MAX_COUNT),
        exclusive: layout.cell(`${name}.exclusive`, 1, anonExclusive ? count : 0),
        lock: layout.lock(`${name}.lock`),
        lru: layout.cell(`${name}.lru`, this.NOT_ON_LRU, ON_LRU),
        mapping: layout.cell(`${name}.mapping`, this.KSM, this.reverse_maps ? count : 0),
        index: layout.cell(
          `${name}.index`,
          pages.length,
          this.reverse_maps && count ? pages.indexOf(initial!) : 0,
        ),
        dirty: layout.cell(`${name}.dirty`, 1),
        writeback: layout.cell(`${name}.writeback`, 1),
        swap: layout.cell(`${name}.swap`, swapSlots),
        word: Array.from({ length: this.words }, (_w, w) =>
          layout.cell(`${name}[${w}]`, 9, initial?.words[w] ?? 0),
        ),
      }
    })
    this.framesUsed = layout.cell('frames used', frames + 1, 1 + mapped.size)
    this.cpu = cpus.map(({ name, mm }) => ({
      name,
      mm,
      ended: layout.cell(`${name}.ended`, 1),
      tlb: pages.map(({ name: x }) => layout.cell(`${name}.tlb[${x}]`, largest)),
    }))
    this.ref = references.map((reference) => ({
      ...reference,
      page: layout.cell(`reference ${reference.name}`, frames + 1),
    }))
    this.register = config.registers.map((name) => layout.cell(name, UNSET, UNSET))
    this.signal = config.signals.map((name) => layout.cell(`signal ${name}`, 1))
    this.copies = layout.cell('copies', MAX_COPIES)
    this.slot = Array.from({ length: swapSlots }, (_, s) => ({
      count: layout.cell(`swap ${s}.count`, MAX_COUNT),
      cache: layout.cell(`swap ${s}.cache`, frames + 1),
      word: Array.from({ length: this.words }, (_w, w) => layout.cell(`swap ${s}[${w}]`, 9)),
    }))
    this.slotsUsed = layout.cell('swap used', swapSlots)
    this.anon_vma = layout.rwLock('anon_vma')
    this.ksm_thread_mutex = layout.lock('ksm_thread_mutex')

    // Where a processor drains its batch it goes through the frames in the order of their numbers.
    if (!config.lruBatch) declareAlike(this)
  }
}

/** Says to the engine which things are interchangeable, and where they are named. */
function declareAlike({ layout, mm, cpu, ref, page, slot, framesUsed, slotsUsed }: Machine): void {
  for (const { pte } of mm) for (const cell of pte) layout.naming(cell, PTE)
  for (const { tlb } of cpu) for (const cell of tlb) layout.naming(cell, PTE)
  for (const held of ref) layout.naming(held.page, PFN_OR_0)
  for (const { swap } of page) layout.naming(swap, SLOT_OR_0)
  for (const { cache } of slot) layout.naming(cache, PFN_OR_0)
  const frameCells = page.slice(ZERO_PFN + 1).map(({ word, ...cells }) => [...Object.values(cells), ...word])
  layout.sort(FRAMES, ZERO_PFN + 1, frameCells, framesUsed)
  const slotCells = slot.map(({ count, cache, word }) => [count, cache, ...word])
  layout.sort(SLOTS, 0, slotCells, slotsUsed)
}

/** Whether process `d` is `m` or descends from it. */
function descends(parents: readonly number[], d: number, m: number): boolean {
  for (let p = d; p >= 0; p = parents[p]!) if (p === m) return true
  return false
}
