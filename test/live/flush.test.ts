/** A worker's accesses while another worker flushes its TLB: each waits for the other. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Arena, Memory, PAGE_SIZE, type Process } from 'cowherd/live'
import { describe, expect, inject, it } from 'vitest'
import { TLB_SETS } from '../../src/live/places.ts'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

function make(): { memory: Memory; process: Process } {
  const memory = Memory.create({ design: 'v5.19', frames: 16, swap: 16 })
  const process = memory.spawn()
  process.mmap(PAGE_SIZE)
  process.store(5, 1)
  return { memory, process }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

describe('a flush that takes long', () => {
  /** Somebody begins to flush all entries of a processor, and has done so after a while. */
  function beginFlush(memory: Memory, process: Process): void {
    const { arena } = (memory as unknown as { session: { arena: Arena } }).session
    const { sets } = process as unknown as { sets: number }
    for (let set = 0; set < TLB_SETS; set++) arena.version[sets + set]!++
    const ends = `
      const { version, sets, count } = require('node:worker_threads').workerData
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      for (let set = 0; set < count; set++) Atomics.add(version, sets + set, 1)`
    new Worker(ends, { eval: true, workerData: { version: arena.version, sets, count: TLB_SETS } })
  }

  it.each<[string, (process: Process) => unknown]>([
    ['a load', (process) => process.load(5)],
    ['a store', (process) => process.store(5, 1)],
    ['a copy out', (process) => process.copyOut(5, 10)],
    ['a copy in', (process) => process.copyIn(5, new Uint8Array(10))],
  ])('is waited for by %s', (_, access) => {
    const { memory, process } = make()
    beginFlush(memory, process)
    const began = Date.now()
    access(process)
    expect(Date.now() - began).toBeGreaterThan(100)
  })
})

describe('a store that takes long', () => {
  /** Calls a function in the middle of a process's next write to its bytes: when it has seen that it may, and has not yet. */
  function duringWrite(process: Process, interrupt: () => void): void {
    const holder = process as unknown as { bytes: Uint8Array }
    const { bytes } = holder
    holder.bytes = new Proxy(bytes, {
      set(_, index, value) {
        interrupt()
        bytes[Number(index)] = value
        return true
      },
      get(_, name) {
        if (name !== 'set') return Reflect.get(bytes, name)
        return (from: Uint8Array, at: number) => {
          interrupt()
          bytes.set(from, at)
        }
      },
    })
  }

  const SWAPS_OUT = `
    const { workerData } = require('node:worker_threads')
    import(workerData.live).then(({ Memory }) => {
      const process = Memory.attach(workerData.handle).process(workerData.pid)
      Atomics.store(workerData.state, 0, 1)
      process.pageOut(0, 1)
      Atomics.store(workerData.state, 0, 2)
    })`

  it.each<[string, (process: Process) => void]>([
    ['store', (process) => process.store(5, 2)],
    ['copyIn', (process) => process.copyIn(5, Uint8Array.of(2))],
  ])('by %s holds a flush up, so that it is not lost', async (_, write) => {
    const { memory, process } = make()
    /** What the other worker is about: 0 nothing yet, 1 to swap the page out, 2 it has done so. */
    const state = new Int32Array(new SharedArrayBuffer(4))
    const live = new URL('../../dist/live.js', import.meta.url).href
    const workerData = { live, handle: memory.share(), pid: process.pid, state }
    const worker = new Worker(SWAPS_OUT, { eval: true, workerData })
    const ended = once(worker, 'exit')
    await once(worker, 'online')
    const seen: number[] = []
    duringWrite(process, () => {
      while (Atomics.load(state, 0) === 0) sleep(1)
      sleep(200)
      seen.push(Atomics.load(state, 0))
    })
    write(process)
    await ended
    expect(seen).toEqual([1])
    expect(Atomics.load(state, 0)).toBe(2)
    expect(memory.statistics().swapOuts).toBe(1)
    const { pid } = process
    expect(memory.process(pid).load(5)).toBe(2)
    expect(memory.check()).toBeUndefined()
  })
})
