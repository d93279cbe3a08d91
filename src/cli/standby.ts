/**
 * How workers are made; and one that is made before anybody has a job for it. To load all that explorations need
 * takes longer than to explore a small test, and so it is begun while the main thread still loads its own part.
 */
import { Worker } from 'node:worker_threads'
import { Heartbeat } from './heartbeat.ts'

/** JavaScript objects of one worker, in MiB. States do not count: they are outside of this heap. */
export const HEAP_MIB = 1024

/** What workers run: `watched_worker` tells which parts of its source have run. */
export type WorkerProgram = 'worker' | 'watched_worker'

/** A worker, and what it shares with the main thread. */
export interface Hireling {
  readonly worker: Worker
  readonly heartbeat: Heartbeat
}

let standby: Hireling | undefined

/** Makes a worker for whoever is the first to ask for one. Until then it keeps nothing from ending. */
export function prepareWorker(): void {
  standby = make('worker')
  standby.worker.unref()
  // One that fails already now is none: whoever asks makes another, and hears of what ails it.
  standby.worker.once('error', forget)
}

function forget(): void {
  standby = undefined
}

/** The worker that stands by, or else a new one. */
export function startWorker(program: WorkerProgram): Hireling {
  if (standby === undefined || program !== 'worker') return make(program)
  const ready = standby
  standby = undefined
  ready.worker.off('error', forget)
  ready.worker.ref()
  return ready
}

function make(program: WorkerProgram): Hireling {
  const heartbeat = new Heartbeat()
  const worker = new Worker(new URL(`./${program}.js`, import.meta.url), {
    workerData: heartbeat.buffer,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    // What a person's design prints must not end up within a table or JSON.
    stdout: true,
  })
  return { worker, heartbeat }
}
