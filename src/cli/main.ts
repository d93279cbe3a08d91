#!/usr/bin/env node
/**
 * Where the command `cowherd` begins: with a worker, if one will be needed, which gets ready while this thread loads
 * the command line.
 */
import { endOnSignals } from './signals.ts'
import { prepareWorker } from './standby.ts'

/** The commands that always have something for a worker to do. */
const WITH_WORKER = ['start', 'check', 'show', 'claims', 'export', 'history', 'estimate']

endOnSignals()
if (WITH_WORKER.includes(process.argv[2] ?? '')) prepareWorker()
await import('./command_line.ts')
