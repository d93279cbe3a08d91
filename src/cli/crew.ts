/**
 * The workers that run tests live: one for each thread of a test, kept from test to test. They
 * need nothing of the main thread while they run, which only looks whether they get on.
 */
import { Worker } from 'node:worker_threads'
import { Arena, Race } from '../live/index.ts'
import type { LiveJob, LiveReply, LiveRequest, TallyEntries } from './live_protocol.ts'
import { JobError } from './pool.ts'

/** After so long without an end of the run that is under way, it is given up. */
const ENDLESS_MS = 10_000
/** A thread that then performs no step for so long is in somebody's endless loop. */
const SILENCE_MS = 5_000
const WATCH_EVERY_MS = 100

export interface CrewOptions {
  /** Where a worker's program is. */
  readonly worker?: URL
  readonly onProgress?: (runs: number) => void
}

/** What came of some runs. */
export interface LiveRuns extends TallyEntries {
  readonly threads: number
  /** Fewer than were asked for, if somebody stopped them. */
  readonly runs: number
  readonly milliseconds: number
}

export class Crew {
  private readonly workers: Worker[] = []
  private arena: Arena | undefined
  private stopped = false

  constructor(private readonly options: CrewOptions = {}) {}

  /**
   * Runs a test so many times under a design. One call at a time.
   * @throws JobError
   */
  async run(job: LiveJob, runs: number): Promise<LiveRuns> {
    const begun = await this.ask(0, { kind: 'begin', job, runs })
    if (begun.kind !== 'begun') throw unexpected(begun)
    const { buffer, locations, threads } = begun
    const began = Date.now()
    this.arena = new Arena(locations, buffer)
    if (this.stopped) Race.stop(this.arena)
    const watch = this.watch(this.arena, threads)
    try {
      const tallies = await Promise.race([
        watch.hopeless,
        Promise.all(
          Array.from({ length: threads }, async (_, thread) => {
            const reply = await this.ask(thread, { kind: 'take', job, buffer, thread })
            if (reply.kind !== 'taken') throw unexpected(reply)
            return reply.tally
          }),
        ),
      ])
      const outcomes = merged(tallies.map((tally) => tally.outcomes))
      const failures = merged(tallies.map((tally) => tally.failures))
      const done = [...outcomes, ...failures].reduce((sum, [, count]) => sum + count, 0)
      return { outcomes, failures, threads, runs: done, milliseconds: Date.now() - began }
    } catch (error) {
      // The others wait for one that is gone.
      await this.close()
      throw error
    } finally {
      watch.end()
      this.arena = undefined
    }
  }

  /** Ends after the run that is under way, with what there is. */
  stop(): void {
    this.stopped = true
    if (this.arena !== undefined) Race.stop(this.arena)
  }

  /** Lets all workers go. */
  async close(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.terminate()))
  }

  private ask(index: number, request: LiveRequest): Promise<LiveReply> {
    const worker = this.workers[index] ?? this.hire(index)
    return new Promise((resolve, reject) => {
      const settle = (error?: JobError, reply?: LiveReply): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        if (reply === undefined) reject(error)
        else resolve(reply)
      }
      const onMessage = (reply: LiveReply): void => {
        if (reply.kind === 'failed') settle(new JobError(reply.failure.kind, reply.failure.message))
        else settle(undefined, reply)
      }
      const onError = (error: Error): void => settle(new JobError('internal', error.stack ?? String(error)))
      const onExit = (code: number): void =>
        settle(new JobError('model', `ended its worker (exit code ${code})`))
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      worker.postMessage(request)
    })
  }

  private hire(index: number): Worker {
    const url = this.options.worker ?? new URL('./live_worker.js', import.meta.url)
    // What a person's design prints must not end up within a table or JSON.
    const worker = new Worker(url, { stdout: true })
    worker.stdout.pipe(process.stderr, { end: false })
    this.workers[index] = worker
    return worker
  }

  /** Gives up a run that does not end; if that does not help, there is no hope. */
  private watch(arena: Arena, threads: number): { readonly hopeless: Promise<never>; end(): void } {
    let runs = 0
    let since = Date.now()
    let timer: NodeJS.Timeout
    const hopeless = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const now = Race.runsBegun(arena)
        if (now !== runs) [runs, since] = [now, Date.now()]
        const waited = Date.now() - since
        if (waited > ENDLESS_MS) Race.giveUp(arena)
        if (waited > ENDLESS_MS + SILENCE_MS) {
          const message = `one of ${threads} threads has run for ${SILENCE_MS / 1000} s without performing a step`
          reject(new JobError('silent', message))
        }
        this.options.onProgress?.(runs)
      }, WATCH_EVERY_MS)
    })
    return { hopeless, end: () => clearInterval(timer) }
  }
}

function unexpected(reply: LiveReply): JobError {
  return reply.kind === 'failed'
    ? new JobError(reply.failure.kind, reply.failure.message)
    : new JobError('internal', `a worker answered "${reply.kind}"`)
}

/** Each key once, the most frequent first. */
function merged(lists: readonly TallyEntries['outcomes'][]): (readonly [string, number])[] {
  const sums = new Map<string, number>()
  for (const [key, count] of lists.flat()) sums.set(key, (sums.get(key) ?? 0) + count)
  return [...sums].sort((a, b) => b[1] - a[1])
}
