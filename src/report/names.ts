/**
 * What the locations of a machine are called, and how their values read: `parent.pte[x]` is
 * `page A, read-only`. Pages get letters in the order in which they appear in the run.
 */
import { type Change, type Trace, WRITER } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import type { Kernel } from '../mm/kernel.ts'
import {
  EXITED,
  EXITING,
  FAULTED,
  ON_LRU,
  RUNNING,
  UNSET,
  VM_NONE,
  VM_WRITE,
  ZERO_PFN,
} from '../mm/machine.ts'
import {
  pte_dirty,
  pte_none,
  pte_pfn,
  pte_present,
  pte_swp_exclusive,
  pte_swp_slot,
  pte_write,
} from '../mm/pte.ts'
import { type Place, placesOf } from './places.ts'

const LIVES: Readonly<Record<number, string>> = {
  [RUNNING]: 'running',
  [EXITING]: 'exiting',
  [EXITED]: 'exited',
}

export class Names {
  private readonly places: ReadonlyMap<number, Place>
  private readonly letters = new Map<number, string>()

  constructor(
    private readonly k: Kernel,
    private readonly test: Litmus,
    /** The names of the system's threads. */
    private readonly threads: readonly string[],
    trace: Trace,
  ) {
    this.places = placesOf(k)
    this.giveLetters(trace)
  }

  /** What a location is. */
  place(location: number): Place {
    return this.places.get(location) ?? { kind: 'other' }
  }

  /** `page A`, or `the zero page`. */
  page(pfn: number): string {
    return pfn === ZERO_PFN ? 'the zero page' : `page ${this.letters.get(pfn) ?? pfn}`
  }

  /** A page, or one word of it where pages have several: `page A`, `page A.b`. */
  word(pfn: number, word: number): string {
    return this.page(pfn) + this.wordSuffix(word)
  }

  /** A place in swap, or one word of what is there: `swap 0`, `swap 0.b`. */
  slotWord(slot: number, word: number): string {
    return `swap ${slot}${this.wordSuffix(word)}`
  }

  /** `parent.pte[x]`, `page A refcount`, `reference p`. */
  location(location: number): string {
    const place = this.place(location)
    switch (place.kind) {
      case 'refcount':
      case 'mapcount':
      case 'mapping':
      case 'index':
        return `${this.page(place.pfn)} ${place.kind}`
      case 'pins':
        return `${this.page(place.pfn)} pincount`
      case 'exclusive':
        return `${this.page(place.pfn)} PageAnonExclusive`
      case 'dirty':
        return `${this.page(place.pfn)} PG_dirty`
      case 'writeback':
        return `${this.page(place.pfn)} PG_writeback`
      case 'swap':
        return `${this.page(place.pfn)} place in swap`
      case 'page_lock':
        return `lock of ${this.page(place.pfn)}`
      case 'lru':
        return `${this.page(place.pfn)} batch`
      case 'word':
        return this.word(place.pfn, place.word)
      case 'slot_count':
        return `swap ${place.slot} count`
      case 'slot_cache':
        return `swap ${place.slot} cache`
      case 'slot_word':
        return this.slotWord(place.slot, place.word)
      case 'ref':
        return this.k.ref[place.ref]!.name
      case 'register':
        return this.k.config.registers[place.register]!
      default:
        return this.k.layout.locations[location]?.name ?? `location ${location}`
    }
  }

  /** A location's value in words. */
  value(location: number, value: number): string {
    const place = this.place(location)
    switch (place.kind) {
      case 'pte':
        return this.entry(value)
      case 'tlb':
        return this.cached(value)
      case 'vma':
        return value === VM_NONE ? 'unmapped' : value === VM_WRITE ? 'read-write' : 'read-only'
      case 'state':
        return LIVES[value] ?? 'not born'
      case 'ptl':
      case 'page_lock':
      case 'ksm_thread_mutex':
        return value === 0 ? 'free' : `held by ${this.thread(value - 1)}`
      case 'mmap_lock':
      case 'vma_lock':
      case 'anon_vma':
        if (value >= WRITER) return `held by ${this.thread(value - WRITER)} for writing`
        return value === 0 ? 'free' : `held for reading${value > 1 ? ` by ${value}` : ''}`
      case 'ref':
        return value === 0 ? 'nothing' : this.page(value - 1)
      case 'slot_cache':
        return value === 0 ? 'empty' : this.page(value - 1)
      case 'swap':
        return value === 0 ? 'none' : `swap ${value - 1}`
      case 'mapping':
        if (value === 0) return 'none'
        return value === this.k.KSM ? 'KSM' : `${this.k.mm[value - 1]!.name}'s anon_vma`
      case 'index':
        return this.k.config.pages[value]?.name ?? String(value)
      case 'register':
        return value === FAULTED ? 'SIGSEGV' : value === UNSET ? 'unset' : String(value)
      case 'signal':
        return value === 0 ? 'not sent' : 'sent'
      case 'ended':
        return value === 0 ? 'running' : 'ended'
      case 'lru':
        if (value >= this.k.ISOLATED) return 'none, off the LRU list'
        return value === 0 ? 'none' : `${this.k.cpu[value - 1]?.name}'s`
      default:
        return String(value)
    }
  }

  /** That a location has a value: `page A refcount is 2`, `page A is in the swap cache, as swap 0`. */
  fact(location: number, value: number): string {
    const place = this.place(location)
    switch (place.kind) {
      case 'swap':
        return `${this.page(place.pfn)} is ${value === 0 ? 'not in the swap cache' : `in the swap cache, as swap ${value - 1}`}`
      case 'slot_cache':
        return `the swap cache has ${value === 0 ? 'no page' : this.page(value - 1)} for swap ${place.slot}`
      case 'mapping':
        if (value === 0) return `${this.page(place.pfn)} is not anonymous yet`
        if (value === this.k.KSM) return `${this.page(place.pfn)} is a KSM page`
        break
      default:
    }
    return `${this.location(location)} is ${this.value(location, value)}`
  }

  /** What a page table has: `page A, read-only`, `swap 0, exclusive`, or `empty`. */
  entry(pte: number): string {
    if (pte_none(pte)) return 'empty'
    if (pte_present(pte)) return `${this.page(pte_pfn(pte))}, ${this.permission(pte)}`
    return `swap ${pte_swp_slot(pte)}${pte_swp_exclusive(pte) ? ', exclusive' : ''}`
  }

  /** What a TLB has of it. */
  cached(pte: number): string {
    return pte_none(pte)
      ? 'empty'
      : `${this.page(pte_pfn(pte))}, ${pte_write(pte) ? 'writable' : 'read-only'}`
  }

  /** `parent.pte[x] page A: writable → read-only`, `page A mapcount 1 → 2`. */
  change({ location, before, after }: Change): string {
    const place = this.place(location)
    const name = this.location(location)
    if (place.kind === 'swap') {
      const page = this.page(place.pfn)
      if (after !== 0) return `${page} enters the swap cache as swap ${after - 1}`
      return `${page} leaves the swap cache (swap ${before - 1})`
    }
    if (place.kind === 'lru' && Math.max(before, after) >= this.k.ISOLATED) {
      const back = before === this.k.ISOLATED ? 'back ' : ''
      const list =
        after === ON_LRU ? `${back}on the LRU list` : `${back}in ${this.value(location, after)} batch`
      return `${this.page(place.pfn)} ${after === this.k.ISOLATED ? 'off the LRU list' : list}`
    }
    const isEntry = place.kind === 'pte' || place.kind === 'tlb'
    if (isEntry && pte_present(before) && pte_present(after) && pte_pfn(before) === pte_pfn(after)) {
      return `${name} ${this.page(pte_pfn(after))}: ${this.permission(before)} → ${this.permission(after)}`
    }
    return `${name} ${this.value(location, before)} → ${this.value(location, after)}`
  }

  thread(thread: number): string {
    return this.threads[thread] ?? `thread ${thread}`
  }

  /** Whether an entry is clean is told only where somebody looks at that: reclaim, or KSM. */
  private permission(pte: number): string {
    if (pte_write(pte)) return pte_dirty(pte) || !this.k.reverse_maps ? 'writable' : 'writable, clean'
    return this.k.reverse_maps && !pte_dirty(pte) && pte_pfn(pte) !== ZERO_PFN
      ? 'read-only, clean'
      : 'read-only'
  }

  private wordSuffix(word: number): string {
    if (this.k.words === 1) return ''
    // A frame may be any of the test's pages, and their words may be called differently.
    const names = new Set(this.test.pages.flatMap(({ words }) => words[word]?.name ?? []))
    return `.${names.size === 1 ? [...names][0] : word}`
  }

  /** First the pages that are mapped at the start, in the order of the test; then as they are touched. */
  private giveLetters({ initial, steps }: Trace): void {
    const meet = (pfn: number | undefined): void => {
      if (pfn === undefined || pfn === ZERO_PFN || this.letters.has(pfn)) return
      const n = this.letters.size
      const letter = String.fromCharCode(65 + (n % 26))
      this.letters.set(pfn, n < 26 ? letter : `A${letter}`)
    }
    for (const { pte } of this.k.mm) {
      for (const { location } of pte) if (pte_present(initial[location]!)) meet(pte_pfn(initial[location]!))
    }
    for (const { reads, changes } of steps) {
      for (const { location } of [...changes, ...(changes.length === 0 ? reads : [])]) {
        const place = this.place(location)
        if ('pfn' in place) meet(place.pfn)
      }
    }
  }
}
