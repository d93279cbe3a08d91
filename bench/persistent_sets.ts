/**
 * What persistent sets could leave out at best, beside what merging leaves out, over the ten
 * largest tests of the suite.
 *
 * Not a way to explore: it takes the whole state graph, and for each state and each set T of
 * threads asks the graph whether the others, as far as they can get from here without T, ever do
 * something that depends on what T would do next. No checker can know as much before it has seen the
 * graph. Two steps depend on each other if they touch the same location, and one of them writes it; or,
 * with even more foresight, if their order makes a difference in that very state. Then it goes through
 * the graph again, and takes from each state the persistent set with the fewest successors. States
 * with one successor are not counted, as merging does not keep them.
 *
 * So the numbers are what is there to be gained: nothing is asked about invariants, and steps may
 * be put off for ever. That no end gets lost is checked.
 */
import { designNamed } from '../src/designs/index.ts'
import { Explorer, type StateGraph, searchOf, stateGraph } from '../src/engine/index.ts'
import { goesOn, type Leaf, leavesOf } from '../src/engine/leaves.ts'
import { compile } from '../src/litmus/index.ts'
import { largest, nameOf, testFrom } from './largest.ts'

/** Where a step fails. */
const NOWHERE = -1

/** Whether two threads' steps in a state depend on each other. */
type Dependence = (state: number, one: number, two: number) => boolean

/** Who can go where. */
class Moves {
  readonly threads: number
  readonly count: number
  /** By state: the threads, a bit each, that have not ended, and those that can take a step. */
  readonly alive: Int32Array
  readonly enabled: Int32Array
  /** By state: what leads there, a thread and a state in turn. */
  readonly before: readonly number[][]
  private readonly after: readonly number[][]

  constructor(readonly graph: StateGraph) {
    const { states, steps, threads } = graph
    this.threads = threads.length
    this.count = states.length
    this.after = Array.from({ length: this.count * this.threads }, () => [])
    this.before = Array.from({ length: this.count }, () => [])
    for (const { from, to, thread } of steps) {
      this.after[from * this.threads + thread]!.push(to ?? NOWHERE)
      if (to !== null) this.before[to]!.push(thread, from)
    }
    const those = (has: (thread: number) => boolean): number =>
      threads.reduce((mask, _, thread) => (has(thread) ? mask | (1 << thread) : mask), 0)
    this.alive = Int32Array.from(states, ({ next }) => those((thread) => next[thread] !== null))
    this.enabled = Int32Array.from(states, (_, s) => those((thread) => this.steps(s, thread).length > 0))
  }

  /** Where a thread's steps lead, one for each way in which they can go. */
  steps(state: number, thread: number): readonly number[] {
    return this.after[state * this.threads + thread]!
  }
}

/** They depend unless they lead to the same states in either order, however they go. */
function byOrder(moves: Moves): Dependence {
  return (state, one, two) => {
    const ones = moves.steps(state, one)
    const twos = moves.steps(state, two)
    return ones.some((a) =>
      twos.some((b) => {
        if (a === NOWHERE || b === NOWHERE) return true
        const twoAfter = moves.steps(a, two)
        const oneAfter = moves.steps(b, one)
        if (twoAfter.length !== twos.length || oneAfter.length !== ones.length) return true
        return !twoAfter.some((to) => oneAfter.includes(to))
      }),
    )
  }
}

/** They depend if one of them writes a location that the other touches. */
function byLocations(explorer: Explorer, { graph }: Moves): Dependence {
  const leaves = graph.threads.map(() => new Map<number, readonly Leaf[]>())
  const taken = (state: number, thread: number): readonly Leaf[] => {
    const control = explorer.controlOf(state, thread)
    const all = leaves[thread]!.get(control) ?? leavesOf(explorer, thread, control)
    leaves[thread]!.set(control, all)
    const { values } = graph.states[state]!
    return all.filter(
      ({ reads, response }) =>
        goesOn(response) && reads.every(({ location, value }) => values[location] === value),
    )
  }
  const disturbs = (by: readonly Leaf[], whom: readonly Leaf[]): boolean => {
    const written = new Set(by.flatMap(({ writes }) => writes.map(({ location }) => location)))
    return whom.some(({ reads, writes }) =>
      [...reads, ...writes].some(({ location }) => written.has(location)),
    )
  }
  return (state, one, two) => {
    const [ones, twos] = [taken(state, one), taken(state, two)]
    return disturbs(ones, twos) || disturbs(twos, ones)
  }
}

class Persistence {
  /** By state and thread: the threads whose steps depend on its steps. */
  private readonly conflicts: Int32Array
  /** By who moves and who stands still: from where they can come to a conflict, or let it go on. */
  private readonly reaching = new Map<number, Uint8Array>()

  constructor(
    private readonly moves: Moves,
    depend: Dependence,
  ) {
    const { count, threads, enabled } = moves
    this.conflicts = new Int32Array(count * threads)
    for (let state = 0; state < count; state++) {
      for (let one = 0; one < threads; one++) {
        for (let two = 0; two < one; two++) {
          const both = (1 << one) | (1 << two)
          if ((enabled[state]! & both) !== both || !depend(state, one, two)) continue
          this.conflicts[state * threads + one]! |= 1 << two
          this.conflicts[state * threads + two]! |= 1 << one
        }
      }
    }
  }

  /**
   * Whether a set of threads is persistent: nothing that the others do, as long as it stands still,
   * depends on what its threads can do now, or lets those go on that are blocked now.
   */
  holds(state: number, set: number): boolean {
    const { threads, alive, enabled } = this.moves
    const others = ((1 << threads) - 1) & ~set
    for (let thread = 0; thread < threads; thread++) {
      if ((set & alive[state]! & (1 << thread)) === 0) continue
      const blocked = (enabled[state]! & (1 << thread)) === 0
      if (this.reach(others, thread, blocked)[state] === 1) return false
    }
    return true
  }

  /** From where some threads can come to a conflict with another; or, if that is blocked, to where it is not. */
  private reach(movers: number, thread: number, blocked: boolean): Uint8Array {
    const { count, threads, enabled, before } = this.moves
    const key = (movers * threads + thread) * 2 + (blocked ? 1 : 0)
    const known = this.reaching.get(key)
    if (known !== undefined) return known
    const reaching = new Uint8Array(count)
    const todo: number[] = []
    for (let state = 0; state < count; state++) {
      const met = blocked
        ? (enabled[state]! & (1 << thread)) !== 0
        : (this.conflicts[state * threads + thread]! & movers) !== 0
      if (!met) continue
      reaching[state] = 1
      todo.push(state)
    }
    for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
      const leading = before[state]!
      for (let i = 0; i < leading.length; i += 2) {
        const from = leading[i + 1]!
        if ((movers & (1 << leading[i]!)) === 0 || reaching[from] === 1) continue
        reaching[from] = 1
        todo.push(from)
      }
    }
    this.reaching.set(key, reaching)
    return reaching
  }
}

interface Kept {
  /** States that branch, or at which a run ends. */
  readonly states: number
  /** Memories in which a run ends. */
  readonly ends: number
}

/** Goes through a graph by persistent sets of at most so many threads, or by all threads. */
function keep(moves: Moves, persistence: Persistence, most: number, smallFirst: boolean): Kept {
  const { graph, threads, alive, enabled } = moves
  const all = (1 << threads) - 1
  const required = graph.threads.reduce((mask, { daemon }, t) => (daemon ? mask : mask | (1 << t)), 0)
  const sets = Array.from({ length: all - 1 }, (_, i) => (smallFirst ? i + 1 : all - 1 - i)).filter(
    (set) => sizeOf(set) <= most,
  )
  const successors = (state: number, set: number): number[] =>
    graph.threads.flatMap((_, thread) => (set & (1 << thread) ? moves.steps(state, thread) : []))
  const seen = new Uint8Array(moves.count)
  const ends = new Set<string>()
  const todo = [0]
  seen[0] = 1
  let states = 0
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    if (graph.states[state]!.final) ends.add(graph.states[state]!.values.join())
    let chosen = successors(state, all)
    for (const set of sets) {
      // One of its threads must have to move, or a run could end without it.
      if ((set & alive[state]! & required) === 0 || (set & enabled[state]!) === 0) continue
      const next = successors(state, set)
      if (next.length < chosen.length && persistence.holds(state, set)) chosen = next
    }
    if (chosen.length !== 1 || state === 0) states++
    for (const to of chosen) {
      if (to === NOWHERE || seen[to] === 1) continue
      seen[to] = 1
      todo.push(to)
    }
  }
  return { states, ends: ends.size }
}

function sizeOf(set: number): number {
  let size = 0
  for (let rest = set; rest !== 0; rest &= rest - 1) size++
  return size
}

function print(row: readonly (string | number)[]): void {
  const cells = row.map((cell, i) => (i === 0 ? String(cell).padEnd(38) : String(cell).padStart(9)))
  process.stdout.write(`${cells.join(' ')}\n`)
}

print(['', '', '', 'locations', '', 'order'])
print(['test', 'states', 'merging', 'one', 'any', 'one', 'any'])
for (const cell of largest(10)) {
  const { system } = compile(testFrom(cell.file), designNamed(cell.design)!.rules)
  const explorer = new Explorer(system)
  explorer.run()
  const { finals } = explorer.result()
  const merging = searchOf(system, { mode: 'breadth-first', reductions: ['merging'] })
  merging.run()
  const moves = new Moves(stateGraph(explorer))
  const kept = [byLocations(explorer, moves), byOrder(moves)].flatMap((dependence) => {
    const persistence = new Persistence(moves, dependence)
    return [1, moves.threads].map((most) => {
      const tried = [true, false].map((smallFirst) => keep(moves, persistence, most, smallFirst))
      for (const { ends } of tried) {
        if (ends !== finals.length) throw new Error(`${nameOf(cell)}: ${ends} ends of ${finals.length}`)
      }
      return Math.min(...tried.map(({ states }) => states))
    })
  })
  print([nameOf(cell), explorer.count, merging.result().states, ...kept])
}
