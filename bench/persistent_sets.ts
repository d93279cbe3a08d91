/**
 * What persistent sets could leave out at best, beside what merging leaves out, over the ten
 * largest tests of the suite.
 *
 * Not a way to explore: it takes the whole state graph, and for each state and each set T of
 * threads asks the graph whether the others, as far as they can get from here without T, ever do
 * something that does not commute with what T would do next. No checker can know as much before it
 * has seen the graph; one that looks at what threads read and write knows less. Then it goes through
 * the graph again, and takes from each state the persistent set with the fewest successors. States
 * with one successor are not counted, as merging does not keep them.
 *
 * So the numbers are what is there to be gained: nothing is asked about invariants, visibility and
 * steps that are put off for ever. That no end gets lost is checked.
 */

import { designNamed } from '../src/designs/index.ts'
import { Explorer, type StateGraph, searchOf, stateGraph } from '../src/engine/index.ts'
import { compile } from '../src/litmus/index.ts'
import { largest, nameOf, testFrom } from './largest.ts'

/** Where a step fails. */
const NOWHERE = -1

/** The graph, and what commutes in it. */
class Commuting {
  readonly threads: number
  readonly count: number
  /** By state and thread: where its steps lead. */
  readonly after: (readonly number[])[]
  /** By state: the threads, a bit each, that have not ended, and those that can take a step. */
  readonly alive: Int32Array
  readonly enabled: Int32Array
  /** By state: what leads there, a thread and a state in turn. */
  private readonly before: number[][]
  /** By state and thread: the threads whose steps do not commute with its steps. */
  private readonly conflicts: Int32Array
  /** By threads that move and a thread that stands still: from where they can come to a conflict; or have it go on. */
  private readonly reaching = new Map<number, Uint8Array>()

  constructor(readonly graph: StateGraph) {
    const { states, steps, threads } = graph
    this.threads = threads.length
    this.count = states.length
    const after: number[][] = Array.from({ length: this.count * this.threads }, () => [])
    this.before = Array.from({ length: this.count }, () => [])
    for (const { from, to, thread } of steps) {
      after[from * this.threads + thread]!.push(to ?? NOWHERE)
      if (to !== null) this.before[to]!.push(thread, from)
    }
    this.after = after
    const bits = (of: (thread: number) => boolean): number =>
      threads.reduce((mask, _, thread) => (of(thread) ? mask | (1 << thread) : mask), 0)
    this.alive = Int32Array.from(states, ({ next }) => bits((thread) => next[thread] !== null))
    this.enabled = Int32Array.from(states, (_, s) => bits((thread) => this.steps(s, thread).length > 0))
    this.conflicts = new Int32Array(this.count * this.threads)
    for (let state = 0; state < this.count; state++) {
      for (let thread = 0; thread < this.threads; thread++) {
        for (let other = 0; other < thread; other++) {
          if (this.commute(state, thread, other)) continue
          this.conflicts[state * this.threads + thread]! |= 1 << other
          this.conflicts[state * this.threads + other]! |= 1 << thread
        }
      }
    }
  }

  steps(state: number, thread: number): readonly number[] {
    return this.after[state * this.threads + thread]!
  }

  /**
   * Whether a set of threads is persistent: whatever the others do, as long as it stands still,
   * commutes with what its threads can do now, and does not let those go on that are blocked now.
   */
  isPersistent(state: number, set: number): boolean {
    const others = ((1 << this.threads) - 1) & ~set
    for (let thread = 0; thread < this.threads; thread++) {
      if ((set & this.alive[state]! & (1 << thread)) === 0) continue
      const blocked = (this.enabled[state]! & (1 << thread)) === 0
      if (this.reach(others, thread, blocked)[state] === 1) return false
    }
    return true
  }

  /** From where some threads can come to a state in which a thread is in conflict with them; or, if it was blocked, can go on. */
  private reach(movers: number, thread: number, blocked: boolean): Uint8Array {
    const key = (movers * this.threads + thread) * 2 + (blocked ? 1 : 0)
    const known = this.reaching.get(key)
    if (known !== undefined) return known
    const reaching = new Uint8Array(this.count)
    const todo: number[] = []
    for (let state = 0; state < this.count; state++) {
      const met = blocked
        ? (this.enabled[state]! & (1 << thread)) !== 0
        : (this.conflicts[state * this.threads + thread]! & movers) !== 0
      if (!met) continue
      reaching[state] = 1
      todo.push(state)
    }
    for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
      const before = this.before[state]!
      for (let i = 0; i < before.length; i += 2) {
        const from = before[i + 1]!
        if ((movers & (1 << before[i]!)) === 0 || reaching[from] === 1) continue
        reaching[from] = 1
        todo.push(from)
      }
    }
    this.reaching.set(key, reaching)
    return reaching
  }

  /** Whether two threads' steps lead to the same states in either order, however they go. */
  private commute(state: number, one: number, two: number): boolean {
    const ones = this.steps(state, one)
    const twos = this.steps(state, two)
    for (const a of ones) {
      for (const b of twos) {
        if (a === NOWHERE || b === NOWHERE) return false
        const twoAfter = this.steps(a, two)
        const oneAfter = this.steps(b, one)
        if (twoAfter.length !== twos.length || oneAfter.length !== ones.length) return false
        if (!twoAfter.some((to) => oneAfter.includes(to))) return false
      }
    }
    return true
  }
}

/** Goes through a graph by persistent sets of at most so many threads, or of all; counts the states that branch or end. */
function kept(commuting: Commuting, most: number, upward: boolean): { kept: number; ends: Set<string> } {
  const { graph, threads, alive, enabled } = commuting
  const all = (1 << threads) - 1
  const required = graph.threads.reduce((mask, { daemon }, t) => (daemon ? mask : mask | (1 << t)), 0)
  const sets = Array.from({ length: all }, (_, i) => (upward ? i + 1 : all - i)).filter(
    (set) => set === all || sizeOf(set) <= most,
  )
  const seen = new Uint8Array(commuting.count)
  const ends = new Set<string>()
  const todo = [0]
  seen[0] = 1
  let kept = 0
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    const { final, values } = graph.states[state]!
    if (final) ends.add(values.join())
    const successors = (set: number): number[] =>
      graph.threads.flatMap((_, thread) => (set & (1 << thread) ? commuting.steps(state!, thread) : []))
    let chosen = successors(all)
    for (const set of sets) {
      // One of its threads must have to move, or a run could end without it.
      if (set === all || (set & alive[state]! & required) === 0 || (set & enabled[state]!) === 0) continue
      const next = successors(set)
      if (next.length < chosen.length && commuting.isPersistent(state, set)) chosen = next
    }
    if (chosen.length !== 1 || state === 0) kept++
    for (const to of chosen) {
      if (to === NOWHERE || seen[to] === 1) continue
      seen[to] = 1
      todo.push(to)
    }
  }
  return { kept, ends }
}

function sizeOf(set: number): number {
  let size = 0
  for (let rest = set; rest !== 0; rest &= rest - 1) size++
  return size
}

function print(row: readonly (string | number)[]): void {
  const cells = row.map((cell, i) => (i === 0 ? String(cell).padEnd(38) : String(cell).padStart(12)))
  process.stdout.write(`${cells.join(' ')}\n`)
}

print(['test', 'states', 'merging', 'one thread', 'any set', 'any / one'])
for (const cell of largest(10)) {
  const { system } = compile(testFrom(cell.file), designNamed(cell.design)!.rules)
  const explorer = new Explorer(system)
  explorer.run()
  const merging = searchOf(system, { mode: 'breadth-first', reductions: ['merging'] })
  merging.run()
  const commuting = new Commuting(stateGraph(explorer))
  const ends = explorer.result().finals.length
  const [one, any] = [1, commuting.threads].map((most) => {
    const tried = [true, false].map((upward) => kept(commuting, most, upward))
    for (const { ends: found } of tried) {
      if (found.size !== ends) throw new Error(`${nameOf(cell)}: ${found.size} ends of ${ends}`)
    }
    return Math.min(...tried.map(({ kept }) => kept))
  }) as [number, number]
  print([nameOf(cell), explorer.count, merging.result().states, one, any, (one / any).toFixed(2)])
}
