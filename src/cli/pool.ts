/**
 * Workers, and who watches them. Jobs wait in one queue, the most urgent first; a worker that
 * falls silent while foreign code runs, dies or runs out of memory fails its job and is replaced.
 */
import type { Worker } from 'node:worker_threads'
import { count } from '../report/count.ts'
import { type Heartbeat, LOADING, type Pulse } from './heartbeat.ts'
import { explain, OWN_CODE } from './own_design.ts'
import type { AssistInput, DesignFile, JobKind, Jobs, Reply, Request } from './protocol.ts'
import { HEAP_MIB, startWorker, type WorkerProgram } from './standby.ts'

/**
 * How long foreign code may run between two signs of life: counted in looks of the watcher, not by the clock, so
 * that a machine that stood still for a while is not held against it.
 */
const SILENCE_MS = 5_000
/** How long workers have, once they are asked to stop, before they are made to. */
const GRACE_MS = 1_500
const WATCH_EVERY_MS = 250

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
  /** The person's own design that was loaded here last: its code may still be running. */
  own: DesignFile | undefined
  beat: number
  /** How often the watcher has looked since the last beat. */
  looks: number
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
  /** The exploration that has come to the most states. */
  readonly largest: Pulse | undefined
}

export interface PoolOptions {
  /** What its workers run. */
  readonly program?: WorkerProgram
  /** Threads that explore one thing together. */
  readonly workers?: number
  /** Whether somebody sees what is expected of an exploration. */
  readonly foresees?: boolean
}

export class Pool {
  private readonly waiting: Waiting[] = []
  private readonly posts: Post[] = []
  private readonly watcher: NodeJS.Timeout
  private count = 0
  private stopping = false
  private readonly program: WorkerProgram
  private readonly workers: number
  private readonly foresees: boolean

  /** @param size jobs at the same time */
  constructor(
    private readonly size: number,
    private readonly onTick?: (activity: Activity) => void,
    { program = 'worker', workers = 1, foresees = false }: PoolOptions = {},
  ) {
    this.program = program
    this.workers = workers
    this.foresees = foresees
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
      post.looks = 0
      const { input } = post.job.request
      if ('design' in input && input.design?.kind === 'file') post.own = input.design
      post.worker.postMessage(post.job.request)
    }
  }

  private hire(): Post {
    const hand = this.start((error) => this.dismiss(post, error))
    // The same object, and not a copy: what is noted of it is looked up when it ends.
    const post: Post = Object.assign(hand, { helpers: [], job: undefined })
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
      const helper = this.start((error) => this.dismiss(post, error))
      // One that could not even begin: the design does something else each time it is loaded.
      helper.worker.on('message', (reply: Reply) => {
        if (reply.kind !== 'failed') return
        this.dismiss(post, new JobError(reply.failure.kind, reply.failure.message))
      })
      post.helpers.push(helper)
    }
    for (const helper of post.helpers) {
      helper.looks = 0
      if (input.design?.kind === 'file') helper.own = input.design
      helper.worker.postMessage({ kind: 'assist', input } satisfies Request)
    }
  }

  /** Makes a worker; `fail` is called when it ends. */
  private start(fail: (error: JobError) => void): Hand {
    const { worker, heartbeat } = startWorker(this.program)
    heartbeat.workers = this.workers
    heartbeat.foresees = this.foresees
    // Every worker listens there.
    process.stderr.setMaxListeners(Number.POSITIVE_INFINITY)
    worker.stdout.pipe(process.stderr, { end: false })
    const hand: Hand = { worker, heartbeat, own: undefined, beat: 0, looks: 0 }
    worker.on('error', (error: Error & { code?: string }) => fail(causeOf(error, hand)))
    worker.on('exit', (code) =>
      fail(
        new JobError(
          'model',
          `${running(hand)}ended its worker (exit code ${code}); it must come back instead, or throw`,
        ),
      ),
    )
    return hand
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
    let states = 0
    let depth = 0
    let frontier = 0
    let running = 0
    let largest: Pulse | undefined
    for (const post of [...this.posts]) {
      if (post.job === undefined) continue
      const pulse = post.heartbeat.read()
      // Every hand is looked at, so that each one's looks are counted.
      const { request } = post.job
      const [stuck] = [post, ...post.helpers].flatMap((hand) => stuckIn(hand, request) ?? [])
      if (stuck !== undefined) {
        this.dismiss(post, new JobError('silent', silence(stuck, pulse.states)))
        continue
      }
      running++
      states += pulse.states
      depth = Math.max(depth, pulse.depth)
      frontier += pulse.frontier
      if (largest === undefined || pulse.states > largest.states) largest = pulse
    }
    this.onTick?.({ states, depth, frontier, running, largest })
  }
}

/** Why a worker has died. */
function causeOf(error: Error & { code?: string }, hand: Hand): JobError {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new JobError(
      'memory',
      `${running(hand)}ran out of memory (${HEAP_MIB} MiB of JavaScript objects, without those of states); it must not collect ever more of them`,
    )
  }
  // What was thrown outside of a job, by a timer or a promise of a person's own design.
  const { stack } = error
  if (hand.own !== undefined && stack?.includes(OWN_CODE)) {
    const place = explain(error, hand.own)
    return new JobError('model', `${place}, thrown while nobody waited for it: by a timer, or a promise`)
  }
  return new JobError('internal', stack ?? String(error))
}

/** The procedure that a worker was in, if that is known, before what it did. */
function running({ heartbeat }: Hand): string {
  const { replaying } = heartbeat.read()
  return replaying === undefined || replaying === LOADING ? '' : `${replaying} `
}

/** The procedure that a worker has not come back from for too long; to be called at every look of the watcher. */
function stuckIn(hand: Hand, request: Request): string | undefined {
  const pulse = hand.heartbeat.read()
  if (pulse.beat !== hand.beat) {
    hand.beat = pulse.beat
    hand.looks = 0
    return undefined
  }
  return isStuck(pulse, ++hand.looks * WATCH_EVERY_MS, request)
    ? (pulse.replaying ?? 'a function')
    : undefined
}

/**
 * Whether a worker that says nothing is to be given up: only if a person's own code is running in it, which may never
 * come back. What Cowherd itself does there comes to an end, however long it takes.
 */
export function isStuck({ replaying }: Pulse, silentMs: number, { input }: Request): boolean {
  const foreign = 'design' in input && input.design?.kind === 'file'
  return foreign && replaying !== undefined && silentMs > SILENCE_MS
}

function silence(procedure: string, states: number): string {
  const seconds = SILENCE_MS / 1000
  if (procedure === LOADING) {
    return `the file has run for ${seconds} s without being loaded; what stands outside of functions must come to an end`
  }
  return `${procedure} has run for ${seconds} s without performing a step; a loop must perform one each time round, or better be a call or a tail call (${count(states)} states were explored until then)`
}
