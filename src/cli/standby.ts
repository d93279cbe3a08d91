/**
 * How workers are made; and one that is made before anybody has a job for it. To load all that explorations need
 * takes longer than to explore a small test, and so it is begun while the main thread still loads its own part.
 */
import { Worker } from 'node:worker_threads'
import { Heartbeat } from './heartbeat.ts'
import type { WorkerData } from './protocol.ts'

/** JavaScript objects of one worker, in MiB. States do not count: they are outside of this heap. */
export const HEAP_MIB = 1024

/** What workers run: `watched_worker` tells which parts of its source have run. */
export type WorkerProgram = 'worker' | 'watched_worker'

export interface WorkerOptions {
  readonly program: WorkerProgram
  /** Threads that explore one thing together. */
  readonly workers: number
}

/** A worker, and what it shares with the main thread. */
export interface Hireling {
  readonly worker: Worker
  readonly heartbeat: Heartbeat
}

/** What most pools ask for first. */
const USUAL: WorkerOptions = { program: 'worker', workers: 1 }

let standby: Hireling | undefined

/** Makes a worker for whoever asks for one first. Until then it keeps nothing from ending. */
export function prepareWorker(): void {
  standby = make(USUAL)
  standby.worker.unref()
}

/** The worker that stands by, if it is of this kind, or else a new one. */
export function startWorker(options: WorkerOptions): Hireling {
  const ready = standby
  standby = undefined
  if (ready === undefined) return make(options)
  if (options.program === USUAL.program && options.workers === USUAL.workers) {
    ready.worker.ref()
    return ready
  }
  void ready.worker.terminate()
  return make(options)
}

function make({ program, workers }: WorkerOptions): Hireling {
  const heartbeat = new Heartbeat()
  const worker = new Worker(new URL(`./${program}.js`, import.meta.url), {
    workerData: { heartbeat: heartbeat.buffer, workers } satisfies WorkerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    // What a person's design prints must not end up within a table or JSON.
    stdout: true,
  })
  return { worker, heartbeat }
}
