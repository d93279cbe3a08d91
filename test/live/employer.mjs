// Who has started this worker, under Node.
import { parentPort, workerData } from 'node:worker_threads'

/** What it is to do. */
export const job = workerData

export function report(what) {
  parentPort.postMessage(what)
}
