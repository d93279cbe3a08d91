/**
 * Workers, and who watches them. Jobs wait in one queue, the most urgent first; a worker that
 * falls silent while foreign code runs, dies or runs out of memory fails its job and is replaced.
 */
import { Worker } from 'node:worker_threads'
import { Heartbeat, LOADING } from './heartbeat.ts'
import type { AssistInput, JobKind, Jobs, Reply, Request, WorkerData } from './protocol.ts'

/** How long foreign code may run between two signs of life. */
const SILENCE_MS = 5_000
/** How long workers have, once they are asked to stop, before they are made to. */
const GRACE_MS = 1_500
const WATCH_EVERY_MS = 250
/** JavaScript objects of one worker, in MiB. States do not count: they are outside of this heap. */
const HEAP_MIB = 1024

export type JobFault =
  /** Somebody's rules are wrong; the message says how. */
  | 'model'
  /** Foreign code did not come back. The message names the procedure. */
  | 'silent'
  | 'memory'
  /** Nobody wants it any more. */
  | 'stopped'
  | 'internal'

export class JobError extends Error {
  override readonly name = 'JobError'
  constructor(
    readonly fault: JobFault,
    message: string,
  ) {
    super(message)
  }
}

interface Waiting {
  readonly request: Request
  readonly urgency: number
  readonly number: number
  readonly resolve: (output: never) => void
  readonly reject: (error: JobError) => void
}

/** A worker, and when it last gave a sign of life. */
interface Hand {
  readonly worker: Worker
  readonly heartbeat: Heartbeat
  beat: number
  lastBeat: number
}

/** One that does jobs, and those that help it when it calls them. */
interface Post extends Hand {
  readonly helpers: Hand[]
  job: Waiting | undefined
}

/** What all workers are doing at this moment. */
export interface Activity {
  readonly states: number
  readonly depth: number
  readonly frontier: number
  readonly running: number
}

export class Pool {
  private readonly waiting: Waiting[] = []
  private readonly posts: Post[] = []
  private readonly watcher: NodeJS.Timeout
  private count = 0
  private stopping = false

  constructor(
    private readonly size: number,
    private readonly onTick?: (activity: Activity) => void,
    /** Threads that explore one thing together. */
    private readonly workers = 1,
  ) {
    this.watcher = setInterval(() => this.watch(), WATCH_EVERY_MS)
  }

  /**
   * Has a worker do a job.
   * @param urgency jobs with more of it are begun first; equal ones in the order of these calls
   * @throws JobError
   */
  run<K extends JobKind>(kind: K, input: Jobs[K]['input'], urgency = 0): Promise<Jobs[K]['output']> {
    return new Promise((resolve, reject) => {
      const request = { kind, input } as Request
      const job: Waiting = { request, urgency, number: this.count++, resolve, reject }
      if (this.stopping) return reject(new JobError('stopped', 'not begun'))
      const before = this.waiting.findIndex((other) => other.urgency < urgency)
      this.waiting.splice(before < 0 ? this.waiting.length : before, 0, job)
      this.assign()
    })
  }

  /** Fails the jobs that wait and are like this; those that run go on. */
  cancel(alike: (request: Request) => boolean, error: JobError): void {
    for (const job of this.waiting.filter(({ request }) => alike(request))) {
      this.waiting.splice(this.waiting.indexOf(job), 1)
      job.reject(error)
    }
  }

  /** Asks all running explorations to end with what they have; jobs that wait are not begun. */
  stop(): void {
    if (this.stopping) return
    this.stopping = true
    for (const job of this.waiting.splice(0)) job.reject(new JobError('stopped', 'not begun'))
    for (const { heartbeat } of this.posts) heartbeat.stop()
    setTimeout(() => {
      for (const post of [...this.posts]) {
        if (post.job !== undefined) this.dismiss(post, new JobError('stopped', 'did not stop by itself'))
      }
    }, GRACE_MS).unref()
  }

  /** Lets all workers go; a job that waits or runs will not be done. */
  async close(): Promise<void> {
    clearInterval(this.watcher)
    this.stopping = true
    for (const job of this.waiting.splice(0)) job.reject(new JobError('stopped', 'not begun'))
    const hands = this.posts.splice(0).flatMap((post) => [post, ...post.helpers])
    await Promise.all(hands.map(({ worker }) => worker.terminate()))
  }

  private assign(): void {
    while (this.waiting.length > 0) {
      let post = this.posts.find(({ job }) => job === undefined)
      if (post === undefined) {
        if (this.posts.length >= this.size) return
        post = this.hire()
      }
      post.job = this.waiting.shift()!
      post.lastBeat = Date.now()
      post.worker.postMessage(post.job.request)
    }
  }

  private hire(): Post {
    const post: Post = { ...this.start((error) => this.dismiss(post, error)), helpers: [], job: undefined }
    this.posts.push(post)
    post.worker.on('message', (reply: Reply) => {
      if (reply.kind === 'call') this.help(post, reply.input)
      else this.finish(post, reply)
    })
    return post
  }

  /**
   * Sends a worker's helpers to it; without one of them it would wait for ever, so if one fails
   * the whole job does.
   */
  private help(post: Post, input: AssistInput): void {
    if (!this.posts.includes(post)) return
    while (post.helpers.length < this.workers - 1) {
      post.helpers.push(this.start((error) => this.dismiss(post, error)))
    }
    for (const helper of post.helpers) {
      helper.lastBeat = Date.now()
      helper.worker.postMessage({ kind: 'assist', input } satisfies Request)
    }
  }

  /** Makes a worker; `fail` is called when it ends. */
  private start(fail: (error: JobError) => void): Hand {
    const heartbeat = new Heartbeat()
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { heartbeat: heartbeat.buffer, workers: this.workers } satisfies WorkerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
      // What a person's design prints must not end up within a table or JSON.
      stdout: true,
    })
    worker.stdout.pipe(process.stderr, { end: false })
    worker.on('error', (error: Error & { code?: string }) => {
      const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      fail(
        full
          ? new JobError('memory', `ran out of memory (${HEAP_MIB} MiB of JavaScript objects)`)
          : new JobError('internal', error.stack ?? String(error)),
      )
    })
    worker.on('exit', (code) => fail(new JobError('model', `ended its worker (exit code ${code})`)))
    return { worker, heartbeat, beat: 0, lastBeat: Date.now() }
  }

  private finish(post: Post, reply: Exclude<Reply, { kind: 'call' }>): void {
    const { job } = post
    post.job = undefined
    if (reply.kind === 'done') job?.resolve(reply.output as never)
    else job?.reject(new JobError(reply.failure.kind, reply.failure.message))
    this.assign()
  }

  /** Lets a worker go; its job, if it has one, fails. */
  private dismiss(post: Post, error: JobError): void {
    const index = this.posts.indexOf(post)
    if (index < 0) return
    this.posts.splice(index, 1)
    for (const { worker } of [post, ...post.helpers]) void worker.terminate()
    post.job?.reject(error)
    // Later, so that whoever asked for that job can first cancel those that would fail alike.
    setImmediate(() => this.assign())
  }

  private watch(): void {
    const now = Date.now()
    let states = 0
    let depth = 0
    let frontier = 0
    let running = 0
    for (const post of [...this.posts]) {
      if (post.job === undefined) continue
      const silent = [post, ...post.helpers]
        .map((hand) => silenceOf(hand, now))
        .find((name) => name !== undefined)
      if (silent !== undefined) {
        this.dismiss(post, new JobError('silent', silence(silent)))
        continue
      }
      const pulse = post.heartbeat.read()
      running++
      states += pulse.states
      depth = Math.max(depth, pulse.depth)
      frontier += pulse.frontier
    }
    this.onTick?.({ states, depth, frontier, running })
  }
}

/** The procedure that a worker has not come back from for too long. */
function silenceOf(hand: Hand, now: number): string | undefined {
  const { beat, replaying } = hand.heartbeat.read()
  if (beat !== hand.beat) {
    hand.beat = beat
    hand.lastBeat = now
  }
  return now - hand.lastBeat > SILENCE_MS ? replaying : undefined
}

function silence(procedure: string): string {
  const seconds = SILENCE_MS / 1000
  if (procedure === LOADING) {
    return `the file has run for ${seconds} s without being loaded; what stands outside of functions must come to an end`
  }
  return `${procedure} has run for ${seconds} s without performing a step; a loop must perform one each time round, or better be a call or a tail call`
}
