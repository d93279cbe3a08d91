/**
 * Two threads against one: the same exploration with `--workers` 0 (the explorer that knows no
 * other threads), 1 and 2, beside arithmetic loops, one alone and two at once, and beside two explorations at once
 * that share nothing. The loops tell what a second processor is worth on this machine at this moment, the two
 * explorations what it is worth to what waits for memory. All take turns; medians.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Crew } from '../test/engine/crew.ts'
import type { Recipe } from '../test/engine/crew_member.ts'

const MODELS: Readonly<Record<string, Recipe>> = {
  'litmus-1': ['litmus', 'bench/tests/1-shared-page.litmus', 'v5.9'],
  'litmus-3': ['litmus', 'bench/tests/3-pins-forks-reads.litmus', 'v5.9'],
  'litmus-4': ['litmus', 'bench/tests/3-pins-forks-reads.litmus', 'v5.19'],
  'counters-4-4': ['counters', 4, 4],
  'ring-7-9': ['ring', 7, 9],
}
/** Bundled beside this file. */
const MEMBER = fileURLToPath(new URL('crew_member.js', import.meta.url))
const RUNS = 5
const LOOP = `
  let h = 1
  for (let i = 0; i < 1e9; i++) h = Math.imul(h ^ i, 0x9e3779b1)
  require('node:worker_threads').parentPort.postMessage(h)
`

function loops(n: number): Promise<number> {
  const began = performance.now()
  const all = Array.from({ length: n }, () => {
    const worker = new Worker(LOOP, { eval: true })
    return new Promise((resolve) => worker.once('message', resolve))
  })
  return Promise.all(all).then(() => performance.now() - began)
}

const found = new Map<string, string>()

async function explore(model: string, size: number): Promise<number> {
  // New threads each time: none has anything compiled already.
  const crew = new Crew(MEMBER)
  try {
    const answer = await crew.explore(MODELS[model]!, size, { from: 2_000 })
    if (answer.kind === 'failed') throw new Error(answer.error)
    const { states, transitions, bounded } = answer.found
    const what = `${states} states, ${transitions} transitions, ${bounded ?? 'exhaustive'}`
    if ((found.get(model) ?? what) !== what) throw new Error(`${model}: ${what}, not ${found.get(model)}`)
    found.set(model, what)
    return answer.milliseconds
  } finally {
    await crew.close()
  }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]!
}

const chosen = process.argv.slice(2)
for (const model of chosen.length > 0 ? chosen : Object.keys(MODELS)) {
  const times: Record<string, number[]> = {
    alone: [],
    both: [],
    one: [],
    pair: [],
    two: [],
    loop: [],
    loops: [],
  }
  for (let run = 0; run < RUNS; run++) {
    times.alone!.push(await explore(model, 0))
    times.both!.push(Math.max(...(await Promise.all([explore(model, 0), explore(model, 0)]))))
    times.one!.push(await explore(model, 1))
    times.pair!.push(Math.max(...(await Promise.all([explore(model, 1), explore(model, 1)]))))
    times.two!.push(await explore(model, 2))
    times.loop!.push(await loops(1))
    times.loops!.push(await loops(2))
  }
  const ms = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]))
  process.stdout.write(
    `${model}: ${found.get(model)}\n` +
      `  one thread by itself ${Math.round(ms.alone!)} ms, one over shared tables ${Math.round(ms.one!)} ms, two ${Math.round(ms.two!)} ms\n` +
      `  two are ${(ms.one! / ms.two!).toFixed(2)} times one, ${(ms.alone! / ms.two!).toFixed(2)} times one by itself; two loops are ${((2 * ms.loop!) / ms.loops!).toFixed(2)} times one\n` +
      `  two explorations at once that share nothing are ${((2 * ms.alone!) / ms.both!).toFixed(2)} times one; over shared tables, each its own, ${((2 * ms.one!) / ms.pair!).toFixed(2)} times\n`,
  )
}
