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
 * t go first loses nothing. `docs/engine-reductions.md` has the argument in full.
 *
 * All of it is about what was learned up to now, a snapshot. A place that has not been learned is
 * taken for one that ends the thread after having read what leads there. Whether that was right is
 * known when the exploration is over: see `Merging.isRightAfter`.
 *
 * Where states are renumbered (`symmetry.ts`), what was learned of a control state holds for all of
 * its *shape*, whichever things they name: locations of things are then told apart by the
 * position in which the thing is named, or as those of any other thing.
 */
import { DONE } from './control.ts'
import { CHOOSE, LEAF, READ, STUCK } from './decision.ts'
import type { Learned } from './learned.ts'
import { Numbered } from './numbered.ts'

/** Control states that differ only in which things they name. */
interface Shape {
  readonly name: string
  readonly edges: Map<string, Edge>
}

/** What the ways through an operation that have the same guards and lead to the same shape have in common. */
interface Edge {
  /** Pairs of a guard's number and the value that it must have. */
  readonly guards: readonly number[]
  /** Sets of places: locations that belong to no thing, and locations of things by how these are named. */
  readonly reads: Int32Array
  readonly writes: Int32Array
  /** Undefined where the thread has ended, or nothing is known to follow. */
  readonly next: Shape | undefined
  /** By sort: for each thing named afterwards, its position among those named before, if it was. */
  readonly origins: readonly (readonly (number | undefined)[])[]
  /** By sort: the positions of things that are named before and not afterwards. */
  readonly forgotten: readonly (readonly number[])[]
}

/** A future: bit sets of locations (or places), of which those that are written are part of those that are touched. */
export interface Future {
  readonly touched: Int32Array
  readonly written: Int32Array
}

/** What `symmetry.ts` knows of interchangeable things, where states are renumbered. */
export interface Things {
  /** To which thing a location belongs, and as its which location; undefined if to none. */
  ownerOf(
    location: number,
  ): { readonly thing: number; readonly sort: number; readonly member: number } | undefined
  /** A location and its like of all other things of the sort; itself alone if it belongs to no thing. */
  alike(location: number): readonly number[]
  /** The things that a control state names, in an order that does not depend on their numbers. */
  namedBy(thread: number, control: number): readonly number[]
  /** Equal for control states that differ only in which things they name. */
  shapeOf(thread: number, control: number): string
  /** For each sort, how many things it has, and how many locations each. */
  readonly sizes: readonly { readonly things: number; readonly members: number }[]
}

export const NO_THINGS: Things = {
  ownerOf: () => undefined,
  alike: (location) => [location],
  namedBy: () => [],
  shapeOf: (_thread, control) => String(control),
  sizes: [],
}

const NOBODY = 0
const SEVERAL = -1

export class Independence {
  /** Records of decision trees from here on are not part of the snapshot. */
  readonly size: number
  /** 32-bit words of a set of locations. */
  readonly words: number
  /** For each thread, how many control states the snapshot has. */
  private readonly counts: readonly number[]
  /** Where in a set of places the locations of each sort's things begin; and the words of such a set. */
  private readonly sortBases: number[] = []
  private readonly placeWords: number
  /** For each thread, by shape. */
  private readonly shapes: Map<string, Shape>[]
  /** For each thread and control state. */
  private readonly shapeAt: Shape[][]
  /** Locations on whose value it depends whether some operation is blocked. */
  private readonly guards: readonly number[]
  /** For each guard and value, who may change it: NOBODY, one more than the only thread, or SEVERAL. */
  private readonly changers: readonly Int32Array[]
  /** Everything that may stand still, by number. */
  private readonly stills = new Numbered<Int16Array>()
  /** For each thread, by the number of what stands still, by shape. */
  private readonly futures: Map<Shape, Future>[][]
  private readonly everything: Future

  constructor(
    private readonly learned: Learned,
    private readonly things: Things = NO_THINGS,
  ) {
    const { system, trees, controls } = learned
    const { locations } = system.layout
    this.size = trees.size
    this.words = Math.max(1, Math.ceil(locations.length / 32))
    let places = locations.length
    for (const { things: count, members } of things.sizes) {
      this.sortBases.push(places)
      places += (count + 1) * members
    }
    this.placeWords = Math.max(1, Math.ceil(places / 32))
    this.counts = controls.map(({ count }) => count)
    this.guards = this.findGuards()
    this.changers = this.guards.map((location) => new Int32Array(locations[location]!.max + 1))
    this.shapes = controls.map(() => new Map())
    this.shapeAt = controls.map((_, thread) =>
      Array.from({ length: this.counts[thread]! }, (_, control) => this.findShape(thread, control)),
    )
    this.shapeAt.forEach((shapes, thread) => {
      shapes.forEach((shape, control) => {
        this.addEdges(shape, thread, control)
      })
    })
    this.futures = controls.map(() => [])
    const all = new Int32Array(this.words).fill(-1)
    this.everything = { touched: all, written: all }
  }

  /**
   * What stands still in a memory as long as a thread does (for each guard its value, or -1 where
   * another thread may change it), as a number: from 0 up, the same for the same.
   */
  standingStill(thread: number, read: (location: number) => number): number {
    const still = new Int16Array(this.guards.length)
    for (let g = 0; g < still.length; g++) {
      const value = read(this.guards[g]!)
      still[g] = this.standsStill(thread, g, value) ? value : -1
    }
    return this.stills.numberOf(still.join(), still)
  }

  /**
   * What a thread may come to touch from a control state on, as long as some guards stand still.
   * @param still from `standingStill`
   */
  future(thread: number, control: number, still: number): Future {
    if (control >= this.counts[thread]!) return this.everything
    const abstract = this.futureOf(thread, this.shapeAt[thread]![control]!, still)
    const named = this.things.namedBy(thread, control)
    return {
      touched: this.locationsOf(abstract.touched, named),
      written: this.locationsOf(abstract.written, named),
    }
  }

  /**
   * What still stands still, by this snapshot, of what did by an earlier one in some memory.
   * @param still from `standingStill` of the earlier one
   */
  stillAfter(before: Independence, thread: number, still: number): number {
    const known = before.stills.list[still]!
    const now = Int16Array.from(this.guards, (location, g) => {
      const value = known[before.guards.indexOf(location)] ?? -1
      return value >= 0 && this.standsStill(thread, g, value) ? value : -1
    })
    return this.stills.numberOf(now.join(), now)
  }

  /** Whether no other thread changes this value of a guard. */
  private standsStill(thread: number, guard: number, value: number): boolean {
    const changer = this.changers[guard]![value]!
    return changer === NOBODY || changer === thread + 1
  }

  private futureOf(thread: number, shape: Shape, still: number): Future {
    const byStill = this.futures[thread]!
    byStill[still] ??= new Map()
    return byStill[still].get(shape) ?? this.follow(shape, this.stills.list[still]!, byStill[still])
  }

  /** Goes through all shapes that can come, the last first, until nothing is added any more. */
  private follow(from: Shape, still: Int16Array, futures: Map<Shape, Future>): Future {
    const order: { shape: Shape; open: Edge[]; future: Future }[] = []
    const path: { shape: Shape; open: Edge[]; at: number }[] = []
    const enter = (shape: Shape): void => {
      const open = [...shape.edges.values()].filter(({ guards }) => isOpen(guards, still))
      const future = { touched: new Int32Array(this.placeWords), written: new Int32Array(this.placeWords) }
      for (const { reads, writes } of open) {
        add(future.touched, reads)
        add(future.touched, writes)
        add(future.written, writes)
      }
      futures.set(shape, future)
      path.push({ shape, open, at: 0 })
    }
    enter(from)
    while (path.length > 0) {
      const top = path.at(-1)!
      const next = top.open[top.at++]
      if (next === undefined) {
        path.pop()
        order.push({ shape: top.shape, open: top.open, future: futures.get(top.shape)! })
      } else if (next.next !== undefined && !futures.has(next.next)) enter(next.next)
    }
    for (let changed = true; changed; ) {
      changed = false
      for (const { open, future } of order) {
        for (const edge of open) {
          if (edge.next === undefined) continue
          const after = futures.get(edge.next)!
          if (this.addBack(future.touched, after.touched, edge)) changed = true
          if (this.addBack(future.written, after.written, edge)) changed = true
        }
      }
    }
    return futures.get(from)!
  }

  /** Adds what is touched after an edge, in the terms of before it. */
  private addBack(into: Int32Array, after: Int32Array, { origins, forgotten }: Edge): boolean {
    let changed = false
    const { length } = this.learned.system.layout.locations
    if (this.sortBases.length === 0) {
      for (let i = 0; i < into.length; i++) {
        const word = into[i]! | after[i]!
        if (word !== into[i]) {
          into[i] = word
          changed = true
        }
      }
      return changed
    }
    const put = (place: number): void => {
      const bit = 1 << (place & 31)
      if ((into[place >> 5]! & bit) === 0) {
        into[place >> 5]! |= bit
        changed = true
      }
    }
    for (let i = 0; i < after.length; i++) {
      for (let word = after[i]! & ~(i * 32 + 32 <= length ? into[i]! : 0); word !== 0; word &= word - 1) {
        const place = i * 32 + 31 - Math.clz32(word & -word)
        if (place < length) {
          put(place)
          continue
        }
        const { sort, position, member } = this.placed(place)
        const others = this.things.sizes[sort]!.things
        if (position < others) put(this.place(sort, origins[sort]![position] ?? others, member))
        else {
          put(place)
          for (const before of forgotten[sort]!) put(this.place(sort, before, member))
        }
      }
    }
    return changed
  }

  /** A location of the thing that is named in this position, or of one that is not named. */
  private place(sort: number, position: number, member: number): number {
    return this.sortBases[sort]! + position * this.things.sizes[sort]!.members + member
  }

  private placed(place: number): { sort: number; position: number; member: number } {
    let sort = this.sortBases.length - 1
    while (this.sortBases[sort]! > place) sort--
    const { members } = this.things.sizes[sort]!
    const at = place - this.sortBases[sort]!
    return { sort, position: Math.floor(at / members), member: at % members }
  }

  /** The locations that places stand for, where these things are named. */
  private locationsOf(places: Int32Array, named: readonly number[]): Int32Array {
    const { locations } = this.learned.system.layout
    const set = new Int32Array(this.words)
    for (let location = 0; location < locations.length; location++) {
      const place = this.placeOf(location, named)
      if ((places[place >> 5]! & (1 << (place & 31))) !== 0) set[location >> 5]! |= 1 << (location & 31)
    }
    return set
  }

  private placeOf(location: number, named: readonly number[]): number {
    const owner = this.things.ownerOf(location)
    if (owner === undefined) return location
    const { sort, thing, member } = owner
    const position = this.positionsOf(sort, named).indexOf(thing)
    return this.place(sort, position < 0 ? this.things.sizes[sort]!.things : position, member)
  }

  /** Those of some things that are of a sort. */
  private positionsOf(sort: number, named: readonly number[]): number[] {
    let base = 0
    for (let s = 0; s < sort; s++) base += this.things.sizes[s]!.things
    return named.filter((thing) => thing >= base && thing < base + this.things.sizes[sort]!.things)
  }

  private findGuards(): number[] {
    const found = new Set<number>()
    const { namings, sorts } = this.learned.system.layout
    this.counts.forEach((count, thread) => {
      for (let control = 0; control < count; control++) {
        this.walk(thread, control, (way) => {
          if (way.end === STUCK) for (const { location } of way.reads) found.add(location)
        })
      }
    })
    // What belongs to a thing, or names one, or counts them, is not the same after a renumbering.
    const mayBe = (location: number): boolean =>
      this.things === NO_THINGS ||
      (this.things.ownerOf(location) === undefined &&
        !namings.has(location) &&
        !sorts.some(({ used }) => used === location))
    return [...found].filter(mayBe).sort((a, b) => a - b)
  }

  private findShape(thread: number, control: number): Shape {
    const name = this.things.shapeOf(thread, control)
    let shape = this.shapes[thread]!.get(name)
    if (shape === undefined) {
      shape = { name, edges: new Map() }
      this.shapes[thread]!.set(name, shape)
    }
    return shape
  }

  private addEdges(shape: Shape, thread: number, control: number): void {
    const named = this.things.namedBy(thread, control)
    this.walk(thread, control, ({ reads, writes, end, next }) => {
      for (const location of writes) this.noteChange(thread, location, reads)
      if (end === STUCK) return
      const guards = reads.flatMap(({ location, value }) => {
        const guard = this.guards.indexOf(location)
        return guard < 0 ? [] : [guard, value]
      })
      const after = next === DONE ? undefined : this.shapeOfNext(thread, next)
      const origins = this.things.sizes.map((_, sort) => this.originsOf(sort, named, thread, next))
      const key = `${after?.name} ${guards} ${origins.join(';')}`
      let edge = shape.edges.get(key)
      if (edge === undefined) {
        const forgotten = this.things.sizes.map((_, sort) => {
          return this.positionsOf(sort, named)
            .map((_thing, i) => i)
            .filter((i) => !origins[sort]!.includes(i))
        })
        const empty = () => new Int32Array(this.placeWords)
        edge = { guards, reads: empty(), writes: empty(), next: after, origins, forgotten }
        shape.edges.set(key, edge)
      }
      for (const { location } of reads) put(edge.reads, this.placeOf(location, named))
      for (const location of writes) put(edge.writes, this.placeOf(location, named))
    })
  }

  /** The shape after an edge, also of a control state that was learned while the snapshot was made. */
  private shapeOfNext(thread: number, next: number): Shape {
    return this.shapeAt[thread]![next]!
  }

  /** For each thing of a sort that is named after a step, its position among those named before. */
  private originsOf(
    sort: number,
    named: readonly number[],
    thread: number,
    next: number,
  ): (number | undefined)[] {
    if (next === DONE) return []
    const before = this.positionsOf(sort, named)
    return this.positionsOf(sort, this.things.namedBy(thread, next)).map((thing) => {
      const position = before.indexOf(thing)
      return position < 0 ? undefined : position
    })
  }

  private noteChange(thread: number, location: number, reads: readonly Read[]): void {
    const guard = this.guards.indexOf(location)
    if (guard < 0) return
    const before = reads.find((read) => read.location === location)
    const changers = this.changers[guard]!
    const add = (value: number): void => {
      if (changers[value] === NOBODY) changers[value] = thread + 1
      else if (changers[value] !== thread + 1) changers[value] = SEVERAL
    }
    if (before !== undefined) add(before.value)
    else for (let value = 0; value < changers.length; value++) add(value)
  }

  /** Every way through the operation of a control state, as far as it has been learned. */
  private walk(thread: number, control: number, visit: (way: Way) => void): void {
    const { code } = this.learned.trees
    const root = control === DONE ? 0 : this.learned.rootOf(thread, control)
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
