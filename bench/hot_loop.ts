/**
 * Where the time of an exploration goes: one test is explored, as always and then with a lookup of every
 * successor; then gone through again without what is done once, then without lookups. Nanoseconds per transition,
 * medians of five; beside it what independent reads at random places of as much memory cost, and as many lookups in C (`lookups.c`), if there is gcc.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { designNamed } from '../src/designs/index.ts'
import { Batch } from '../src/engine/batch.ts'
import { Expansion, type Successors, Walks } from '../src/engine/expansion.ts'
import { Findings } from '../src/engine/findings.ts'
import { Explorer } from '../src/engine/index.ts'
import { Learned } from '../src/engine/learned.ts'
import { Memories } from '../src/engine/memories.ts'
import { pack, wordsOfState } from '../src/engine/packed.ts'
import { Stepper } from '../src/engine/stepper.ts'
import { Visited } from '../src/engine/visited.ts'
import { compile, parse } from '../src/litmus/index.ts'

const FILE = 'bench/tests/3-pins-forks-reads.litmus'
const DESIGN = 'v5.9'
const RUNS = 5
const BATCH = 256

/** Takes successors and does nothing with them. */
class Sink implements Successors {
  count = 0
  add(): void {
    this.count++
  }
}

interface Times {
  readonly states: number
  readonly transitions: number
  /** Milliseconds. */
  readonly first: number
  readonly again: number
  readonly steps: number
  readonly loads: number
  readonly bytes: number
  readonly depth: number
}

/** Milliseconds of an exploration as it always is. */
function explore(): number {
  const { test } = parse(readFileSync(FILE, 'utf8'), FILE)
  const explorer = new Explorer(compile(test, designNamed(DESIGN)!.rules).system)
  return timed(() => explorer.run())
}

function measure(): Times {
  const { test } = parse(readFileSync(FILE, 'utf8'), FILE)
  const { rules } = designNamed(DESIGN)!
  const { system } = compile(test, rules)
  const learned = new Learned(system)
  const memories = new Memories(system.layout.locations)
  const stepper = new Stepper(learned, memories)
  const findings = new Findings(system, memories)
  const visited = new Visited(wordsOfState(system.threads.length))
  const batch = new Batch(visited, { numbered: () => undefined, flushed: () => undefined })
  const here = new Int32Array(visited.words)
  const initial = learned.controls.map((controls) => controls.initial)
  pack(here, memories.internInitial(), initial)
  visited.intern(here, 0, visited.hash(here, 0), 0)
  if (findings.isBrokenFromTheBeginning()) throw new Error(`${FILE} breaks its invariant`)

  let transitions = 0
  const walks = new Walks(stepper)
  const expand = new Expansion(learned, memories, walks, findings, batch)
  let depth = 0
  const first = timed(() => {
    for (let state = 0, level = 1; state < visited.count; state++) {
      if (state === level) {
        batch.flush()
        level = visited.count
        depth++
      }
      visited.load(state, here)
      transitions += expand.expand(state, here)
      if (state === visited.count - 1) batch.flush()
    }
  })
  const states = visited.count
  const again = timed(() => goThrough(visited, here, expand))
  batch.flush()
  if (visited.count !== states) throw new Error('a state was not found the first time')
  const steps = timed(() =>
    goThrough(visited, here, new Expansion(learned, memories, walks, findings, new Sink())),
  )
  const loads = timed(() => {
    for (let state = 0; state < states; state++) visited.load(state, here)
  })
  return { states, transitions, first, again, steps, loads, bytes: visited.byteLength, depth }
}

function goThrough(visited: Visited, here: Int32Array, expansion: Expansion): void {
  for (let state = 0; state < visited.count; state++) {
    visited.load(state, here)
    expansion.expand(state, here)
  }
}

function timed(what: () => void): number {
  const began = performance.now()
  what()
  return performance.now() - began
}

/** Nanoseconds of a read at a random place among so many bytes, with others before and after it that do not wait for it. */
function randomRead(bytes: number): number {
  const words = new Int32Array(bytes / 4).fill(1)
  const places = new Int32Array(BATCH)
  let seed = 1
  let sum = 0
  let reading = 0
  const batches = 10_000
  for (let b = 0; b < batches; b++) {
    for (let i = 0; i < BATCH; i++) {
      seed = Math.imul(seed, 1_664_525) + 1_013_904_223
      places[i] = Math.floor(((seed >>> 0) / 2 ** 32) * words.length)
    }
    reading += timed(() => {
      for (let i = 0; i < BATCH; i++) sum += words[places[i]!]!
    })
  }
  if (sum !== batches * BATCH) throw new Error('something was not read')
  return (1e6 * reading) / (batches * BATCH)
}

/** Nanoseconds of a lookup in C; undefined if it cannot be compiled. */
function lookupInC({ states, transitions, depth }: Times): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-lookups-'))
  try {
    const program = join(folder, 'lookups')
    if (spawnSync('gcc', ['-O2', '-o', program, 'bench/lookups.c']).status !== 0) return undefined
    const args = [states, transitions - states, Math.ceil(states / depth)].map(String)
    return Number(spawnSync(program, args, { encoding: 'utf8' }).stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

// First, while no other searches have made the code more general.
const explorations = Array.from({ length: RUNS }, explore)
const runs = Array.from({ length: RUNS }, measure)
const { states, transitions, bytes } = runs[0]!
const of = (time: (run: Times) => number): number =>
  median(runs.map((run) => (1e6 * time(run)) / transitions))
const rows = [
  ['all', (1e6 * median(explorations)) / transitions],
  ['with a lookup of every successor', of(({ first }) => first)],
  ['what is done once: learning, new states and memories, invariants, growing', of((r) => r.first - r.again)],
  ['looking up successors that are known', of((r) => r.again - r.steps)],
  ['steps: trees, memories that are known', of((r) => r.steps - r.loads)],
  ['loading states', of(({ loads }) => loads)],
  [`a read at random in ${Math.round(bytes / 2 ** 20)} MiB`, median(runs.map(() => randomRead(bytes)))],
] as const
const inC = lookupInC(runs[0]!)
process.stdout.write(
  `${FILE} under ${DESIGN}: ${states} states, ${transitions} transitions; ns per transition\n`,
)
for (const [name, time] of rows) process.stdout.write(`${time.toFixed(0).padStart(6)}  ${name}\n`)
if (inC !== undefined)
  process.stdout.write(`${inC.toFixed(0).padStart(6)}  looking up a known state in C, per lookup\n`)
