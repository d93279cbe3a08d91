// Random programs on four workers against a plain copy of the bytes: a number of operations, and for some time. For
// longer, by hand:
//   SOAK_SECONDS=3600 npx vitest run test/live/soak.test.ts

import { Worker } from 'node:worker_threads'
import { Memory, MemoryBroken, type MemoryHandle, PAGE_SIZE } from 'cowherd/live'
import { describe, expect, inject, it } from 'vitest'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

const SECONDS = Number(process.env.SOAK_SECONDS ?? 8)
/** Operations of each worker, however slow the machine. */
const OPERATIONS = 150
const WORKERS = 4
const PAGES = 24
const FRAMES = 96

interface Report {
  readonly operations: number
  readonly outOfMemory: number
  readonly wrong: readonly string[]
  readonly broken: string | undefined
}

interface Hand {
  readonly worker: Worker
  readonly handle: MemoryHandle
  readonly report: Promise<Report | undefined>
}

/** A memory whose processes descend from one that has filled all its pages, each in the hands of a worker. */
function begin(
  design: string,
  seed: number,
  milliseconds: number,
  least: number,
  promisesPins: boolean,
): { memory: Memory; hands: Hand[] } {
  const memory = Memory.create({ design, frames: FRAMES, pages: PAGES, swap: 400, processes: 12, workers: 8 })
  const ancestor = memory.spawn()
  ancestor.mmap(PAGES * PAGE_SIZE)
  for (let i = 0; i < PAGES * PAGE_SIZE; i += 7) ancestor.store(i, (i * seed) & 255)
  const hands = Array.from({ length: WORKERS }, (_, i): Hand => {
    const handle = memory.share()
    const pid = ancestor.fork()
    const worker = new Worker(new URL('./soak_worker.mjs', import.meta.url), {
      workerData: { handle, pid, seed: 100 * seed + i + 1, milliseconds, least, pages: PAGES, promisesPins },
    })
    const report = new Promise<Report | undefined>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => resolve(undefined))
    })
    return { worker, handle, report }
  })
  ancestor.exit()
  return { memory, hands }
}

/** What nobody maps or names any more may stay in the swap cache until reclaim comes by, if its page was locked just then. */
function freeAfterReclaim(memory: Memory): number {
  memory.reclaim(memory.size.frames)
  return memory.freeFrames
}

describe.each([
  { design: 'v5.7', promisesPins: false },
  { design: 'v5.11', promisesPins: true },
  { design: 'torvalds', promisesPins: true },
  { design: 'v5.19', promisesPins: true },
])('random programs under $design', ({ design, promisesPins }) => {
  it('see their own bytes and leave no count wrong', { timeout: 4_000 * SECONDS + 180_000 }, async () => {
    const { memory, hands } = begin(design, 7, (1000 * SECONDS) / 4, OPERATIONS, promisesPins)
    const reports = await Promise.all(hands.map(({ report }) => report))
    expect(reports.flatMap((report) => report?.wrong ?? ['a worker has gone'])).toEqual([])
    expect(reports.map((report) => report?.broken)).toEqual(new Array(WORKERS).fill(undefined))
    expect(memory.processes()).toEqual([])
    expect(memory.check()).toBeUndefined()
    expect(freeAfterReclaim(memory)).toBe(FRAMES)
    // Otherwise it was no soak.
    const { copies, swapIns, swapOuts, forks, faults } = memory.statistics()
    expect(Math.min(copies, swapIns, swapOuts, forks, faults)).toBeGreaterThan(0)
  })
})

describe.each([
  { design: 'v5.9', promisesPins: false },
  { design: 'torvalds', promisesPins: true },
  { design: 'v5.19', promisesPins: true },
])('several workers in one process under $design', ({ design, promisesPins }) => {
  it('lose no byte', { timeout: 4_000 * SECONDS + 180_000 }, async () => {
    const memory = Memory.create({ design, frames: 40, pages: 12, swap: 200, processes: 5, workers: 8 })
    const process = memory.spawn()
    process.mmap(12 * PAGE_SIZE)
    const published = new Int32Array(new SharedArrayBuffer(4 * 12 * WORKERS))
    const reports = await Promise.all(
      Array.from({ length: WORKERS }, (_, lane) => {
        const job = {
          handle: memory.share(),
          pid: process.pid,
          seed: lane + 1,
          milliseconds: (1000 * SECONDS) / 4,
        }
        const worker = new Worker(new URL('./threads_worker.mjs', import.meta.url), {
          workerData: { ...job, pages: 12, lane, lanes: WORKERS, promisesPins, published },
        })
        return new Promise<Pick<Report, 'operations' | 'wrong'>>((resolve, reject) => {
          worker.once('message', resolve).once('error', reject)
        })
      }),
    )
    expect(reports.flatMap(({ wrong }) => wrong)).toEqual([])
    expect(memory.processes()).toEqual([process.pid])
    process.exit()
    expect(memory.check()).toBeUndefined()
    expect(freeAfterReclaim(memory)).toBe(40)
    const { copies, swapIns, swapOuts, forks } = memory.statistics()
    expect(Math.min(copies, swapIns, swapOuts, forks)).toBeGreaterThan(0)
  })
})

describe('a worker that is terminated', () => {
  it('leaves a memory that is whole, or one that says that it is not', { timeout: 120_000 }, async () => {
    let whole = 0
    let broken = 0
    for (let round = 0; round < 6; round++) {
      const { memory, hands } = begin('v5.19', round + 1, 700, 0, true)
      const [victim, ...others] = hands as [Hand, ...Hand[]]
      await new Promise((resolve) => setTimeout(resolve, 250 + 17 * round))
      await victim.worker.terminate()
      const isWhole = memory.ended(victim.handle)
      const reports = await Promise.all(others.map(({ report }) => report))
      expect(reports.flatMap((report) => report?.wrong ?? ['a worker has gone'])).toEqual([])
      if (isWhole) {
        whole++
        expect(reports.map((report) => report!.broken)).toEqual([undefined, undefined, undefined])
        expect(memory.check()).toBeUndefined()
        for (const pid of memory.processes()) memory.process(pid).exit()
        expect(memory.check()).toBeUndefined()
      } else {
        broken++
        for (const report of reports) expect(report!.broken).toContain('the memory is broken')
        expect(() => memory.spawn()).toThrow(MemoryBroken)
      }
    }
    expect(whole + broken).toBe(6)
  })
})
