/** Each invariant by itself, on memories made by hand: in the suite none is ever broken. */
import { describe, expect, test } from 'vitest'
import { v5_9 } from '../../src/designs/v5_9.ts'
import { v5_19 } from '../../src/designs/v5_19.ts'
import {
  type Cell,
  explore,
  type Lock,
  type Memory,
  type Procedure,
  type Steps,
} from '../../src/engine/index.ts'
import { compile, parse } from '../../src/litmus/index.ts'
import { countsHold, exclusivityHolds, restHolds } from '../../src/mm/invariants.ts'
import type { Kernel } from '../../src/mm/kernel.ts'
import { VM_NONE, VM_READ } from '../../src/mm/machine.ts'
import { get_page, put_page } from '../../src/mm/page_alloc.ts'
import { mk_pte, swp_entry_to_pte } from '../../src/mm/pte.ts'

const { test: litmus } = parse(`
test sound
page x = 0
process parent { pin p = x for read, pin; fork child; x = 1 }
process child { r0 = x }`)

/** The memory at the start, where page 1 is mapped by the parent alone, with some locations changed. */
function memoryOf(k: Kernel, ...changes: (readonly [Cell | Lock, number])[]): Memory {
  const values = k.layout.locations.map(({ initial }) => initial)
  for (const [{ location }, value] of changes) values[location] = value
  return { get: (location) => values[location]! }
}

const k = compile(litmus, v5_9.rules).kernel
const [parent, child] = k.mm
const [, page, other] = k.page
const writable = mk_pte(1, true)
const readable = mk_pte(1, false)

describe('while no page-table lock is held', () => {
  test('what is sound is sound', () => {
    expect(countsHold(k, memoryOf(k))).toBeUndefined()
    expect(restHolds(k, memoryOf(k))).toBeUndefined()
    expect(exclusivityHolds(k, memoryOf(k))).toBeUndefined()
  })
  test('the mapcount is the number of entries', () => {
    expect(countsHold(k, memoryOf(k, [page!.mapcount, 2]))).toMatch(/mapcount 2 and 1 /)
    expect(countsHold(k, memoryOf(k, [page!.mapcount, 0]))).toMatch(/mapcount 0 and 1 /)
  })
  test('each entry and each reference has a reference count', () => {
    expect(countsHold(k, memoryOf(k, [page!.refcount, 0]))).toMatch(/refcount 0 and 1 /)
    expect(countsHold(k, memoryOf(k, [k.ref[0]!.page, 2]))).toMatch(/refcount 1 and 2 /)
    // More is fine while somebody is in the kernel.
    expect(countsHold(k, memoryOf(k, [page!.refcount, 2]))).toBeUndefined()
  })
  test('under a page-table lock the counts may differ', () => {
    expect(countsHold(k, memoryOf(k, [page!.mapcount, 2], [parent!.ptl, 1]))).toBeUndefined()
  })
})

describe('while no thread is in the kernel', () => {
  test('a reference too many is a leak, one too few is not', () => {
    expect(restHolds(k, memoryOf(k, [page!.refcount, 2]))).toMatch(/^leak: page 1 /)
    expect(restHolds(k, memoryOf(k, [other!.refcount, 1]))).toMatch(/^leak: page 2 /)
    expect(restHolds(k, memoryOf(k, [page!.refcount, 0]))).toMatch(/^page 1 has refcount 0/)
  })
  test('pins are exact', () => {
    expect(restHolds(k, memoryOf(k, [page!.pins, 1]))).toMatch(/1 pins and 0 /)
    expect(restHolds(k, memoryOf(k, [k.ref[0]!.page, 2], [page!.refcount, 2]))).toMatch(/0 pins and 1 /)
  })
  test('locks are free', () => {
    expect(restHolds(k, memoryOf(k, [page!.lock, 1]))).toMatch(/left locked/)
    expect(restHolds(k, memoryOf(k, [parent!.ptl, 1]))).toMatch(/page-table lock of parent/)
    expect(restHolds(k, memoryOf(k, [child!.mmap_lock as unknown as Lock, 1]))).toMatch(/mmap_lock of child/)
  })
  test('page tables map what the areas permit', () => {
    expect(restHolds(k, memoryOf(k, [parent!.vma[0]!, VM_NONE]))).toMatch(/still maps/)
    expect(restHolds(k, memoryOf(k, [parent!.vma[0]!, VM_READ]))).toMatch(/may write/)
    expect(restHolds(k, memoryOf(k, [parent!.vma[0]!, VM_READ], [parent!.pte[0]!, readable]))).toBeUndefined()
  })
  test('TLBs hold what the page tables permit', () => {
    const tlb = k.cpu[0]!.tlb[0]!
    expect(restHolds(k, memoryOf(k, [tlb, writable]))).toBeUndefined()
    expect(restHolds(k, memoryOf(k, [tlb, readable]))).toBeUndefined()
    expect(restHolds(k, memoryOf(k, [tlb, mk_pte(2, false)]))).toMatch(/the TLB of parent/)
    expect(restHolds(k, memoryOf(k, [tlb, writable], [parent!.pte[0]!, readable]))).toMatch(
      /the TLB of parent/,
    )
    const unmapped = [
      [parent!.pte[0]!, 0],
      [page!.mapcount, 0],
      [page!.refcount, 0],
    ] as const
    expect(restHolds(k, memoryOf(k, ...unmapped))).toBeUndefined()
    expect(restHolds(k, memoryOf(k, ...unmapped, [tlb, readable]))).toMatch(/the TLB of parent/)
  })
})

describe('exclusivity', () => {
  const shared = [
    [child!.pte[0]!, readable],
    [page!.mapcount, 2],
    [page!.refcount, 2],
  ] as const
  test('a page that is written to is mapped once', () => {
    expect(exclusivityHolds(k, memoryOf(k, ...shared))).toMatch(/writable and mapped more than once/)
    expect(exclusivityHolds(k, memoryOf(k, ...shared, [parent!.pte[0]!, readable]))).toBeUndefined()
  })
  test('the bit goes with one mapping, and pins and write permission go with the bit', () => {
    const k19 = compile(litmus, v5_19.rules).kernel
    const [mm, heir] = k19.mm
    const exclusive = k19.page[1]!.exclusive
    expect(exclusivityHolds(k19, memoryOf(k19))).toBeUndefined()
    expect(exclusivityHolds(k19, memoryOf(k19, [exclusive, 0]))).toMatch(/writable and not exclusive/)
    const readOnly = [mm!.pte[0]!, readable] as const
    expect(exclusivityHolds(k19, memoryOf(k19, readOnly, [heir!.pte[0]!, readable]))).toMatch(
      /exclusive and mapped/,
    )
    expect(exclusivityHolds(k19, memoryOf(k19, readOnly, [exclusive, 0], [k19.ref[0]!.page, 2]))).toMatch(
      /pinned and not/,
    )
  })
})

describe('references', () => {
  /** What is found when one thread runs this in the machine. */
  function failures(procedure: (k: Kernel) => Steps<void>): string[] {
    const { kernel, system } = compile(litmus, v5_9.rules)
    const threads = [{ name: 'one', procedure: procedure as unknown as Procedure, args: [] }]
    return explore({ context: kernel, layout: system.layout, threads }).failures.map(({ message }) => message)
  }
  test('a mapped page is not freed', () => {
    expect(
      failures(function* drop_last() {
        yield* put_page(1)
      }),
    ).toEqual(['use after free: a page is freed while it is mapped'])
  })
  test('a pinned page is not freed', () => {
    expect(
      failures(function* drop_pinned(kernel: Kernel) {
        yield* kernel.page[1]!.mapcount.write(0)
        yield* kernel.page[1]!.pins.write(1)
        yield* put_page(1)
      }),
    ).toEqual(['use after free: a page is freed while it is pinned'])
  })
  test('a free page is neither taken nor dropped', () => {
    expect(
      failures(function* take_free(kernel: Kernel) {
        yield* get_page(kernel, 2)
      }),
    ).toEqual(['use after free: a reference to a free page is taken'])
    expect(
      failures(function* drop_free() {
        yield* put_page(2)
      }),
    ).toEqual(['use after free: a reference to a free page is dropped'])
  })
})

describe('places in swap', () => {
  const { test: swapping } = parse(`
test swapping
page x = 0
process parent { pageout x; fork child }
process child { r0 = x }`)
  const { kernel } = compile(swapping, v5_19.rules)
  const [father, son] = kernel.mm
  const [slot] = kernel.slot
  const frame = kernel.page[1]!
  const named = swp_entry_to_pte(0, false)
  const exclusively = swp_entry_to_pte(0, true)
  const outOfMemory = [father!.pte[0]!, named] as const
  const free = [
    [frame.mapcount, 0],
    [frame.refcount, 0],
    [frame.exclusive, 0],
  ] as const

  test('the count is the number of entries that name it', () => {
    expect(countsHold(kernel, memoryOf(kernel, outOfMemory, ...free, [slot!.count, 1]))).toBeUndefined()
    expect(countsHold(kernel, memoryOf(kernel, outOfMemory, ...free))).toMatch(/count 0 and 1 /)
    expect(countsHold(kernel, memoryOf(kernel, outOfMemory, ...free, [slot!.count, 2]))).toMatch(
      /count 2 and 1 /,
    )
  })
  test('the page in the swap cache knows its place, and is held by it', () => {
    const cached = [
      [slot!.cache, 2],
      [frame.swap, 1],
    ] as const
    expect(countsHold(kernel, memoryOf(kernel, ...cached, [frame.refcount, 2]))).toBeUndefined()
    expect(countsHold(kernel, memoryOf(kernel, ...cached))).toMatch(/refcount 1 and 2 /)
    expect(countsHold(kernel, memoryOf(kernel, [slot!.cache, 2]))).toMatch(/does not know/)
    expect(countsHold(kernel, memoryOf(kernel, [frame.swap, 1]))).toMatch(/not the swap cache's page/)
    expect(restHolds(kernel, memoryOf(kernel, ...cached, [frame.refcount, 3]))).toMatch(/leak/)
  })
  test('a page whose count reclaim has frozen needs none', () => {
    const frozen = [
      [slot!.cache, 2],
      [slot!.count, 1],
      [frame.swap, 1],
      [frame.lru, kernel.ISOLATED],
    ] as const
    expect(countsHold(kernel, memoryOf(kernel, outOfMemory, ...free, ...frozen))).toBeUndefined()
  })
  test('what is exclusive is named once', () => {
    const both = [outOfMemory, [son!.pte[0]!, named], [slot!.count, 2], ...free] as const
    expect(exclusivityHolds(kernel, memoryOf(kernel, ...both))).toBeUndefined()
    expect(exclusivityHolds(kernel, memoryOf(kernel, ...both, [son!.pte[0]!, exclusively]))).toMatch(
      /swap 0 is exclusive and named more than once/,
    )
    expect(
      exclusivityHolds(kernel, memoryOf(kernel, [frame.swap, 1], [slot!.cache, 2], [slot!.count, 1])),
    ).toMatch(/page 1 is exclusive and in swap for somebody/)
  })
})
