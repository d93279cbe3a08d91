// One worker of the soak: does whatever comes into its mind with processes of its own, which share pages with those
// of the others, and keeps a plain copy of what each of them must hold.
import { PAGE_SIZE } from '../../dist/live.js'
import { below, job, memory, work, wrong } from './random_operations.mjs'

const { pid, pages, promisesPins } = job
const first = memory.process(pid)
const MOST_PROCESSES = 2
/** By process: what it holds, with undefined for a page that is not mapped; which pages may be written; its pins. */
const models = [
  {
    process: first,
    bytes: Array.from({ length: pages }, (_, vpn) => first.copyOut(vpn * PAGE_SIZE, PAGE_SIZE)),
    writable: new Array(pages).fill(true),
    pins: [],
  },
]

const operations = {
  load(model) {
    const vpn = below(pages)
    const offset = below(PAGE_SIZE)
    const expected = model.bytes[vpn]?.[offset]
    let found
    try {
      found = model.process.load(vpn * PAGE_SIZE + offset)
    } catch (error) {
      if (error.name !== 'SegmentationFault') throw error
    }
    if (found !== expected) wrong.push(`process ${model.process.pid} loads ${found} and not ${expected}`)
  },
  store(model) {
    const vpn = below(pages)
    const offset = below(PAGE_SIZE)
    const value = below(256)
    const allowed = model.bytes[vpn] !== undefined && model.writable[vpn]
    try {
      model.process.store(vpn * PAGE_SIZE + offset, value)
      if (!allowed) wrong.push('a store to what may not be written')
      else model.bytes[vpn][offset] = value
    } catch (error) {
      if (error.name !== 'SegmentationFault') throw error
      if (allowed) wrong.push('a fault at what may be written')
    }
  },
  copyIn(model) {
    const vpn = below(pages)
    if (model.bytes[vpn] === undefined || !model.writable[vpn]) return
    const data = Uint8Array.from({ length: 1 + below(300) }, () => below(256))
    const offset = below(PAGE_SIZE - data.length)
    model.process.copyIn(vpn * PAGE_SIZE + offset, data)
    model.bytes[vpn].set(data, offset)
  },
  compare(model) {
    const vpn = below(pages)
    if (model.bytes[vpn] === undefined) return
    const found = model.process.copyOut(vpn * PAGE_SIZE, PAGE_SIZE)
    if (Buffer.compare(found, model.bytes[vpn]) !== 0) {
      const at = found.findIndex((byte, i) => byte !== model.bytes[vpn][i])
      wrong.push(
        `page ${vpn} of process ${model.process.pid} differs at byte ${at}: ${found[at]} and not ${model.bytes[vpn][at]}`,
      )
    }
  },
  fork(model) {
    if (models.length >= MOST_PROCESSES) return
    let child
    try {
      child = memory.process(model.process.fork())
    } catch (error) {
      // The others may have them all.
      if (error.name === 'InvalidCall') return
      throw error
    }
    const bytes = model.bytes.map((page) => page && Uint8Array.from(page))
    models.push({ process: child, bytes, writable: [...model.writable], pins: [] })
  },
  exit(model) {
    if (models.length < 2) return
    for (const { pin } of model.pins) pin.unpin()
    model.process.exit()
    models.splice(models.indexOf(model), 1)
  },
  discard(model) {
    const vpn = below(pages)
    if (model.bytes[vpn] === undefined || pinned(model, vpn)) return
    model.process.discard(vpn * PAGE_SIZE, PAGE_SIZE)
    model.bytes[vpn].fill(0)
  },
  munmap(model) {
    const vpn = below(pages)
    if (pinned(model, vpn)) return
    model.process.munmap(vpn * PAGE_SIZE, PAGE_SIZE)
    model.bytes[vpn] = undefined
  },
  mmap(model) {
    const vpn = model.bytes.indexOf(undefined)
    if (vpn < 0) return
    const found = model.process.mmap(PAGE_SIZE)
    if (found !== vpn * PAGE_SIZE) wrong.push(`mmap finds page ${found / PAGE_SIZE} and not ${vpn}`)
    model.bytes[vpn] = new Uint8Array(PAGE_SIZE)
    model.writable[vpn] = true
  },
  protect(model) {
    const vpn = below(pages)
    if (model.bytes[vpn] === undefined || pinned(model, vpn)) return
    model.writable[vpn] = below(3) > 0
    model.process.protect(vpn * PAGE_SIZE, PAGE_SIZE, { write: model.writable[vpn] })
  },
  pageOut(model) {
    model.process.pageOut(below(pages) * PAGE_SIZE, PAGE_SIZE)
  },
  pin(model) {
    const vpn = below(pages)
    if (!promisesPins || model.pins.length > 3 || model.bytes[vpn] === undefined || !model.writable[vpn])
      return
    const pin = model.process.pin(vpn * PAGE_SIZE, PAGE_SIZE, { write: true, fast: below(2) === 0 })
    model.pins.push({ pin, vpn })
  },
  device(model) {
    if (model.pins.length === 0) return
    const { pin, vpn } = model.pins[below(model.pins.length)]
    if (Buffer.compare(pin.read(), model.bytes[vpn]) !== 0)
      wrong.push(`the pin of page ${vpn} shows something else`)
    const data = Uint8Array.from({ length: 1 + below(50) }, () => below(256))
    pin.write(data)
    model.bytes[vpn].set(data)
  },
  unpin(model) {
    if (model.pins.length === 0) return
    model.pins.splice(below(model.pins.length), 1)[0].pin.unpin()
  },
  reclaim() {
    memory.reclaim(1 + below(4))
  },
}

function pinned(model, vpn) {
  return model.pins.some((pin) => pin.vpn === vpn)
}

function compareAllAndExit() {
  for (const model of [...models]) {
    for (let vpn = 0; vpn < pages && wrong.length === 0; vpn++) {
      if (model.bytes[vpn] === undefined) continue
      const found = model.process.copyOut(vpn * PAGE_SIZE, PAGE_SIZE)
      if (Buffer.compare(found, model.bytes[vpn]) !== 0) wrong.push(`at the end, page ${vpn} differs`)
    }
    for (const { pin } of model.pins) pin.unpin()
    model.process.exit()
  }
}

work(operations, compareAllAndExit, () => models[below(models.length)])
