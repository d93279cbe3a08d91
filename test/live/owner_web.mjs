// In a browser: makes a memory with one process for several workers, and looks at it when they have ended.
import { Memory, PAGE_SIZE } from '../../dist/live.js'
import { job, report } from './employer.mjs'

const { workers, pages, design } = job
const memory = Memory.create({ design, frames: 40, pages, swap: 200, processes: 5, workers: workers + 1 })
const process = memory.spawn()
process.mmap(pages * PAGE_SIZE)
addEventListener('message', () => {
  process.exit()
  const wrong = memory.check()
  memory.reclaim(memory.size.frames)
  report({ wrong, leaked: memory.size.frames - memory.freeFrames, statistics: memory.statistics() })
})
report({ pid: process.pid, handles: Array.from({ length: workers }, () => memory.share()) })
