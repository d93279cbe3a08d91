// The library, on one worker: what it does, and what it says to those who ask for what cannot be done.

import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  FileSwap,
  InvalidCall,
  Memory,
  MemoryBroken,
  type MemoryEvent,
  type MemoryOptions,
  NotAttached,
  NotPinned,
  OutOfMemory,
  PAGE_SIZE,
  type Process,
  SegmentationFault,
} from 'cowherd/live'
import { afterAll, describe, expect, it } from 'vitest'
import { DESIGNS, type Design, extend, v5_19 } from '../../src/index.ts'

const LIVE_DESIGNS = DESIGNS.filter(({ rules }) => !rules.shares_nothing)

const folder = mkdtempSync(join(tmpdir(), 'cowherd-live-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function make(options: Partial<MemoryOptions> = {}): Memory {
  return Memory.create({ design: 'v5.19', frames: 64, swap: 256, ...options })
}

function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 255)
}

/** Much faster than to compare with `toEqual`. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer))
}

describe.each(LIVE_DESIGNS)('processes under $name', ({ name }) => {
  it('have memory of their own after fork, in both directions', () => {
    const memory = make({ design: name })
    const parent = memory.spawn()
    const at = parent.mmap(8 * PAGE_SIZE)
    const before = bytes(8 * PAGE_SIZE, 1)
    parent.copyIn(at, before)
    const child = memory.process(parent.fork())
    expect(child.copyOut(at, before.length)).toEqual(before)
    parent.store(at + 5, 111)
    child.store(at + 3 * PAGE_SIZE, 222)
    expect([parent.load(at + 5), child.load(at + 5)]).toEqual([111, before[5]])
    expect([parent.load(at + 3 * PAGE_SIZE), child.load(at + 3 * PAGE_SIZE)]).toEqual([
      before[3 * PAGE_SIZE],
      222,
    ])
    expect(memory.statistics().copies).toBe(2)
    expect(memory.check()).toBeUndefined()
    child.exit()
    parent.exit()
    expect(memory.check()).toBeUndefined()
    expect(memory.freeFrames).toBe(64)
  })

  it('go to swap and come back, when there are more pages than frames', () => {
    const memory = make({ design: name, frames: 16, pages: 128 })
    const [one, two] = [memory.spawn(), memory.spawn()]
    const length = 60 * PAGE_SIZE
    const at = [one.mmap(length), two.mmap(length)] as const
    one.copyIn(at[0], bytes(length, 1))
    two.copyIn(at[1], bytes(length, 2))
    expect(same(one.copyOut(at[0], length), bytes(length, 1))).toBe(true)
    expect(same(two.copyOut(at[1], length), bytes(length, 2))).toBe(true)
    expect(memory.statistics().swapOuts).toBeGreaterThanOrEqual(2 * 60 - 16)
    expect(memory.check()).toBeUndefined()
    one.exit()
    two.exit()
    expect(memory.check()).toBeUndefined()
    expect(memory.freeFrames).toBe(16)
  })
})

describe.each(LIVE_DESIGNS)('a page that came back from swap under $name', ({ name }) => {
  it.each<[string, (process: Process, at: number) => void]>([
    ['a load', (process, at) => process.load(at)],
    [
      'mprotect',
      (process, at) => {
        process.load(at)
        process.protect(at, PAGE_SIZE, { write: false })
        process.protect(at, PAGE_SIZE, { write: true })
      },
    ],
  ])('by %s and has been stored to goes there again with what was stored', (_, comeBack) => {
    const process = make({ design: name }).spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 1)
    process.pageOut(at, PAGE_SIZE)
    comeBack(process, at)
    process.store(at, 2)
    process.pageOut(at, PAGE_SIZE)
    expect(process.load(at)).toBe(2)
  })
})

describe('a pin', () => {
  /** A device reads into memory that its owner has pinned, forked over and written to. */
  function lost(design: string): boolean {
    const memory = make({ design })
    const parent = memory.spawn()
    const at = parent.mmap(PAGE_SIZE)
    parent.store(at, 1)
    const pin = parent.pin(at, PAGE_SIZE, { write: true })
    memory.process(parent.fork())
    parent.store(at + 1, 2)
    pin.write(Uint8Array.of(99))
    const seen = parent.load(at)
    pin.unpin()
    expect(memory.check()).toBeUndefined()
    return seen !== 99
  }

  it('stays its owner’s page under every design that promises so, and v5.8 loses what the device wrote', () => {
    const losing = LIVE_DESIGNS.map(({ name }) => name).filter(lost)
    expect(losing).toEqual(['v5.7', 'v5.8'])
  })

  it('is to bytes that a device can use as they are, across pages', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(4 * PAGE_SIZE)
    const pin = process.pin(at + 100, 2 * PAGE_SIZE, { write: true })
    expect(pin.buffers.map(({ length }) => length)).toEqual([PAGE_SIZE - 100, PAGE_SIZE, 100])
    const data = bytes(2 * PAGE_SIZE, 3)
    pin.write(data)
    expect(pin.read()).toEqual(data)
    expect(process.copyOut(at + 100, data.length)).toEqual(data)
    pin.unpin()
    expect(() => pin.unpin()).toThrow(NotPinned)
    expect(() => pin.read()).toThrow(NotPinned)
    expect(memory.check()).toBeUndefined()
  })

  it('holds on to a page that its owner has unmapped', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 5)
    const pin = process.pin(at, PAGE_SIZE, { write: false })
    process.munmap(at, PAGE_SIZE)
    expect(pin.read()[0]).toBe(5)
    expect(memory.freeFrames).toBe(63)
    pin.unpin()
    expect(memory.freeFrames).toBe(64)
  })

  it('for reading cannot be written through; of what is not mapped there is none', () => {
    const process = make().spawn()
    const at = process.mmap(PAGE_SIZE, { write: false })
    const pin = process.pin(at, PAGE_SIZE, { write: false })
    expect(() => pin.write(Uint8Array.of(1))).toThrow(InvalidCall)
    expect(() => process.pin(at, PAGE_SIZE, { write: true })).toThrow(SegmentationFault)
    expect(() => process.pin(at + 5 * PAGE_SIZE, 1, { write: false })).toThrow(SegmentationFault)
  })
})

describe('system calls', () => {
  it('map, protect, discard, unmap', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(3 * PAGE_SIZE)
    const next = process.mmap(1)
    expect(next).toBe(at + 3 * PAGE_SIZE)
    process.store(at, 1)
    process.protect(at, PAGE_SIZE, { write: false })
    expect(process.load(at)).toBe(1)
    expect(() => process.store(at, 2)).toThrow(SegmentationFault)
    process.protect(at, PAGE_SIZE, { write: true })
    process.store(at, 2)
    expect(process.load(at)).toBe(2)
    process.discard(at, PAGE_SIZE)
    expect(process.load(at)).toBe(0)
    process.munmap(at, PAGE_SIZE)
    expect(() => process.load(at)).toThrow(SegmentationFault)
    expect(process.mmap(PAGE_SIZE)).toBe(at)
    expect(process.load(at)).toBe(0)
    expect(memory.check()).toBeUndefined()
  })

  it('count and tell what happens', () => {
    const events: MemoryEvent[] = []
    const memory = make({ onEvent: (event) => events.push(event) })
    const process = memory.spawn()
    const at = process.mmap(2 * PAGE_SIZE)
    process.store(at, 1)
    process.store(at + 1, 2)
    process.load(at + PAGE_SIZE)
    expect(memory.statistics()).toMatchObject({ faults: 2, copies: 0, swapOuts: 0 })
    process.pageOut(at, PAGE_SIZE)
    expect(process.load(at)).toBe(1)
    expect(memory.statistics()).toMatchObject({ faults: 3, swapOuts: 1, swapIns: 1 })
    for (const [name, count] of Object.entries(memory.statistics())) {
      expect(events.filter(({ what }) => what === name)).toHaveLength(count)
    }
  })

  it.each([-1, 4096 * 1000, 2 ** 32, 2 ** 40, Number.NaN])(
    'fault at address %d, which nothing covers',
    (address) => {
      const process = make().spawn()
      process.mmap(PAGE_SIZE)
      process.store(0, 1)
      expect(() => process.load(address)).toThrow(SegmentationFault)
      expect(() => process.store(address, 1)).toThrow(SegmentationFault)
      expect(() => process.copyIn(address, bytes(10, 1))).toThrow(SegmentationFault)
    },
  )
})

// Two processors that run the same process, here in turns: what one has in its TLB, the other’s system calls must flush.
describe.each(LIVE_DESIGNS.flatMap(({ name }) => [false, true].map((swapped) => ({ name, swapped }))))(
  'the TLBs of two processors under $name, swapped: $swapped',
  ({ name, swapped }) => {
    function two() {
      const memory = make({ design: name })
      const one = memory.spawn()
      const at = one.mmap(2 * PAGE_SIZE)
      one.store(at, 1)
      const two = Memory.attach(memory.share()).process(one.pid)
      const [a, b] = swapped ? [two, one] : [one, two]
      return { memory, at, a, b }
    }

    it('are flushed by fork, so that what is stored then stays with the parent', () => {
      const { memory, at, a, b } = two()
      a.store(at, 2)
      const child = memory.process(b.fork())
      a.store(at, 3)
      expect([child.load(at), a.load(at), b.load(at)]).toEqual([2, 3, 3])
    })

    it('are flushed when a page is copied', () => {
      const { memory, at, a, b } = two()
      memory.process(b.fork())
      expect(a.load(at)).toBe(1)
      b.store(at, 2)
      expect(a.load(at)).toBe(2)
      a.store(at + 1, 3)
      expect(b.load(at + 1)).toBe(3)
    })

    it('are flushed when a page is unmapped, discarded or protected', () => {
      const { memory, at, a, b } = two()
      a.store(at, 2)
      b.protect(at, PAGE_SIZE, { write: false })
      expect(() => a.store(at, 3)).toThrow(SegmentationFault)
      b.protect(at, PAGE_SIZE, { write: true })
      a.store(at, 4)
      b.discard(at, PAGE_SIZE)
      expect(a.load(at)).toBe(0)
      a.store(at, 5)
      b.munmap(at, PAGE_SIZE)
      expect(() => a.load(at)).toThrow(SegmentationFault)
      expect(memory.check()).toBeUndefined()
    })

    it('are flushed when a page goes to swap', () => {
      const { memory, at, a, b } = two()
      a.store(at, 2)
      b.pageOut(at, PAGE_SIZE)
      expect(memory.statistics().swapOuts).toBe(1)
      const other = b.mmap(3 * PAGE_SIZE)
      b.copyIn(other, bytes(3 * PAGE_SIZE, 9))
      expect(a.load(at)).toBe(2)
      b.pageOut(at, PAGE_SIZE)
      a.store(at, 3)
      expect(b.load(at)).toBe(3)
      expect(memory.check()).toBeUndefined()
    })
  },
)

describe('what cannot be done', () => {
  it('is said when a memory is made', () => {
    expect(() => make({ design: 'v5.99' })).toThrow('there is no design "v5.99"')
    expect(() => make({ design: 'eager' })).toThrow('eager shares no pages')
    expect(() => make({ frames: 0 })).toThrow('frames is 0; expected a whole number from 1 to')
    expect(() => make({ workers: 99 })).toThrow('workers is 99')
    const shared = globalThis.SharedArrayBuffer
    try {
      Object.assign(globalThis, { SharedArrayBuffer: undefined })
      expect(() => make()).toThrow(/no SharedArrayBuffer.*cowherd check/s)
    } finally {
      Object.assign(globalThis, { SharedArrayBuffer: shared })
    }
  })

  it('without frames and swap loses nothing', () => {
    const memory = make({ frames: 8, swap: 0, pages: 64 })
    const process = memory.spawn()
    const at = process.mmap(20 * PAGE_SIZE)
    let stored = 0
    expect(() => {
      for (; stored < 20; stored++) process.store(at + stored * PAGE_SIZE, stored + 1)
    }).toThrow(OutOfMemory)
    // A fault may need two frames, so the last one stays.
    expect(stored).toBeGreaterThanOrEqual(7)
    for (let i = 0; i < stored; i++) expect(process.load(at + i * PAGE_SIZE)).toBe(i + 1)
    expect(memory.check()).toBeUndefined()
    process.munmap(at, 4 * PAGE_SIZE)
    process.store(at + stored * PAGE_SIZE, 77)
    expect(process.load(at + stored * PAGE_SIZE)).toBe(77)
  })

  it('when swap is full, too', () => {
    const memory = make({ frames: 8, swap: 8, pages: 64 })
    const process = memory.spawn()
    const at = process.mmap(40 * PAGE_SIZE)
    let stored = 0
    expect(() => {
      for (; stored < 40; stored++) process.store(at + stored * PAGE_SIZE, stored + 1)
    }).toThrow(OutOfMemory)
    expect(stored).toBeGreaterThanOrEqual(12)
    expect(memory.check()).toBeUndefined()
    expect(() => process.pageOut(at, 1)).not.toThrow()
  })

  it('in a process that is gone, a worker that is detached, or with a handle that is none', () => {
    const memory = make({ processes: 2, workers: 2 })
    const process = memory.spawn()
    const at = process.mmap(1)
    const child = memory.process(process.fork())
    expect(() => process.fork()).toThrow('there are 2 processes; no more can be')
    child.exit()
    expect(() => child.load(at)).toThrow(NotAttached)
    expect(() => memory.process(child.pid)).toThrow(InvalidCall)
    const handle = memory.share()
    expect(() => memory.share()).toThrow('2 workers are attached')
    expect(() => Memory.attach({} as never)).toThrow(NotAttached)
    // A memory itself cannot be sent: its handle can.
    expect(() => structuredClone(memory)).toThrow('could not be cloned')
    expect(structuredClone(handle)).toMatchObject({ kind: 'cowherd memory' })
    const other = Memory.attach(handle)
    expect(() => Memory.attach(handle)).toThrow('a worker has attached with this handle')
    const seen = other.process(process.pid)
    expect(() => process.exit()).toThrow('other workers are in it')
    other.detach()
    expect(() => seen.load(at)).toThrow(NotAttached)
    expect(() => other.spawn()).toThrow(NotAttached)
    expect(() => Memory.attach(handle)).toThrow('the worker of this handle has ended')
    process.exit()
    expect(memory.check()).toBeUndefined()
  })

  it('with a design of one’s own that the worker was not given', () => {
    const mine: Design = extend(v5_19, { ...v5_19, name: 'mine', rules: {}, because: {} })
    const memory = make({ design: mine })
    const handle = memory.share()
    expect(() => Memory.attach(handle)).toThrow('the memory was made with the design "mine"')
    expect(Memory.attach(handle, { design: mine }).processes()).toEqual([])
  })

  it('after a step has failed: the memory says that it is broken', () => {
    const broken: Design = extend(v5_19, {
      ...v5_19,
      name: 'broken',
      rules: {
        *wp_can_reuse() {
          throw new Error('a mistake in a rule')
        },
      },
      because: {},
    })
    const memory = make({ design: broken })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 1)
    process.fork()
    expect(() => process.store(at, 2)).toThrow(MemoryBroken)
    expect(() => memory.spawn()).toThrow(MemoryBroken)
  })
})

interface Session {
  readonly arena: { readonly version: Int32Array }
  readonly machine: { readonly places: { pte(mm: number, vpn: number): number } }
}

describe('a TLB', () => {
  it.each(['leave', 'detach'] as const)('is good no more after %s', (how) => {
    const memory = make({ frames: 6, swap: 0, pages: 6 })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const other = Memory.attach(memory.share())
    const theirs = other.process(process.pid)
    theirs.store(at, 2)
    if (how === 'leave') theirs.leave()
    else other.detach()
    process.munmap(at, PAGE_SIZE)
    const victim = memory.spawn()
    const all = victim.mmap(5 * PAGE_SIZE)
    for (let i = 0; i < 5; i++) victim.store(all + i * PAGE_SIZE, 5)
    expect(() => theirs.store(at, 66)).toThrow(NotAttached)
    expect(() => theirs.load(at)).toThrow(NotAttached)
    expect(Array.from({ length: 5 }, (_, i) => victim.load(all + i * PAGE_SIZE))).toEqual([5, 5, 5, 5, 5])
  })

  it('is the worker’s: if one of its objects leaves a process, so do the others', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 1)
    memory.process(process.pid).leave()
    expect(() => process.store(at, 9)).toThrow(NotAttached)
    const again = memory.process(process.pid)
    const child = memory.process(again.fork())
    again.store(at, 9)
    expect(child.load(at)).toBe(1)
  })

  it('is not left locked by what is no byte, or no bytes', () => {
    const process = make().spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 1)
    expect(() => process.store(at, 5n as never)).toThrow(TypeError)
    expect(() => process.copyIn(at, [1, 2] as never)).toThrow(InvalidCall)
    expect(() => process.copyIn(at, 'hello' as never)).toThrow(InvalidCall)
    expect(process.load(at)).toBe(1)
  })
})

describe('fork', () => {
  it.each(LIVE_DESIGNS)('has a frame for each page that somebody has pinned: $name', ({ name }) => {
    const memory = make({ design: name, frames: 100, pages: 256, swap: 0 })
    const parent = memory.spawn()
    const at = parent.mmap(30 * PAGE_SIZE)
    for (let i = 0; i < 30; i++) parent.store(at + i * PAGE_SIZE, 1)
    const child = memory.process(parent.fork())
    // The parent's pins are of pages that the child has, too.
    const pin = parent.pin(at, 29 * PAGE_SIZE, { write: false })
    child.pin(at + 29 * PAGE_SIZE, PAGE_SIZE, { write: true })
    const more = child.mmap(100 * PAGE_SIZE)
    for (let i = 0; memory.freeFrames > 3; i++) child.store(more + i * PAGE_SIZE, 1)
    const processes = memory.processes().length
    try {
      child.fork()
      expect(memory.processes()).toHaveLength(processes + 1)
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemory)
      expect(memory.processes()).toHaveLength(processes)
    }
    expect(memory.check()).toBeUndefined()
    pin.unpin()
  })

  it('copies what another worker has pinned and this one has been told of, until it is released', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const other = Memory.attach(memory.share())
    const theirs = other.process(process.pid).pin(at, 5, { write: true })
    const mine = memory.pinned(structuredClone(theirs.share()))
    mine.write(Uint8Array.of(1, 2, 3))
    expect([...theirs.read()]).toEqual([1, 2, 3, 0, 0])
    mine.unpin()
    expect(() => theirs.unpin()).toThrow(NotPinned)
    process.fork()
    expect(memory.statistics().copies).toBe(0)
    expect(() => memory.pinned({} as never)).toThrow(InvalidCall)
  })

  it('may have left no frame: what frees some works all the same', () => {
    const memory = make({ frames: 16, swap: 0, pages: 8 })
    const process = memory.spawn()
    const at = process.mmap(4 * PAGE_SIZE)
    process.copyIn(at, bytes(4 * PAGE_SIZE, 1))
    const pin = process.pin(at, PAGE_SIZE, { write: true })
    const { board } = (memory as unknown as { session: { board: { release(frames: number): void } } }).session
    // As after a fork that needed spare frames, since others had pinned meanwhile.
    const taken = memory.freeFrames + 5
    board.release(-taken)
    expect(memory.freeFrames).toBe(0)
    pin.unpin()
    process.munmap(at, PAGE_SIZE)
    process.discard(at + PAGE_SIZE, PAGE_SIZE)
    process.exit()
    board.release(taken)
    expect([memory.freeFrames, memory.check()]).toEqual([16, undefined])
  })

  it('needs one frame for a page that is pinned many times', () => {
    const memory = make({ frames: 8, swap: 0, pages: 8, pins: 100 })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    for (let i = 0; i < 50; i++) process.pin(at, PAGE_SIZE, { write: true })
    process.fork()
    expect(memory.statistics().copies).toBe(1)
  })
})

describe('a viewer', () => {
  it('may use the memory, or fail, when something has happened', () => {
    let see: () => void = () => undefined
    const memory = make({ onEvent: () => see() })
    const process = memory.spawn()
    const at = process.mmap(3 * PAGE_SIZE)
    see = () => {
      see = () => undefined
      process.store(at + PAGE_SIZE, 7)
    }
    process.store(at, 1)
    expect([process.load(at), process.load(at + PAGE_SIZE)]).toEqual([1, 7])
    see = () => {
      see = () => undefined
      throw new Error('a mistake of the viewer’s')
    }
    expect(() => process.store(at + 2 * PAGE_SIZE, 1)).toThrow('a mistake of the viewer’s')
    process.store(at + 2 * PAGE_SIZE, 3)
    expect(process.load(at + 2 * PAGE_SIZE)).toBe(3)
    expect(memory.check()).toBeUndefined()
  })
})

describe('a worker that has ended', () => {
  it.each(['ended', 'detach'] as const)('leaves nothing pinned (%s)', (how) => {
    const memory = make({ design: 'v5.19', frames: 8, pages: 4, workers: 2 })
    const process = memory.spawn()
    const at = process.mmap(3 * PAGE_SIZE)
    const handle = memory.share()
    const other = Memory.attach(handle)
    const theirs = other.process(process.pid).pin(at, 3 * PAGE_SIZE, { write: true })
    const mine = process.pin(at, PAGE_SIZE, { write: true })
    expect(memory.check()).toBeUndefined()
    if (how === 'ended') expect(memory.ended(handle)).toBe(true)
    else other.detach()
    expect(memory.check()).toBeUndefined()
    expect(() => theirs.read()).toThrow(NotPinned)
    // What others hold stays: fork copies that page, and no other.
    expect(mine.read()).toHaveLength(PAGE_SIZE)
    memory.process(process.fork()).exit()
    expect(memory.statistics().copies).toBe(1)
    mine.unpin()
    process.exit()
    expect(memory.freeFrames).toBe(8)
  })

  it('is told of late, when its number is another one’s', () => {
    const memory = make({ workers: 2 })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const handle = memory.share()
    Memory.attach(handle).detach()
    const next = memory.share()
    expect(next.worker).toBe(handle.worker)
    const theirs = Memory.attach(next).process(process.pid)
    theirs.store(at, 1)
    expect(memory.ended(handle)).toBe(true)
    const child = memory.process(process.fork())
    theirs.store(at, 9)
    expect([process.load(at), child.load(at)]).toEqual([9, 1])
    expect(() => memory.ended({ worker: 1 } as never)).toThrow(InvalidCall)
  })

  it('and goes on all the same finds out', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const handle = memory.share()
    const theirs = Memory.attach(handle).process(process.pid)
    theirs.store(at, 1)
    memory.ended(handle)
    expect(() => theirs.store(at, 2)).toThrow('somebody has said that this worker has ended')
  })

  it('drops no reference that is another worker’s by now', () => {
    const memory = make({ pins: 1, workers: 3 })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const handle = memory.share()
    const theirs = Memory.attach(handle).process(process.pid).pin(at, PAGE_SIZE, { write: true })
    const { board } = (memory as unknown as { session: { board: { allPins(): unknown[] } } }).session
    // What whoever is told of the end has seen, before others release that one and take another.
    const seen = board.allPins()
    memory.pinned(theirs.share()).unpin()
    const mine = process.pin(at, PAGE_SIZE, { write: true })
    board.allPins = () => seen
    expect(memory.ended(handle)).toBe(true)
    expect(mine.read()).toHaveLength(PAGE_SIZE)
    mine.unpin()
  })

  it('takes nobody else out of a process afterwards', () => {
    const memory = make({ workers: 2 })
    const process = memory.spawn()
    const first = Memory.attach(memory.share())
    const theirs = first.process(process.pid)
    first.detach()
    Memory.attach(memory.share()).process(process.pid)
    theirs.leave()
    expect(() => process.exit()).toThrow('other workers are in it')
  })

  it('while it held something is noticed by whoever waits for it', () => {
    const memory = make({ patience: 200 })
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    const { arena, machine } = (memory as unknown as { session: Session }).session
    // Somebody is writing this entry, and never comes back.
    arena.version[machine.places.pte(process.pid, 0)]!++
    expect(() => process.store(at, 1)).toThrow(MemoryBroken)
    expect(() => memory.spawn()).toThrow(MemoryBroken)
  })

  it('in the middle of taking a reference, or of dropping one, breaks the memory', () => {
    for (const what of ['takePin', 'dropPin'] as const) {
      const memory = make()
      const process = memory.spawn()
      const at = process.mmap(PAGE_SIZE)
      const handle = memory.share()
      const other = Memory.attach(handle)
      const board = (other as unknown as { session: { board: Record<typeof what, () => void> } }).session
        .board
      let whole: boolean | undefined
      board[what] = () => {
        whole = memory.ended(handle)
      }
      try {
        other.process(process.pid).pin(at, 1, { write: true }).unpin()
      } catch {
        // Whatever one says who is gone.
      }
      expect(whole).toBe(false)
      expect(() => process.load(at)).toThrow(MemoryBroken)
    }
  })
})

describe('check', () => {
  it('sees a count that is wrong', () => {
    const memory = make()
    const process = memory.spawn()
    const at = process.mmap(PAGE_SIZE)
    process.store(at, 1)
    const { arena, machine } = (
      memory as unknown as {
        session: { arena: { value: Int32Array }; machine: { page: { refcount: { location: number } }[] } }
      }
    ).session
    const pfn = machine.page.findIndex(({ refcount }, i) => i > 0 && arena.value[refcount.location] === 1)
    arena.value[machine.page[pfn]!.refcount.location]!++
    expect(memory.check()).toBe(`leak: page ${pfn} has refcount 2 and 1 users`)
  })
})

describe('a swap file', () => {
  it('has what does not fit', () => {
    const swap = FileSwap.create(join(folder, 'swap'), 64)
    const memory = Memory.create({ design: 'v5.19', frames: 8, pages: 64, swap: 64 }, swap)
    const process = memory.spawn()
    const at = process.mmap(40 * PAGE_SIZE)
    process.copyIn(at, bytes(40 * PAGE_SIZE, 4))
    expect(same(process.copyOut(at, 40 * PAGE_SIZE), bytes(40 * PAGE_SIZE, 4))).toBe(true)
    expect(memory.check()).toBeUndefined()
    swap.close()
  })

  it('is needed by every worker', () => {
    const path = join(folder, 'shared-swap')
    const swap = FileSwap.create(path, 8)
    const memory = Memory.create({ design: 'v5.19', frames: 8, swap: 8 }, swap)
    expect(() => Memory.attach(memory.share())).toThrow('every worker that attaches needs it too')
    expect(Memory.attach(memory.share(), { swapDevice: FileSwap.open(path) }).processes()).toEqual([])
    expect(() => Memory.create({ design: 'v5.19', frames: 8 }, swap)).toThrow('no places in it')
  })

  it('that has become too short breaks the memory', () => {
    const path = join(folder, 'short-swap')
    const memory = Memory.create(
      { design: 'v5.19', frames: 8, pages: 16, swap: 16 },
      FileSwap.create(path, 16),
    )
    const process = memory.spawn()
    const at = process.mmap(12 * PAGE_SIZE)
    for (let i = 0; i < 12; i++) process.store(at + i * PAGE_SIZE, 1)
    truncateSync(path, 0)
    expect(() => {
      for (let i = 0; i < 12; i++) process.load(at + i * PAGE_SIZE)
    }).toThrow(/^the memory is broken: .* is shorter than it was made/)
    expect(() => memory.spawn()).toThrow(MemoryBroken)
  })

  it('that cannot be written is an error at once', () => {
    expect(() => FileSwap.create(join(folder, 'no', 'such', 'folder'), 4)).toThrow(InvalidCall)
    expect(() => FileSwap.open(join(folder, 'none'))).toThrow(InvalidCall)
    expect(() => FileSwap.create('/dev/full', 4)).toThrow(/\/dev\/full.*(ENOSPC|full)/)
  })
})
