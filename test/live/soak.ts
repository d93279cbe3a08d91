/** Random programs on four workers against a plain copy of the bytes. What a soak found wrong is in `wrong`, and all must be empty. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Memory, MemoryBroken, type MemoryHandle, PAGE_SIZE, type Statistic } from 'cowherd/live'
import { designNamed, NO_RULES } from '../../src/designs/index.ts'

/** Where this is run from is the folder of the project. */
const HERE = pathToFileURL(join(process.cwd(), 'test/live/'))
const WORKERS = 4

export interface Soak {
  readonly design: string
  readonly seed: number
  /** How long each worker goes on. */
  readonly milliseconds: number
  /** Operations of each worker, however slow the machine. */
  readonly least: number
}

export interface Soaked {
  readonly wrong: readonly string[]
  readonly operations: number
  readonly outOfMemory: number
  readonly statistics: Readonly<Record<Statistic, number>>
}

interface Report {
  readonly operations: number
  readonly outOfMemory: number
  readonly wrong: readonly string[]
  readonly broken: string | undefined
}

interface Hand {
  readonly worker: Worker
  readonly handle: MemoryHandle
  readonly report: Promise<Report>
}

/**
 * Where reclaim does not look for pins once more when it has emptied the entry (6c287605fd56, v5.19), a pin that comes
 * just then is left behind by the next write (suite/swap/swap-races-fast-pin.litmus): there the soak takes none.
 */
function keepsPins(name: string): boolean {
  return designNamed(name)!.rules.page_try_share_anon_rmap !== NO_RULES.page_try_share_anon_rmap
}

/**
 * Where swap-in looks at mappings and entries alone (to v5.16), a store is lost if its page goes to swap and back while
 * another thread copies it (suite-large/swap-copy-races-*.litmus): there processes of several threads are not soaked.
 */
export function keepsStores(name: string): boolean {
  return designNamed(name)!.rules.swap_in_exclusive !== designNamed('v5.7')!.rules.swap_in_exclusive
}

/** Several workers with processes of their own, which all descend from one. */
export async function soakProcesses(soak: Soak): Promise<Soaked> {
  const { memory, hands } = processes(soak)
  const reports = await Promise.all(hands.map(({ report }) => report))
  return judged(memory, reports, [])
}

/** Several workers in one process. */
export async function soakThreads({ design, seed, milliseconds, least }: Soak): Promise<Soaked> {
  const pages = 12
  // Where frames are scarce nobody pins while another forks.
  const frames = seed % 4 === 1 ? 40 : 120
  const memory = Memory.create({ design, frames, pages, swap: 200, processes: 5, workers: 8 })
  const ancestor = memory.spawn()
  ancestor.mmap(pages * PAGE_SIZE)
  const published = new Int32Array(new SharedArrayBuffer(4 * pages * WORKERS))
  const hands = Array.from({ length: WORKERS }, (_, lane) =>
    hire('threads_worker.mjs', memory.share(), {
      ...{ pid: ancestor.pid, seed: WORKERS * seed + lane + 1, milliseconds, least },
      ...{ pages, lane, lanes: WORKERS, promisesPins: keepsPins(design), published },
    }),
  )
  const reports = await Promise.all(hands.map(({ report }) => report))
  return judged(memory, reports, [ancestor.pid])
}

/**
 * The same as `soakProcesses`, but a worker is terminated some time after all have begun, in whatever it is about: the memory is whole
 * then, or it says that it is not.
 */
export async function soakTerminated(
  soak: Soak,
  after: number,
): Promise<{ readonly wrong: readonly string[]; readonly whole: boolean }> {
  const began = new Int32Array(new SharedArrayBuffer(4))
  const { memory, hands } = processes(soak, began)
  const [victim, ...others] = hands as [Hand, ...Hand[]]
  // Those that have not begun hold nothing.
  for (let waits = 0; Atomics.load(began, 0) < WORKERS && waits < 2_000; waits++) await pause(10)
  await pause(after)
  await victim.worker.terminate()
  const whole = memory.ended(victim.handle)
  const reports = await Promise.all(others.map(({ report }) => report))
  const wrong = reports.flatMap((report) => report.wrong)
  if (whole) {
    wrong.push(...reports.flatMap(({ broken }) => broken ?? []), ...atRest(memory, undefined))
  } else {
    const unaware = reports.filter(({ broken }) => broken?.includes('the memory is broken') !== true)
    if (unaware.length > 0) wrong.push(`${unaware.length} workers do not know that the memory is broken`)
    try {
      memory.spawn()
      wrong.push('a broken memory has a new process')
    } catch (error) {
      if (!(error instanceof MemoryBroken)) throw error
    }
  }
  return { wrong, whole }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** A memory whose processes descend from one that has filled all its pages, each in the hands of a worker. */
function processes(
  { design, seed, milliseconds, least }: Soak,
  began?: Int32Array<SharedArrayBuffer>,
): { memory: Memory; hands: Hand[] } {
  const pages = 24
  const frames = seed % 4 < 2 ? 96 : 300
  const memory = Memory.create({ design, frames, pages, swap: 400, processes: 12, workers: 8 })
  const ancestor = memory.spawn()
  ancestor.mmap(pages * PAGE_SIZE)
  for (let i = 0; i < pages * PAGE_SIZE; i += 7) ancestor.store(i, (i * seed) & 255)
  const hands = Array.from({ length: WORKERS }, (_, i) =>
    hire('processes_worker.mjs', memory.share(), {
      ...{ pid: ancestor.fork(), seed: 100 * seed + i + 1, milliseconds, least },
      ...{ pages, promisesPins: keepsPins(design), began },
    }),
  )
  ancestor.exit()
  return { memory, hands }
}

function hire(program: string, handle: MemoryHandle, job: Readonly<Record<string, unknown>>): Hand {
  const worker = new Worker(new URL(program, HERE), { workerData: { ...job, handle } })
  const report = new Promise<Report>((resolve) => {
    const gone = (why: string) => resolve({ operations: 0, outOfMemory: 0, wrong: [why], broken: undefined })
    worker.once('message', resolve)
    worker.once('error', (error: Error) => {
      // One that had not begun when another was terminated.
      if (error.name !== 'MemoryBroken') return gone(String(error))
      resolve({ operations: 0, outOfMemory: 0, wrong: [], broken: error.message })
    })
    worker.once('exit', () => gone('a worker has gone'))
  })
  return { worker, handle, report }
}

function judged(memory: Memory, reports: readonly Report[], alive: readonly number[]): Soaked {
  const found = reports.flatMap(({ wrong, broken }) => (broken === undefined ? wrong : [...wrong, broken]))
  const sum = (what: 'operations' | 'outOfMemory') =>
    reports.reduce((total, report) => total + report[what], 0)
  return {
    wrong: found.length > 0 ? found : atRest(memory, alive),
    operations: sum('operations'),
    outOfMemory: sum('outOfMemory'),
    statistics: memory.statistics(),
  }
}

/** What is wrong when all workers have ended: with the counts, or with the frames when the last process has gone. */
function atRest(memory: Memory, alive: readonly number[] | undefined): string[] {
  const before = memory.check()
  if (before !== undefined) return [before]
  const left = memory.processes()
  if (alive !== undefined && left.join() !== alive.join())
    return [`processes ${left} are left, and not ${alive}`]
  for (const pid of left) memory.process(pid).exit()
  const after = memory.check()
  if (after !== undefined) return [after]
  // What nobody maps or names any more may stay in the swap cache until reclaim comes by, if its page was locked just then.
  memory.reclaim(memory.size.frames)
  const leaked = memory.size.frames - memory.freeFrames
  return leaked === 0 ? [] : [`${leaked} frames are not free when nobody is left`]
}
