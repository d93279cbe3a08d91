// How fast a live memory is, beside what one would do instead: plain arrays and copies of them.
//
//   node bench/live.mjs [--quick] [--cpu]
//
// --cpu counts the time of this process on processors, in place of the time that passes, for a machine that has other
// things to do; the scaling over workers means nothing then and is left out.
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Memory, PAGE_SIZE } from 'cowherd/live'

const quick = process.argv.includes('--quick')
const cpu = process.argv.includes('--cpu')
/** Many short rounds: in some of them nothing else comes in between. */
const ACCESSES = 100_000
const ACCESS_ROUNDS = quick ? 20 : 600
/** Of each worker, for the scaling. */
const STORES = quick ? 250_000 : 5_000_000
const ROUNDS = quick ? 2 : 5
const DESIGN = 'v5.19'

if (isMainThread) {
  accesses()
  faults()
  forks()
  if (!cpu) await scaling()
} else scale()

/** The best of some rounds, in nanoseconds for each of `times`. */
function best(times, work, before = () => undefined, rounds = ROUNDS) {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const state = before(round)
    const began = now()
    work(state)
    least = Math.min(least, now() - began)
  }
  return (least * 1e6) / times
}

function bestOfMany(times, work) {
  return best(times, work, undefined, ACCESS_ROUNDS)
}

/** In milliseconds. */
function now() {
  if (!cpu) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function line(what, nanoseconds, note = '') {
  const value = nanoseconds < 1000 ? `${nanoseconds.toFixed(1)} ns` : `${(nanoseconds / 1000).toFixed(2)} µs`
  console.log(`${what.padEnd(52)} ${value.padStart(11)}  ${note}`)
}

function accesses() {
  const memory = Memory.create({ design: DESIGN, frames: 64 })
  const process = memory.spawn()
  const at = process.mmap(16 * PAGE_SIZE)
  const plain = new Uint8Array(16 * PAGE_SIZE)
  const mask = 16 * PAGE_SIZE - 1
  process.copyIn(at, plain.fill(1))
  let sum = 0
  const load = bestOfMany(ACCESSES, () => {
    for (let i = 0; i < ACCESSES; i++) sum += process.load(at + ((i * 61) & mask))
  })
  const plainLoad = bestOfMany(ACCESSES, () => {
    for (let i = 0; i < ACCESSES; i++) sum += plain[(i * 61) & mask]
  })
  line('load of a byte, in the TLB', load, `Uint8Array ${plainLoad.toFixed(1)} ns`)
  const store = bestOfMany(ACCESSES, () => {
    for (let i = 0; i < ACCESSES; i++) process.store(at + ((i * 61) & mask), i & 255)
  })
  const plainStore = bestOfMany(ACCESSES, () => {
    for (let i = 0; i < ACCESSES; i++) plain[(i * 61) & mask] = i & 255
  })
  line('store of a byte, in the TLB', store, `Uint8Array ${plainStore.toFixed(1)} ns`)
  const page = new Uint8Array(PAGE_SIZE)
  const other = new Uint8Array(PAGE_SIZE)
  const copies = ACCESSES / 100
  const copyIn = bestOfMany(copies, () => {
    for (let i = 0; i < copies; i++) process.copyIn(at + (i & 15) * PAGE_SIZE, page)
  })
  const set = bestOfMany(copies, () => {
    for (let i = 0; i < copies; i++) other.set(page)
  })
  line('copyIn of 4,096 bytes', copyIn, `Uint8Array.set ${set.toFixed(0)} ns`)
  if (sum === 0) throw new Error('nothing was loaded')
}

function faults() {
  const pages = quick ? 512 : 8192
  const make = () => {
    const memory = Memory.create({ design: DESIGN, frames: 2 * pages + 8, pages })
    const process = memory.spawn()
    return { memory, process, at: process.mmap(pages * PAGE_SIZE) }
  }
  const touch = ({ process, at }) => {
    for (let page = 0; page < pages; page++) process.store(at + page * PAGE_SIZE, 1)
  }
  line('first store to a page (fault)', best(pages, touch, make))
  const forked = () => {
    const made = make()
    touch(made)
    made.process.fork()
    return made
  }
  line('first store to a shared page (fault and copy)', best(pages, touch, forked))
  const touched = () => {
    const made = make()
    touch(made)
    return made
  }
  const pin = ({ process, at }) => {
    for (let page = 0; page < pages; page++) process.pin(at + page * PAGE_SIZE, PAGE_SIZE, { write: true })
  }
  line('pin of a mapped page, lockless walk', best(pages, pin, touched))
}

function forks() {
  for (const pages of quick ? [256] : [1024, 8192, 65_536]) {
    const memory = Memory.create({ design: DESIGN, frames: pages + 8, pages })
    const process = memory.spawn()
    const at = process.mmap(pages * PAGE_SIZE)
    for (let page = 0; page < pages; page++) process.store(at + page * PAGE_SIZE, 1)
    const fork = best(
      pages,
      () => process.fork(),
      () => {
        for (const pid of memory.processes()) if (pid !== process.pid) memory.process(pid).exit()
      },
    )
    const plain = new Uint8Array(pages * PAGE_SIZE).fill(1)
    const copy = best(pages, () => plain.slice())
    const clone = best(pages, () => structuredClone(plain))
    line(
      `fork of ${pages} mapped pages, for each page`,
      fork,
      `slice ${copy.toFixed(0)} ns, structuredClone ${clone.toFixed(0)} ns`,
    )
  }
}

/** Workers in one process, each in pages of its own, and in processes of their own, with one ancestor: stores that hit, faults that copy. */
async function scaling() {
  for (const together of [true, false]) for (const workers of [1, 2, 4]) await scalingOf(workers, together)
}

async function scalingOf(workers, together) {
  const pages = quick ? 256 : 4096
  const all = together ? pages * workers : pages
  const memory = Memory.create({
    ...{ design: DESIGN, frames: pages * workers + all + 8, pages: all },
    processes: workers + 2,
  })
  const ancestor = memory.spawn()
  const base = ancestor.mmap(all * PAGE_SIZE)
  for (let page = 0; page < all; page++) ancestor.store(base + page * PAGE_SIZE, 1)
  if (together) ancestor.fork()
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const results = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const job = {
        handle: memory.share(),
        pid: together ? ancestor.pid : ancestor.fork(),
        at: together ? base + i * pages * PAGE_SIZE : base,
        // So that two do not copy the same page at the same time.
        first: together ? 0 : Math.floor((i * pages) / workers),
        pages,
        gate,
        workers,
      }
      const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job })
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    }),
  )
  const slowest = (what) => Math.max(...results.map((result) => result[what]))
  const where = `${workers} in ${together ? 'one process' : 'processes of their own'}`
  line(`${where}: fault and copy, all together`, (slowest('copies') * 1e6) / ((pages / 2) * workers))
  line(`${where}: stores in the TLB, all together`, (slowest('stores') * 1e6) / (STORES * workers))
}

function scale() {
  const { handle, pid, at, pages, gate, workers, first } = workerData
  const process = Memory.attach(handle).process(pid)
  const storeToPages = (from, to) => {
    for (let i = from; i < to; i++) process.store(at + ((first + i) % pages) * PAGE_SIZE, 2)
  }
  // The first half is for the compiler.
  storeToPages(0, pages / 2)
  if (Atomics.add(gate, 0, 1) + 1 < workers) while (Atomics.load(gate, 0) < workers);
  const began = performance.now()
  storeToPages(pages / 2, pages)
  const copies = performance.now() - began
  const again = performance.now()
  for (let i = 0; i < STORES; i++) process.store(at + ((i * 61) & (16 * PAGE_SIZE - 1)), i & 255)
  parentPort.postMessage({ copies, stores: performance.now() - again })
}
