/**
 * Symmetry: states that differ only in how interchangeable things are numbered are one.
 *
 * Each state is renumbered before it is looked up: things get new numbers in the order in which
 * they are first named, by the locations that belong to no thing, then by the locations of the
 * things named so far, then by the threads; after these come, ordered by what they hold, those
 * that nobody names but that are not blank. Things that are blank and named by nobody are given
 * back: nobody can tell them from those that were never used. (Ip and Dill, "Better
 * verification through symmetry", 1996, where such sorts are called scalarsets.)
 *
 * Any renumbering is sound, whatever the order: that the chosen one is the same for all states of
 * a class, as far as possible, only makes fewer of them.
 */
import { type AutomatonNode, type Pending, plainKey } from './automaton.ts'
import { DONE, type StackCell } from './control.ts'
import { CHOOSE, LEAF, READ } from './decision.ts'
import { ModelError } from './error.ts'
import type { Things } from './independence.ts'
import { read, type SortLayout } from './layout.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { namingOf, type Rename } from './naming.ts'
import { Numbered } from './numbered.ts'
import type { Plain, Procedure, Request } from './operation.ts'
import { grown } from './segments.ts'
import { Stepper } from './stepper.ts'
import { Tuples } from './tuples.ts'

/** Things in an order, each as its number among all things of all sorts. */
interface Order {
  readonly number: number
  /** Named by locations. */
  readonly named: readonly number[]
  /** Named by no location, but not blank. */
  readonly unnamed: readonly number[]
}

/** In how many memories a way is checked with the same number of used things. */
const MEMORIES = 4

/** The number of the list of named things that is empty: that of a thread that has ended. */
const NOTHING = 0

export class Symmetry implements Things {
  private readonly sorts: readonly SortLayout[]
  /** For each sort, where its things begin among all things; then their total. */
  private readonly bases: number[] = []
  private readonly things: number
  /** By location, the thing that it belongs to. */
  private readonly owners = new Map<number, number>()
  /** Locations of no thing that name things. */
  private readonly fixed: number[] = []
  /** For each thing, its locations that name things. */
  private readonly naming: number[][] = []
  /** For each memory the number of its order; 0 if it is not known yet. */
  private orderOf = new Int32Array(1 << 10)
  private readonly orders: Order[] = []
  private readonly orderNumbers = new Map<string, Order>()
  /** For each thread and control state the number of its list of named things; -1 if not known yet. */
  private readonly mentionsOf: number[][]
  private readonly mentions = new Numbered<readonly number[]>()
  /** The number of an order, then that of each thread's list; by the number of that tuple, the renumbering. */
  private readonly joins: Tuples
  private readonly join: Int32Array
  private readonly renumberingOf: (Renumbering | undefined)[] = []
  private readonly renumberings = new Map<string, Renumbering>()
  private readonly stepper: Stepper
  private readonly procedures = new Map<Procedure, number>()
  /** By the record at which a way ends in which an operation can go, and by sort: how many used things it has been checked with. */
  private checkedWith = new Int32Array(1 << 12)
  /** By the same record: in how many memories with so many. */
  private checkedTimes = new Int32Array(1 << 10)
  /** The records at which the ways end in which an operation can go in a memory, blocked ones too. */
  private readonly ends: number[] = []
  /** By sort, how many things have been used in the memory that is looked at. */
  private readonly used: number[] = []
  private readonly pending: number[] = []

  constructor(
    private readonly learned: Learned,
    private readonly memories: Memories,
  ) {
    const { layout } = learned.system
    this.sorts = layout.sorts.filter(({ members }) => members.length > 0)
    let things = 0
    for (const { members } of this.sorts) {
      this.bases.push(things)
      things += members.length
      for (const locations of members) {
        for (const location of locations) this.owners.set(location, this.naming.length)
        this.naming.push(locations.filter((location) => layout.namings.has(location)))
      }
    }
    this.things = things
    for (const location of layout.namings.keys()) if (!this.owners.has(location)) this.fixed.push(location)
    this.fixed.sort((a, b) => a - b)
    this.mentionsOf = learned.controls.map(() => [])
    this.mentions.numberOf('', [])
    this.join = new Int32Array(1 + learned.controls.length)
    this.joins = new Tuples(this.join.length)
    this.stepper = new Stepper(learned, memories)
  }

  /**
   * Renumbers a state.
   * @param controls the threads' control states; they are changed
   * @returns the memory
   */
  canonical(memory: number, controls: Int32Array): number {
    const { join, joins } = this
    join[0] = this.orderIn(memory)
    for (let thread = 0; thread < controls.length; thread++) {
      join[1 + thread] = this.mentionedBy(thread, controls[thread]!)
    }
    const number = joins.intern(join, 0, joins.hash(join, 0))
    this.renumberingOf[number] ??= this.renumberingFor(memory, controls)
    const renumbering = this.renumberingOf[number]
    return renumbering.identity ? memory : renumbering.apply(memory, controls)
  }

  /**
   * Checks, for each way in which an operation can go or be blocked, that it goes the same way when any two things
   * that were used before have changed places, one of which it is concerned with. Done in a few memories for
   * each number of used things. What the operation does in this memory must have been learned.
   * @throws ModelError if it does not
   */
  check(thread: number, control: number, memory: number): void {
    const { sorts, ends, used } = this
    this.findEnds(thread, control, memory)
    for (let sort = 0; sort < sorts.length; sort++) used[sort] = this.usedIn(memory, sort)
    let due = false
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i]!
      const at = end * sorts.length
      if (at + sorts.length > this.checkedWith.length)
        this.checkedWith = grown(this.checkedWith, at + sorts.length)
      if (end >= this.checkedTimes.length) this.checkedTimes = grown(this.checkedTimes, end)
      for (let sort = 0; sort < sorts.length; sort++) {
        if (used[sort]! <= this.checkedWith[at + sort]!) continue
        this.checkedWith[at + sort] = used[sort]!
        this.checkedTimes[end] = 0
      }
      if (this.checkedTimes[end]! >= MEMORIES) continue
      this.checkedTimes[end]!++
      due = true
    }
    if (!due) return
    const done = new Set<number>()
    for (const one of this.thingsOf(thread, control, memory)) {
      const base = this.baseOf(one)
      const end = base + used[this.bases.indexOf(base)]!
      if (one >= end) continue
      for (let other = base; other < end; other++) {
        const pair = Math.min(one, other) * this.things + Math.max(one, other)
        if (other === one || done.has(pair)) continue
        done.add(pair)
        this.exchange(one, other, thread, control, memory)
      }
    }
  }

  /** How many things of a sort have been used in a memory. */
  private usedIn(memory: number, sort: number): number {
    const { first, used, members } = this.sorts[sort]!
    return Math.min(members.length, this.memories.get(memory, used) - first)
  }

  /**
   * Walks all ways in which an operation can go in a memory, and notes where they end.
   * @param onRead told of each location that is read, with its value
   */
  private findEnds(
    thread: number,
    control: number,
    memory: number,
    onRead?: (location: number, value: number) => void,
  ): void {
    const { learned, memories, ends, pending } = this
    const { code } = learned.trees
    ends.length = 0
    let waiting = 1
    pending[0] = learned.rootOf(thread, control)
    while (waiting > 0) {
      const record = code[pending[--waiting]!]!
      const operand = code[record + 1]!
      if (code[record] === READ) {
        const value = memories.get(memory, operand)
        onRead?.(operand, value)
        pending[waiting++] = record + 2 + value
      } else if (code[record] === CHOOSE) {
        for (let i = 0; i < operand; i++) pending[waiting++] = record + 2 + i
      } else if (record !== 0) ends.push(record)
    }
  }

  /** Checks that an operation does the same, exchanged, when two things have changed places. */
  private exchange(one: number, other: number, thread: number, control: number, memory: number): void {
    const swap = this.renumbering(
      Array.from({ length: this.things }, (_, thing) =>
        thing === one ? other : thing === other ? one : thing,
      ),
      undefined,
    )
    const expected = this.outcomes(thread, control, memory, (memory, after) => {
      return `${swap.memory(memory)} ${after < 0 ? after : swap.control(thread, after)}`
    })
    const seen = this.outcomes(
      thread,
      swap.control(thread, control),
      swap.memory(memory),
      (memory, after) => `${memory} ${after}`,
    )
    if (expected === seen) return
    const { name } = this.learned.controls[thread]!.operation(control).effect
    throw asymmetric(name, `two ${this.sortOf(one).sort.name}s have changed places`)
  }

  /** The things that an operation looks at or writes to, or reads or writes the names of, or its thread remembers. */
  private thingsOf(thread: number, control: number, memory: number): ReadonlySet<number> {
    const { mentions, learned } = this
    const { namings } = learned.system.layout
    const concerned = new Set(mentions.list[this.mentionedBy(thread, control)]!)
    const look: Rename = (sort, instance) => {
      const thing = this.thing(sort, instance)
      if (thing >= 0) concerned.add(thing)
      return instance
    }
    const touch = (location: number, value: number): void => {
      const owner = this.owners.get(location)
      if (owner !== undefined) concerned.add(owner)
      namings.get(location)?.(value, look)
    }
    this.findEnds(thread, control, memory, touch)
    const { code } = learned.trees
    for (const end of this.ends) {
      if (code[end] !== LEAF) continue
      for (let i = 0; i < code[end + 2]!; i++) touch(code[end + 3 + 2 * i]!, code[end + 4 + 2 * i]!)
    }
    return concerned
  }

  private outcomes(
    thread: number,
    control: number,
    memory: number,
    show: (memory: number, control: number) => string,
  ): string {
    const { stepper } = this
    const found = stepper.step(thread, control, memory)
    const memories = stepper.memories.slice(0, found)
    const controls = stepper.controls.slice(0, found)
    return Array.from(memories, (m, i) => show(controls[i]! < 0 ? 0 : m, controls[i]!))
      .sort()
      .join()
  }

  private sortOf(thing: number): SortLayout {
    return this.sorts[this.bases.indexOf(this.baseOf(thing))]!
  }

  /** The number of the first thing of a thing's sort. */
  private baseOf(thing: number): number {
    return this.bases.findLast((base) => base <= thing)!
  }

  /** The order in which a memory names things, as its number. */
  private orderIn(memory: number): number {
    if (memory >= this.orderOf.length) this.orderOf = grown(this.orderOf, memory)
    if (this.orderOf[memory] === 0) this.orderOf[memory] = 1 + this.findOrder(memory).number
    return this.orderOf[memory]! - 1
  }

  private findOrder(memory: number): Order {
    const { layout } = this.learned.system
    const value = (location: number): number => this.memories.get(memory, location)
    const named: number[] = []
    const look: Rename = (sort, instance) => {
      const thing = this.thing(sort, instance)
      if (thing >= 0 && !named.includes(thing)) named.push(thing)
      return instance
    }
    for (const location of this.fixed) layout.namings.get(location)!(value(location), look)
    for (let i = 0; i < named.length; i++) {
      for (const location of this.naming[named[i]!]!) layout.namings.get(location)!(value(location), look)
    }
    const held: { thing: number; content: string }[] = []
    this.sorts.forEach(({ members }, sort) => {
      members.forEach((locations, i) => {
        const thing = this.bases[sort]! + i
        if (named.includes(thing) || locations.every((location) => value(location) === 0)) return
        held.push({
          thing,
          content: locations.map((location) => String.fromCharCode(value(location))).join(''),
        })
      })
    })
    held.sort((a, b) => (a.content < b.content ? -1 : a.content > b.content ? 1 : a.thing - b.thing))
    const unnamed = held.map(({ thing }) => thing)
    const used = this.sorts.map(({ used }) => value(used))
    const key = `${named};${unnamed};${used}`
    let order = this.orderNumbers.get(key)
    if (order === undefined) {
      order = { number: this.orders.length, named, unnamed }
      this.orders.push(order)
      this.orderNumbers.set(key, order)
    }
    return order
  }

  /** The number of a thing among all things, or -1 for a number that is not interchangeable (as frame 0). */
  private thing(sort: unknown, instance: number): number {
    for (let s = 0; s < this.sorts.length; s++) {
      const { first, members } = this.sorts[s]!
      if (this.sorts[s]!.sort !== sort) continue
      const i = instance - first
      return i >= 0 && i < members.length ? this.bases[s]! + i : -1
    }
    return -1
  }

  ownerOf(location: number): { thing: number; sort: number; member: number } | undefined {
    const thing = this.owners.get(location)
    if (thing === undefined) return undefined
    const base = this.baseOf(thing)
    const sort = this.bases.indexOf(base)
    return { thing, sort, member: this.sorts[sort]!.members[thing - base]!.indexOf(location) }
  }

  alike(location: number): readonly number[] {
    const owner = this.ownerOf(location)
    if (owner === undefined) return [location]
    return this.sorts[owner.sort]!.members.map((locations) => locations[owner.member]!)
  }

  namedBy(thread: number, control: number): readonly number[] {
    return this.mentions.list[this.mentionedBy(thread, control)]!
  }

  shapeOf(thread: number, control: number): string {
    if (control === DONE) return ''
    const named = this.namedBy(thread, control)
    const to: Rename = (sort, instance) => {
      const thing = this.thing(sort, instance)
      if (thing < 0) return instance
      // Numbers that no thing has: how manieth it is among those named, counted from below 0.
      return -1_000 - named.indexOf(thing)
    }
    return this.stackOf(thread, control)
      .map((node) => {
        const { procedure, args } = node.activation
        const responses = pathOf(node).map(({ parent, response }) =>
          this.renamedResponse(parent!.pending as Request, response, to),
        )
        return `${this.procedureNumber(procedure)} ${plainKey([renamedArgs(procedure, args, to), responses])}`
      })
      .join(' ')
  }

  get sizes(): readonly { things: number; members: number }[] {
    return this.sorts.map(({ members }) => ({ things: members.length, members: members[0]!.length }))
  }

  private stackOf(thread: number, control: number): AutomatonNode[] {
    const nodes: AutomatonNode[] = []
    const top = this.learned.controls[thread]!.stack(control)
    for (let cell: StackCell | undefined = top; cell !== undefined; cell = cell.below)
      nodes.unshift(cell.node)
    return nodes
  }

  private procedureNumber(procedure: Procedure): number {
    let number = this.procedures.get(procedure)
    if (number === undefined) {
      number = this.procedures.size
      this.procedures.set(procedure, number)
    }
    return number
  }

  private mentionedBy(thread: number, control: number): number {
    if (control === DONE) return NOTHING
    const known = this.mentionsOf[thread]!
    known[control] ??= this.findMentions(thread, control)
    return known[control]
  }

  private findMentions(thread: number, control: number): number {
    const found: number[] = []
    const look: Rename = (sort, instance) => {
      const thing = this.thing(sort, instance)
      if (thing >= 0 && !found.includes(thing)) found.push(thing)
      return instance
    }
    for (const node of this.stackOf(thread, control)) {
      renamedArgs(node.activation.procedure, node.activation.args, look)
      for (const { parent, response } of pathOf(node))
        this.renamedResponse(parent!.pending as Request, response, look)
    }
    return this.mentions.numberOf(found.join(), found)
  }

  private renamedResponse(request: Request, response: Plain, to: Rename): Plain {
    if (request.kind === 'atomic') {
      const naming =
        request.effect === read
          ? this.learned.system.layout.namings.get(request.args[0] as number)
          : namingOf(request.effect).result
      return naming === undefined ? response : naming(response, to)
    }
    const { result } = namingOf(request.procedure)
    return result === undefined ? response : result(response, to)
  }

  private renumberingFor(memory: number, controls: Int32Array): Renumbering {
    const { named, unnamed } = this.orders[this.orderOf[memory]! - 1]!
    const mentioned = [...controls].flatMap(
      (control, thread) => this.mentions.list[this.mentionedBy(thread, control)]!,
    )
    const order = [...new Set([...named, ...mentioned, ...unnamed])]
    const targets = new Array<number>(this.things).fill(-1)
    const used: number[] = []
    this.sorts.forEach(({ first, members }, sort) => {
      const base = this.bases[sort]!
      const ours = order.filter((thing) => thing >= base && thing < base + members.length)
      ours.forEach((thing, i) => {
        targets[thing] = base + i
      })
      let next = ours.length
      for (let i = 0; i < members.length; i++) if (targets[base + i] === -1) targets[base + i] = base + next++
      used.push(first + ours.length)
    })
    const asUsed = this.sorts.every(
      ({ used: location }, sort) => this.memories.get(memory, location) === used[sort],
    )
    return this.renumbering(targets, asUsed ? undefined : used)
  }

  private renumbering(targets: readonly number[], used: readonly number[] | undefined): Renumbering {
    const key = `${targets};${used ?? ''}`
    let renumbering = this.renumberings.get(key)
    if (renumbering === undefined) {
      const to: Rename = (sort, instance) => {
        const thing = this.thing(sort, instance)
        if (thing < 0) return instance
        const s = this.sorts.findIndex((layout) => layout.sort === sort)
        return targets[thing]! - this.bases[s]! + this.sorts[s]!.first
      }
      renumbering = new Renumbering(
        this.learned,
        this.memories,
        this.sorts,
        targets,
        this.bases,
        used,
        to,
        (request, response) => this.renamedResponse(request, response, to),
      )
      this.renumberings.set(key, renumbering)
    }
    return renumbering
  }
}

/** One way to number things anew, with what it has made of memories and control states so far. */
class Renumbering {
  readonly identity: boolean
  private readonly locations: Int32Array
  private readonly values: (Uint8Array | undefined)[]
  private readonly memoriesKnown = new Map<number, number>()
  private readonly controlsKnown: number[][]
  private readonly nodesKnown = new Map<AutomatonNode, AutomatonNode>()

  constructor(
    private readonly learned: Learned,
    private readonly memories: Memories,
    private readonly sorts: readonly SortLayout[],
    targets: readonly number[],
    bases: readonly number[],
    private readonly used: readonly number[] | undefined,
    private readonly to: Rename,
    private readonly response: (request: Request, response: Plain) => Plain,
  ) {
    const { locations, namings } = learned.system.layout
    this.identity = used === undefined && targets.every((target, thing) => target === thing)
    this.locations = Int32Array.from(locations, (_, location) => location)
    sorts.forEach(({ members }, sort) => {
      members.forEach((from, i) => {
        const into = members[targets[bases[sort]! + i]! - bases[sort]!]!
        from.forEach((location, m) => {
          this.locations[location] = into[m]!
        })
      })
    })
    this.values = locations.map(({ max }, location) => {
      const naming = namings.get(location)
      if (naming === undefined) return undefined
      return Uint8Array.from({ length: max + 1 }, (_, value) => naming(value, to) as number)
    })
    this.controlsKnown = learned.controls.map(() => [])
  }

  apply(memory: number, controls: Int32Array): number {
    for (let thread = 0; thread < controls.length; thread++) {
      controls[thread] = this.control(thread, controls[thread]!)
    }
    return this.memory(memory)
  }

  memory(memory: number): number {
    let renamed = this.memoriesKnown.get(memory)
    if (renamed === undefined) {
      const bytes = new Uint8Array(this.locations.length)
      for (let location = 0; location < bytes.length; location++) {
        const value = this.memories.get(memory, location)
        bytes[this.locations[location]!] = this.values[location]?.[value] ?? value
      }
      this.used?.forEach((count, sort) => {
        bytes[this.sorts[sort]!.used] = count
      })
      renamed = this.memories.internBytes(bytes)
      this.memoriesKnown.set(memory, renamed)
    }
    return renamed
  }

  control(thread: number, control: number): number {
    if (control === DONE) return DONE
    const known = this.controlsKnown[thread]!
    known[control] ??= this.learned.controls[thread]!.renamed(control, (node) => this.node(node))
    return known[control]
  }

  /** Whether what is pending is the same, renamed. What an operation's arguments name nobody has declared: `exchange` performs it. */
  private isSame({ pending, activation }: AutomatonNode, renamed: Pending): boolean {
    if (pending.kind === 'atomic') return renamed.kind === 'atomic' && renamed.effect === pending.effect
    if (pending.kind === 'return') {
      const { result } = namingOf(activation.procedure)
      const value = result === undefined ? pending.value : result(pending.value, this.to)
      return renamed.kind === 'return' && plainKey(renamed.value) === plainKey(value)
    }
    return (
      renamed.kind === pending.kind &&
      renamed.procedure === pending.procedure &&
      plainKey(renamed.args) === plainKey(renamedArgs(pending.procedure, pending.args, this.to))
    )
  }

  private node(node: AutomatonNode): AutomatonNode {
    let renamed = this.nodesKnown.get(node)
    if (renamed === undefined) {
      const { automata } = this.learned
      const { parent, response } = node
      if (parent === undefined) {
        const { procedure, args } = node.activation
        renamed = automata.start(procedure, renamedArgs(procedure, args, this.to))
      } else {
        renamed = automata.next(this.node(parent), this.response(parent.pending as Request, response))
      }
      if (!this.isSame(node, renamed.pending)) {
        throw asymmetric(node.activation.procedure.name, 'the things that it is given have other numbers')
      }
      this.nodesKnown.set(node, renamed)
    }
    return renamed
  }
}

function asymmetric(name: string, when: string): ModelError {
  return new ModelError(
    'asymmetric',
    name,
    `${name} does something else when ${when}. It must not order them by their numbers; and whatever names one, in arguments, results and responses, must be declared with naming().`,
  )
}

function renamedArgs(procedure: Procedure, args: readonly Plain[], to: Rename): readonly Plain[] {
  const namings = namingOf(procedure).args
  return args.map((arg, i) => namings[i]?.(arg, to) ?? arg)
}

/** The nodes on the way to a node, without the first; it is the last. */
function pathOf(node: AutomatonNode): AutomatonNode[] {
  const path: AutomatonNode[] = []
  for (let n = node; n.parent !== undefined; n = n.parent) path.unshift(n)
  return path
}
