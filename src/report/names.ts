/**
 * What the locations of a machine are called, and how their values read: `parent.pte[x]` is
 * `page A, read-only`. Pages get letters in the order in which they appear in the run.
 */
import { type Change, type Trace, WRITER } from '../engine/index.ts'
import type { Litmus } from '../litmus/ast.ts'
import type { Kernel } from '../mm/kernel.ts'
import { EXITED, FAULTED, RUNNING, UNSET, VM_NONE, VM_WRITE, ZERO_PFN } from '../mm/machine.ts'
import { pte_none, pte_pfn, pte_write } from '../mm/pte.ts'

/** What a location is part of. `other` is a location that a design has added. */
export type Place =
  | { readonly kind: 'state' | 'mmap_lock' | 'ptl' | 'has_pinned' | 'write_protect_seq'; readonly mm: number }
  | { readonly kind: 'vma' | 'pte'; readonly mm: number; readonly vpn: number }
  | { readonly kind: Counter | 'exclusive' | 'page_lock' | 'lru'; readonly pfn: number }
  | { readonly kind: 'word'; readonly pfn: number; readonly word: number }
  | { readonly kind: 'ended'; readonly cpu: number }
  | { readonly kind: 'tlb'; readonly cpu: number; readonly vpn: number }
  | { readonly kind: 'ref'; readonly ref: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'bookkeeping' | 'other' }

type Counter = 'refcount' | 'mapcount' | 'pins'

export class Names {
  private readonly places = new Map<number, Place>()
  private readonly letters = new Map<number, string>()

  constructor(
    private readonly k: Kernel,
    private readonly test: Litmus,
    /** The names of the system's threads. */
    private readonly threads: readonly string[],
    trace: Trace,
  ) {
    this.lay()
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
    if (this.k.words === 1) return this.page(pfn)
    // A frame may be any of the test's pages, and their words may be called differently.
    const names = new Set(this.test.pages.flatMap(({ words }) => words[word]?.name ?? []))
    return `${this.page(pfn)}.${names.size === 1 ? [...names][0] : word}`
  }

  /** `parent.pte[x]`, `page A refcount`, `reference p`. */
  location(location: number): string {
    const place = this.place(location)
    switch (place.kind) {
      case 'refcount':
      case 'mapcount':
        return `${this.page(place.pfn)} ${place.kind}`
      case 'pins':
        return `${this.page(place.pfn)} pincount`
      case 'exclusive':
        return `${this.page(place.pfn)} PageAnonExclusive`
      case 'page_lock':
        return `lock of ${this.page(place.pfn)}`
      case 'lru':
        return `${this.page(place.pfn)} batch`
      case 'word':
        return this.word(place.pfn, place.word)
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
      case 'tlb':
        return this.entry(value)
      case 'vma':
        return value === VM_NONE ? 'unmapped' : value === VM_WRITE ? 'read-write' : 'read-only'
      case 'state':
        return value === RUNNING ? 'running' : value === EXITED ? 'exited' : 'not born'
      case 'ptl':
      case 'page_lock':
        return value === 0 ? 'free' : `held by ${this.thread(value - 1)}`
      case 'mmap_lock':
        if (value >= WRITER) return `held by ${this.thread(value - WRITER)} for writing`
        return value === 0 ? 'free' : `held for reading${value > 1 ? ` by ${value}` : ''}`
      case 'ref':
        return value === 0 ? 'nothing' : this.page(value - 1)
      case 'register':
        return value === FAULTED ? 'SIGSEGV' : value === UNSET ? 'unset' : String(value)
      case 'signal':
        return value === 0 ? 'not sent' : 'sent'
      case 'ended':
        return value === 0 ? 'running' : 'ended'
      case 'lru':
        return value === 0 ? 'none' : `${this.k.cpu[value - 1]?.name}'s`
      default:
        return String(value)
    }
  }

  /** `page A, read-only`, or `empty`. */
  entry(pte: number): string {
    return pte_none(pte) ? 'empty' : `${this.page(pte_pfn(pte))}, ${permission(pte)}`
  }

  /** `parent.pte[x] page A: writable → read-only`, `page A mapcount 1 → 2`. */
  change({ location, before, after }: Change): string {
    const kind = this.place(location).kind
    const isEntry = kind === 'pte' || kind === 'tlb'
    const name = this.location(location)
    if (isEntry && !pte_none(before) && !pte_none(after) && pte_pfn(before) === pte_pfn(after)) {
      return `${name} ${this.page(pte_pfn(after))}: ${permission(before)} → ${permission(after)}`
    }
    return `${name} ${this.value(location, before)} → ${this.value(location, after)}`
  }

  thread(thread: number): string {
    return this.threads[thread] ?? `thread ${thread}`
  }

  private lay(): void {
    const { k } = this
    const note = (cell: { location: number }, place: Place): void => {
      this.places.set(cell.location, place)
    }
    k.mm.forEach((m, mm) => {
      for (const kind of ['state', 'mmap_lock', 'ptl', 'has_pinned', 'write_protect_seq'] as const) {
        note(m[kind], { kind, mm })
      }
      for (const kind of ['vma', 'pte'] as const)
        m[kind].forEach((cell, vpn) => {
          note(cell, { kind, mm, vpn })
        })
    })
    k.page.forEach((page, pfn) => {
      for (const kind of ['refcount', 'mapcount', 'pins', 'exclusive', 'lru'] as const) {
        note(page[kind], { kind, pfn })
      }
      note(page.lock, { kind: 'page_lock', pfn })
      page.word.forEach((cell, word) => {
        note(cell, { kind: 'word', pfn, word })
      })
    })
    k.cpu.forEach(({ ended, tlb }, cpu) => {
      note(ended, { kind: 'ended', cpu })
      tlb.forEach((cell, vpn) => {
        note(cell, { kind: 'tlb', cpu, vpn })
      })
    })
    k.ref.forEach(({ page }, ref) => {
      note(page, { kind: 'ref', ref })
    })
    k.register.forEach((cell, register) => {
      note(cell, { kind: 'register', register })
    })
    k.signal.forEach((cell, signal) => {
      note(cell, { kind: 'signal', signal })
    })
    note(k.framesUsed, { kind: 'bookkeeping' })
    note(k.copies, { kind: 'bookkeeping' })
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
      for (const { location } of pte) if (!pte_none(initial[location]!)) meet(pte_pfn(initial[location]!))
    }
    for (const { reads, changes } of steps) {
      for (const { location } of [...changes, ...(changes.length === 0 ? reads : [])]) {
        const place = this.place(location)
        if ('pfn' in place) meet(place.pfn)
      }
    }
  }
}

function permission(pte: number): string {
  return pte_write(pte) ? 'writable' : 'read-only'
}
