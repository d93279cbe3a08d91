/**
 * Which steps of a thread nobody else can notice or disturb, read off what has been learned.
 *
 * While thread t stands still, another thread u can do only what its control graph allows from
 * where it is, and not even all of that: a location whose present value only t ever changes
 * (a lock that t holds, a signal that t has not given) stays as it is, and the branches of u's
 * graph that need another value are closed. What u can read and write along the open ones is its
 * *future*. If the pending operation of t neither writes what is in the future of another
 * thread, nor reads what another may write, it commutes with all that the others can do before
 * it: {t} is a persistent set (Godefroid, *Partial-Order Methods*, 1996, chapter 4), and to let
 * t go first loses nothing. `docs/engine.md` has the argument in full.
 *
 * All of it is about what was learned up to now, a snapshot. A place that has not been learned is
 * taken for one that ends the thread after having read what leads there. Whether that was right is
 * known when the exploration is over: see `agrees`.
 */
import { DONE } from './control.ts'
import { CHOOSE, LEAF, READ, STUCK } from './decision.ts'
import type { Learned } from './learned.ts'

/** What the ways through an operation that have the same guards and lead to the same place have in common. */
interface Edge {
  /** Pairs of a guard's number and the value that it must have. */
  readonly guards: readonly number[]
  readonly reads: Int32Array
  readonly writes: Int32Array
  /** The control state afterwards; DONE also where nothing is known to follow. */
  readonly next: number
}

/** A future: bit sets of locations, of which those that are written are part of those that are touched. */
export interface Future {
  readonly touched: Int32Array
  readonly written: Int32Array
}

export class Independence {
  /** Records of decision trees from here on are not part of the snapshot. */
  readonly size: number
  /** 32-bit words of a set of locations. */
  readonly words: number
  /** For each thread, how many control states the snapshot has. */
  private readonly counts: readonly number[]
  /** For each thread and control state. */
  private readonly edges: (readonly Edge[])[][]
  /** Locations on whose value it depends whether some operation is blocked. */
  private readonly guards: readonly number[]
  /** For each guard and value: the set of threads that may change it, a bit each. */
  private readonly changers: readonly Int32Array[]
  /** For each thread, by what stands still, by control state. */
  private readonly futures: Map<string, (Future | undefined)[]>[]
  private readonly everything: Future

  constructor(private readonly learned: Learned) {
    const { system, trees, controls } = learned
    const { locations } = system.layout
    this.size = trees.size
    this.words = Math.max(1, Math.ceil(locations.length / 32))
    this.counts = controls.map(({ count }) => count)
    this.guards = this.findGuards()
    this.changers = this.guards.map((location) => new Int32Array(locations[location]!.max + 1))
    this.edges = controls.map((_, thread) =>
      Array.from({ length: this.counts[thread]! }, (_, control) => this.edgesOf(thread, control)),
    )
    this.futures = controls.map(() => new Map())
    const all = new Int32Array(this.words).fill(-1)
    this.everything = { touched: all, written: all }
  }

  /**
   * What holds still in a memory as long as a thread does: for each guard its value, or -1 where
   * another thread may change it.
   */
  standingStill(thread: number, read: (location: number) => number): Int16Array {
    const still = new Int16Array(this.guards.length)
    for (let g = 0; g < still.length; g++) {
      const value = read(this.guards[g]!)
      still[g] = (this.changers[g]![value]! & ~(1 << thread)) === 0 ? value : -1
    }
    return still
  }

  /** What a thread may come to touch from a control state on, as long as some guards stand still. */
  future(thread: number, control: number, still: Int16Array): Future {
    if (control >= this.counts[thread]!) return this.everything
    const key = String.fromCharCode(...still)
    let futures = this.futures[thread]!.get(key)
    if (futures === undefined) {
      futures = []
      this.futures[thread]!.set(key, futures)
    }
    return futures[control] ?? this.follow(thread, control, still, futures)
  }

  /**
   * Whether everything that was asked of this snapshot has the same answer in a later one. Then
   * what was decided with its help would be decided again.
   */
  agrees(later: Independence): boolean {
    if (later.size === this.size) return true
    if (later.guards.length !== this.guards.length || later.guards.some((l, g) => l !== this.guards[g]))
      return false
    if (this.changers.some((by, g) => by.some((threads, value) => threads !== later.changers[g]![value])))
      return false
    return this.futures.every((byStill, thread) =>
      [...byStill].every(([key, futures]) => {
        const still = Int16Array.from(key, (c) => (c.charCodeAt(0) << 16) >> 16)
        return futures.every((future, control) => {
          if (future === undefined) return true
          const now = later.future(thread, control, still)
          return same(future.touched, now.touched) && same(future.written, now.written)
        })
      }),
    )
  }

  /** Depth-first, with Tarjan's components: control states on a cycle have the same future. */
  private follow(thread: number, from: number, still: Int16Array, futures: (Future | undefined)[]): Future {
    const edges = this.edges[thread]!
    const index = new Map<number, number>()
    const low: number[] = []
    const onStack: number[] = []
    const path: { control: number; open: Edge[]; at: number; future: Future }[] = []

    const enter = (control: number): void => {
      index.set(control, low.length)
      low.push(low.length)
      onStack.push(control)
      const open = (edges[control] ?? []).filter(({ guards }) => isOpen(guards, still))
      const future = { touched: new Int32Array(this.words), written: new Int32Array(this.words) }
      for (const { reads, writes } of open) {
        add(future.touched, reads)
        add(future.touched, writes)
        add(future.written, writes)
      }
      path.push({ control, open, at: 0, future })
    }

    enter(from)
    for (;;) {
      const top = path.at(-1)!
      const edge = top.open[top.at++]
      if (edge !== undefined) {
        const { next } = edge
        if (next === DONE) continue
        if (next >= this.counts[thread]!) {
          add(top.future.touched, this.everything.touched)
          add(top.future.written, this.everything.written)
          continue
        }
        const known = futures[next]
        if (known !== undefined) merge(top.future, known)
        else if (!index.has(next)) enter(next)
        else low[index.get(top.control)!] = Math.min(low[index.get(top.control)!]!, index.get(next)!)
        continue
      }
      path.pop()
      const mine = index.get(top.control)!
      const parent = path.at(-1)
      if (low[mine] === mine) {
        for (;;) {
          const member = onStack.pop()!
          futures[member] = top.future
          if (member === top.control) break
        }
      } else {
        low[index.get(parent!.control)!] = Math.min(low[index.get(parent!.control)!]!, low[mine]!)
      }
      if (parent === undefined) return top.future
      merge(parent.future, top.future)
    }
  }

  private findGuards(): number[] {
    const found = new Set<number>()
    this.forEachWay((_thread, _control, way) => {
      if (way.end === STUCK) for (const { location } of way.reads) found.add(location)
    })
    return [...found].sort((a, b) => a - b)
  }

  private edgesOf(thread: number, control: number): Edge[] {
    const edges = new Map<string, Edge>()
    this.walk(thread, control, ({ reads, writes, end, next }) => {
      for (const location of writes) this.noteChange(thread, location, reads)
      if (end === STUCK) return
      const guards = reads.flatMap(({ location, value }) => {
        const guard = this.guards.indexOf(location)
        return guard < 0 ? [] : [guard, value]
      })
      const key = `${next} ${guards}`
      let edge = edges.get(key)
      if (edge === undefined) {
        edge = { guards, reads: new Int32Array(this.words), writes: new Int32Array(this.words), next }
        edges.set(key, edge)
      }
      for (const { location } of reads) put(edge.reads, location)
      for (const location of writes) put(edge.writes, location)
    })
    return [...edges.values()]
  }

  private noteChange(thread: number, location: number, reads: readonly Read[]): void {
    const guard = this.guards.indexOf(location)
    if (guard < 0) return
    const before = reads.find((read) => read.location === location)
    const changers = this.changers[guard]!
    if (before !== undefined) changers[before.value]! |= 1 << thread
    else for (let value = 0; value < changers.length; value++) changers[value]! |= 1 << thread
  }

  private forEachWay(visit: (thread: number, control: number, way: Way) => void): void {
    this.counts.forEach((count, thread) => {
      for (let control = 0; control < count; control++) {
        this.walk(thread, control, (way) => visit(thread, control, way))
      }
    })
  }

  /** Every way through the operation of a control state, as far as it has been learned. */
  private walk(thread: number, control: number, visit: (way: Way) => void): void {
    const { code } = this.learned.trees
    const root = control === DONE ? 0 : (this.learned.roots[thread]![control] ?? 0)
    if (root === 0) return
    const reads: Read[] = []
    const down = (slot: number): void => {
      const record = code[slot]!
      const tag = record === 0 ? 0 : code[record]!
      if (tag === READ) {
        const location = code[record + 1]!
        const width = this.learned.system.layout.locations[location]!.max + 1
        let unknown = false
        for (let value = 0; value < width; value++) {
          if (code[record + 2 + value] === 0) {
            unknown = true
            continue
          }
          reads.push({ location, value })
          down(record + 2 + value)
          reads.pop()
        }
        // One way stands for all those of which nothing is known but that they read this far.
        if (unknown)
          visit({ reads: [...reads, { location, value: UNKNOWN }], writes: [], end: 0, next: DONE })
      } else if (tag === CHOOSE) {
        for (let i = 0; i < code[record + 1]!; i++) down(record + 2 + i)
      } else {
        const writes: number[] = []
        if (tag === LEAF) for (let i = 0; i < code[record + 2]!; i++) writes.push(code[record + 3 + 2 * i]!)
        visit({ reads, writes, end: tag, next: tag === LEAF ? code[record + 1]! : DONE })
      }
    }
    down(root)
  }
}

interface Read {
  readonly location: number
  readonly value: number
}

/** In place of a value of which nothing has been learned. */
const UNKNOWN = -2

interface Way {
  readonly reads: readonly Read[]
  readonly writes: readonly number[]
  /** The tag of the record at the end, or 0 where nothing has been learned. */
  readonly end: number
  readonly next: number
}

/** Whether no guard that stands still has another value than this way needs. */
function isOpen(guards: readonly number[], still: Int16Array): boolean {
  for (let i = 0; i < guards.length; i += 2) {
    const value = still[guards[i]!]!
    if (value >= 0 && guards[i + 1] !== UNKNOWN && guards[i + 1] !== value) return false
  }
  return true
}

function put(set: Int32Array, location: number): void {
  set[location >> 5]! |= 1 << (location & 31)
}

function add(set: Int32Array, other: Int32Array): void {
  for (let i = 0; i < set.length; i++) set[i]! |= other[i]!
}

function merge(into: Future, other: Future): void {
  add(into.touched, other.touched)
  add(into.written, other.written)
}

function same(a: Int32Array, b: Int32Array): boolean {
  return a.every((word, i) => word === b[i])
}
