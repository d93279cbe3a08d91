/** A worker that is one thread of a test which runs live (`crew.ts`). */
import { parentPort } from 'node:worker_threads'
import { designNamed } from '../designs/index.ts'
import { compile, type Program, parse } from '../litmus/index.ts'
import { Arena, Race } from '../live/index.ts'
import type { LiveJob, LiveReply, LiveRequest } from './live_protocol.ts'
import { DesignError, designFrom, explain } from './own_design.ts'

parentPort!.on('message', async (request: LiveRequest) => {
  let reply: LiveReply
  try {
    reply = await answer(request)
  } catch (error) {
    reply = { kind: 'failed', failure: failureFrom(error, request.job) }
  }
  parentPort!.postMessage(reply)
})

async function answer(request: LiveRequest): Promise<LiveReply> {
  const program = await programOf(request.job)
  const { threads, layout } = program.system
  const locations = layout.locations.length
  if (request.kind === 'begin') {
    const arena = Race.arenaFor(program, request.runs)
    new Race(program, arena, request.job.seed).begin()
    return { kind: 'begun', buffer: arena.buffer, locations, threads: threads.length }
  }
  const arena = new Arena(locations, request.buffer)
  const { outcomes, failures } = new Race(program, arena, request.job.seed).take(request.thread)
  return { kind: 'taken', tally: { outcomes: [...outcomes], failures: [...failures] } }
}

async function programOf({ test, design }: LiveJob): Promise<Program> {
  const { rules } = design.kind === 'built-in' ? designNamed(design.name)! : await designFrom(design)
  return compile(parse(test.text, test.file).test, rules)
}

function failureFrom(error: unknown, { design }: LiveJob): (LiveReply & { kind: 'failed' })['failure'] {
  if (error instanceof DesignError) return { kind: 'model', message: error.message }
  if (design.kind === 'file') return { kind: 'model', message: explain(error, design) }
  return {
    kind: 'internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}
