// A process reads a file into memory that it has pinned, from a slow disk; meanwhile it forks, and parent and child
// write to all of their memory from two workers each. In the end every byte is looked at, on both sides.
//
//   node examples/live-fork.mjs [designs] [MiB]        torvalds,v5.19,v5.8 and 256
//
// Under v5.8 a part of the file goes missing: fork shares the pinned pages, the parent's next write to one of them
// makes a copy for the parent, and what the device writes after that goes to a page that the parent no longer has.
import { closeSync, mkdtempSync, openSync, readFileSync, readv, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Memory, PAGE_SIZE } from 'cowherd/live'

/** The device writes the first half of each pinned page, the program the second. */
const HALF = PAGE_SIZE / 2
const PINNED_PAGES = 256
const WRITERS = 2
/** How many pages the disk fills at a time. */
const PAGES_AT_ONCE = 8

/** What every byte of a page is before anybody writes. */
const initial = (page) => (page * 7 + 3) & 255
/** What a side's writers write to the second half of each page. */
const written = (page, side) => (page * 13 + (side === 'parent' ? 101 : 202)) & 255

if (isMainThread) {
  const [designs = 'torvalds,v5.19,v5.8', mebibytes = '256'] = process.argv.slice(2)
  const pages = Number(mebibytes) * 256
  if (!(Number.isInteger(pages) && pages >= PINNED_PAGES)) {
    console.error(`"${mebibytes}" is no number of MiB; expected 1 or more`)
    process.exit(2)
  }
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-live-'))
  try {
    for (const design of designs.split(',')) await show(design, pages, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
} else {
  write()
}

async function show(design, pages, folder) {
  const file = join(folder, 'data')
  writeFileSync(
    file,
    Uint8Array.from({ length: PINNED_PAGES * HALF }, (_, i) => (i * 31 + (i >> 9)) & 255),
  )
  const length = pages * PAGE_SIZE
  // Both sides may come to have all of it, and fork needs a frame for each pinned page.
  const frames = 2 * pages + PINNED_PAGES + 64
  const memory = Memory.create({ design, frames, pages, pins: PINNED_PAGES, processes: 2 })
  console.log(
    `\n${design}: ${length / 2 ** 20} MiB, of which ${(PINNED_PAGES * PAGE_SIZE) / 2 ** 20} MiB are pinned`,
  )

  const parent = memory.spawn()
  const at = parent.mmap(length)
  const whole = new Uint8Array(PAGE_SIZE)
  time('the parent fills its memory', () => {
    for (let page = 0; page < pages; page++) parent.copyIn(at + page * PAGE_SIZE, whole.fill(initial(page)))
  })

  const pin = parent.pin(at, PINNED_PAGES * PAGE_SIZE, { write: true })
  const disk = { halfWay: signal(), goesOn: signal() }
  const reading = readSlowly(file, pin, disk)
  await disk.halfWay
  const child = memory.process(time('fork', () => parent.fork()))
  const copied = memory.statistics().copies
  // At once to one of the pinned pages; which side comes to the others first is open.
  parent.copyIn(at + (PINNED_PAGES - 1) * PAGE_SIZE + HALF, new Uint8Array(HALF))
  console.log(`  copied by fork: ${copied} pages`)
  const began = performance.now()
  await Promise.all(
    ['parent', 'child'].flatMap((side) =>
      Array.from({ length: WRITERS }, (_, writer) => {
        const pid = side === 'parent' ? parent.pid : child.pid
        const job = { handle: memory.share(), pid, at, pages, side, writer }
        const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job })
        return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      }),
    ),
  )
  console.log(
    `  ${2 * WRITERS} workers write to every page: ${((performance.now() - began) / 1000).toFixed(2)} s`,
  )
  disk.goesOn.come()
  await reading
  const { copies, reuses, faults } = memory.statistics()
  console.log(`  pages copied ${copies}, kept by a write fault ${reuses}, faults ${faults}`)

  const lost = verify(parent, child, pin, at, pages, file)
  if (lost.device === 0) console.log('  what the device read is in the parent’s memory: all of it')
  else
    console.log(`  GONE MISSING: ${lost.device} of ${PINNED_PAGES} pages lack what the device read into them`)
  console.log(
    `  of all other bytes on both sides, ${lost.other === 0 ? 'every one is right' : `${lost.other} pages are WRONG`}`,
  )
  pin.unpin()
  child.exit()
  parent.exit()
  const wrong = memory.check() ?? (memory.freeFrames === frames ? undefined : 'frames are missing')
  console.log(`  at the end ${wrong ?? 'all counts are right, and every frame is free'}`)
}

/** Reads a file into the first halves of the pinned pages, a few at a time. Half-way the disk takes its time. */
async function readSlowly(file, pin, disk) {
  const descriptor = openSync(file, 'r')
  const halves = pin.buffers.map((page) => page.subarray(0, HALF))
  for (let i = 0; i < halves.length; i += PAGES_AT_ONCE) {
    if (i === halves.length / 2) {
      disk.halfWay.come()
      await disk.goesOn
    }
    await promisify(readv)(descriptor, halves.slice(i, i + PAGES_AT_ONCE), i * HALF)
  }
  closeSync(descriptor)
}

/** Something that comes once, and can be waited for. */
function signal() {
  let come
  const promise = new Promise((resolve) => {
    come = resolve
  })
  return Object.assign(promise, { come })
}

/** A worker: writes to the second half of every page of one side that is its turn. */
function write() {
  const { handle, pid, at, pages, side, writer } = workerData
  const memory = Memory.attach(handle)
  const process = memory.process(pid)
  const half = new Uint8Array(HALF)
  for (let page = writer; page < pages; page += WRITERS) {
    process.copyIn(at + page * PAGE_SIZE + HALF, half.fill(written(page, side)))
  }
  memory.detach()
  parentPort.postMessage('done')
}

/** Looks at every byte of both sides. */
function verify(parent, child, pin, at, pages, file) {
  const lost = { device: 0, other: 0 }
  const read = readFileSync(file)
  const pinned = pin.buffers
  const same = (a, b) => Buffer.compare(a, b) === 0
  const half = (value) => new Uint8Array(HALF).fill(value)
  for (let page = 0; page < pages; page++) {
    const [ours, theirs] = [parent, child].map((side) => side.copyOut(at + page * PAGE_SIZE, PAGE_SIZE))
    const data = page < PINNED_PAGES ? read.subarray(page * HALF, (page + 1) * HALF) : half(initial(page))
    if (page < PINNED_PAGES) {
      if (!same(pinned[page].subarray(0, HALF), data)) lost.other++
      if (!same(ours.subarray(0, HALF), data)) lost.device++
    } else if (!same(ours.subarray(0, HALF), data)) lost.other++
    if (!same(ours.subarray(HALF), half(written(page, 'parent')))) lost.other++
    if (!same(theirs.subarray(HALF), half(written(page, 'child')))) lost.other++
    // What the device had read before the fork, the child has too.
    const before = half(initial(page))
    const first = theirs.subarray(0, HALF)
    if (!same(first, before) && !(page < PINNED_PAGES && same(first, data))) lost.other++
  }
  return lost
}

function time(what, work) {
  const began = performance.now()
  const result = work()
  console.log(`  ${what}: ${((performance.now() - began) / 1000).toFixed(2)} s`)
  return result
}
