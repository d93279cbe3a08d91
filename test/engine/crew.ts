/** Threads for tests of explorations by several: one that begins, others that it can call. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { reportDeath, type Share } from '../../src/engine/index.ts'
import type { Answer, Order, Recipe } from './crew_member.ts'

type Explored = Extract<Answer, { kind: 'found' | 'failed' }>

export class Crew {
  private readonly threads: Worker[] = []

  /**
   * @param program `crew_member.ts` as one file of JavaScript
   * @param directory to be removed at the end
   */
  constructor(
    private readonly program: string,
    private readonly directory?: string,
  ) {}

  static async gather(): Promise<Crew> {
    const { build } = await import('esbuild')
    const directory = mkdtempSync(join(tmpdir(), 'cowherd-crew-'))
    const program = join(directory, 'member.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('crew_member.ts', import.meta.url))],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      keepNames: true,
      logLevel: 'warning',
    })
    return new Crew(program, directory)
  }

  /** Explores with `size` threads; with 0, by the explorer that knows no others. */
  explore(
    recipe: Recipe,
    size: number,
    options: Omit<Extract<Order, { kind: 'explore' }>, 'kind' | 'recipe' | 'size'> = {},
  ): Promise<Explored> {
    return new Promise((resolve, reject) => {
      const lead = this.thread(0)
      let share: Share | undefined
      const others: Promise<Answer>[] = []
      const die = (): void => {
        if (share !== undefined) reportDeath(share)
      }
      lead.on('error', reject)
      lead.on('message', (answer: Answer) => {
        if (answer.kind === 'call') {
          share = answer.share
          for (let i = 1; i < size; i++) {
            const other = this.thread(i)
            other.on('exit', die)
            other.on('error', die)
            others.push(
              new Promise((done) => {
                other.once('message', (answer: Answer) => {
                  if (answer.kind === 'failed') reject(new Error(`a helper: ${answer.error}`))
                  done(answer)
                })
              }),
            )
            other.postMessage({ kind: 'assist', recipe, share } satisfies Order)
          }
          return
        }
        // A thread that did not come back would hang here, and in the next exploration.
        const settled = answer.kind === 'failed' ? Promise.resolve([]) : Promise.all(others)
        void settled.then(() => {
          for (const thread of this.threads) {
            for (const event of ['message', 'error', 'exit'] as const) thread.removeAllListeners(event)
          }
          resolve(answer as Explored)
        })
      })
      lead.postMessage({ kind: 'explore', recipe, size, ...options } satisfies Order)
    })
  }

  /** Gives each of `n` threads an order, and waits for all answers. */
  all(n: number, order: (i: number) => Order): Promise<Answer[]> {
    return Promise.all(
      Array.from({ length: n }, (_, i) => {
        const thread = this.thread(i)
        return new Promise<Answer>((resolve) => {
          thread.once('message', resolve)
          thread.postMessage(order(i))
        })
      }),
    )
  }

  /** Ends all threads; the next exploration has new ones. */
  async dismiss(): Promise<void> {
    await Promise.all(this.threads.splice(0).map((thread) => thread.terminate()))
  }

  async close(): Promise<void> {
    await this.dismiss()
    if (this.directory !== undefined) rmSync(this.directory, { recursive: true, force: true })
  }

  private thread(i: number): Worker {
    this.threads[i] ??= new Worker(this.program)
    return this.threads[i]
  }
}
