// One of several workers in the same process: the bytes of every page are shared out among them, and each knows
// what its own must be, whatever the others do to the pages: swap them out, fork and write on both sides, pin them.
import { PAGE_SIZE } from '../../dist/live.js'
import { below, job, memory, work, wrong } from './random_operations.mjs'

const { pid, pages, lane, lanes, promisesPins, published } = job
const process = memory.process(pid)
const own = new Uint8Array(pages * PAGE_SIZE)
let pin
let pinned = -1

/** Some byte of this worker's, but for the first in each page. */
const place = () => PAGE_SIZE * below(pages) + lanes * (1 + below(PAGE_SIZE / lanes - 1)) + lane

function expectOwn(who, at, what) {
  const found = who.load(at)
  if (found !== own[at]) wrong.push(`${what}: byte ${at} is ${found} and not ${own[at]}`)
}

const operations = {
  store() {
    const at = place()
    own[at] = below(256)
    process.store(at, own[at])
    expectOwn(process, at, 'just stored')
  },
  stores: () => {
    for (let i = 0; i < 20; i++) operations.store()
  },
  load: () => expectOwn(process, place(), 'load'),
  loads() {
    const from = below(pages - 1) * PAGE_SIZE
    for (let at = from + lane; at < from + PAGE_SIZE; at += 7 * lanes) expectOwn(process, at, 'loads')
  },
  /** Counts up in the first byte of a page, and says so. */
  announce() {
    const page = below(pages)
    const at = page * PAGE_SIZE + lane
    own[at] = (own[at] + 1) & 255
    process.store(at, own[at])
    Atomics.store(published, page * lanes + lane, own[at])
  },
  /** What another worker has announced must be there, or something later. */
  listen() {
    for (let page = 0; page < pages; page++) {
      const other = below(lanes)
      const announced = Atomics.load(published, page * lanes + other)
      const found = process.load(page * PAGE_SIZE + other)
      if (((found - announced) & 255) > 127)
        wrong.push(`${announced} was announced in page ${page}, and ${found} is found`)
    }
  },
  pageOut: () => process.pageOut(below(pages) * PAGE_SIZE, PAGE_SIZE),
  reclaim: () => memory.reclaim(1 + below(3)),
  fork() {
    let child
    try {
      child = memory.process(process.fork())
    } catch (error) {
      if (error.name === 'InvalidCall') return
      throw error
    }
    for (let i = 0; i < 8; i++) expectOwn(child, place(), 'in the child')
    // What the child writes is nobody’s in the parent, and the other way round.
    const at = place()
    child.store(at, own[at] ^ 255)
    expectOwn(process, at, 'in the parent, written by the child')
    const other = lanes * Math.floor(at / lanes) + ((lane + 1) % lanes)
    child.store(other, 0)
    child.exit()
  },
  pin() {
    if (!promisesPins || pin !== undefined) return
    pinned = below(pages)
    pin = process.pin(pinned * PAGE_SIZE, PAGE_SIZE, { write: true, fast: below(2) === 0 })
  },
  device() {
    if (pin === undefined) return
    const offset = place() % PAGE_SIZE
    const [buffer] = pin.buffers
    const at = pinned * PAGE_SIZE + offset
    if (buffer[offset] !== own[at])
      wrong.push(`the pin shows ${buffer[offset]} at byte ${at} and not ${own[at]}`)
    own[at] = below(256)
    buffer[offset] = own[at]
    expectOwn(process, at, 'written by the device')
  },
  unpin() {
    pin?.unpin()
    pin = undefined
  },
}

work(operations, () => {
  for (let at = lane; at < own.length && wrong.length === 0; at += lanes) expectOwn(process, at, 'at the end')
  operations.unpin()
})
