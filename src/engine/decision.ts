/**
 * Learned decision trees: what an atomic operation does, found out by running it.
 *
 * An effect is a pure function of the locations that it reads and the choices that it makes.
 * For each control state this file keeps the tree of reads and choices seen so far, whose
 * leaves say which locations change and where the thread is next. The explorer walks these
 * trees alone and runs an effect only when it reaches a place that is still empty.
 *
 * The trees live in one Int32Array, as records that begin with a tag:
 *   READ    location, then one pointer for each value of the location
 *   CHOOSE  n, then n pointers
 *   LEAF    next control state, number of writes, then (location, value) for each write; footprint
 *   STUCK   footprint
 *   FAIL    message number
 * A pointer is the index of a record; 0 is a place not learned yet. A footprint is two sets of
 * locations, a bit for each: those that are read or changed on the way to the leaf, and those that are changed.
 */
import { ModelError } from './error.ts'
import type { Location } from './layout.ts'
import { type AtomicRequest, BLOCKED, FAILED, type Response, type View } from './operation.ts'
import { grown } from './segments.ts'

export const READ = 1
export const CHOOSE = 2
export const LEAF = 3
export const STUCK = 4
export const FAIL = 5

/** Most choices that one operation may make on one path: a guard against an effect that loops. */
const MAX_EVENTS = 10_000

/** A value that a location is read to have, or set to. */
export interface ValueAt {
  readonly location: number
  readonly value: number
}

export class DecisionTrees {
  /** The records. Reassigned when it grows: reload it after `learn`. */
  code: Int32Array = new Int32Array(1 << 12)
  private used = 1
  readonly messages: string[] = []
  /** Differs between trees that learned different leaves, or in another order; nearly always. */
  digest = 0

  /** Words of a set of locations. */
  private readonly setWords: number

  constructor(
    private readonly context: unknown,
    private readonly locations: readonly Location[],
  ) {
    this.setWords = Math.max(1, Math.ceil(locations.length / 32))
  }

  /** Makes an empty tree and returns its slot: the index whose value points to the root. It is never 0. */
  newRoot(): number {
    return this.allocate(1)
  }

  get size(): number {
    return this.used
  }

  /** Where the footprint of a leaf is; it must be no failure. */
  footprintAt(leaf: number): number {
    return this.code[leaf] === LEAF ? leaf + 3 + 2 * this.code[leaf + 2]! : leaf + 1
  }

  /**
   * Whether what two leaves of different threads stand for comes to the same in either order, and is still
   * what the threads do when the other one was first: neither changes what the other reads or changes.
   */
  commute(one: number, other: number): boolean {
    const { code, setWords } = this
    if (code[one] === FAIL || code[other] === FAIL) return false
    const a = this.footprintAt(one)
    const b = this.footprintAt(other)
    for (let w = 0; w < setWords; w++) {
      const touched = code[a + w]! & code[b + setWords + w]!
      if ((touched | (code[a + setWords + w]! & code[b + w]!)) !== 0) return false
    }
    return true
  }

  /**
   * Learns what `operation` does in one memory, for every choice that it can make. Runs it
   * twice, so that one that is no pure function has to do the same by chance to stay unseen.
   * @param slot the slot of the tree
   * @param read the memory
   * @param after the control state that follows a response
   */
  learn(
    slot: number,
    operation: AtomicRequest,
    thread: number,
    read: (location: number) => number,
    after: (response: Response) => number,
  ): void {
    const choices: number[] = []
    const limits: number[] = []
    do {
      let first: Response | undefined
      for (let run = 0; run < 2; run++) {
        const recorder = new Recorder(this.locations, operation, thread, read, choices, limits)
        const response = recorder.run(this.context)
        // Responses that nobody looks at lead to the same place; still, they must be the same.
        if (run === 1 && response !== first) throw impure(operation)
        first = response
        this.insert(slot, operation, recorder, response, after)
      }
    } while (advance(choices, limits))
  }

  /**
   * Runs an operation again for every leaf of its tree: what depends on how often it ran, or for whom,
   * has had time to do something else.
   * @param slot the slot of the tree
   * @throws ModelError
   */
  recheck(
    slot: number,
    operation: AtomicRequest,
    thread: number,
    after: (response: Response) => number,
  ): void {
    this.forEachLeaf(slot, (_, reads, choices) => {
      const values = new Map(reads.map(({ location, value }) => [location, value]))
      const read = (location: number): number => {
        const value = values.get(location)
        if (value === undefined) throw impure(operation)
        return value
      }
      const run = new Recorder(this.locations, operation, thread, read, [...choices], [])
      const response = run.run(this.context)
      // It comes to the same leaf, or this throws.
      this.insert(slot, operation, run, response, after)
    })
  }

  /** Visits the leaves of a tree that are known, in its order, with what is read and chosen on the way to each. */
  forEachLeaf(
    slot: number,
    visit: (leaf: number, reads: readonly ValueAt[], choices: readonly number[]) => void,
  ): void {
    const walk = (at: number, reads: readonly ValueAt[], choices: readonly number[]): void => {
      const record = this.code[at]!
      // Not learned: no run came here.
      if (record === 0) return
      const operand = this.code[record + 1]!
      switch (this.code[record]) {
        case READ:
          for (let value = 0; value <= this.locations[operand]!.max; value++) {
            walk(record + 2 + value, [...reads, { location: operand, value }], choices)
          }
          break
        case CHOOSE:
          for (let i = 0; i < operand; i++) walk(record + 2 + i, reads, [...choices, i])
          break
        default:
          visit(record, reads, choices)
      }
    }
    walk(slot, [], [])
  }

  /** Puts one run of an effect into its tree. */
  private insert(
    root: number,
    operation: AtomicRequest,
    run: Recorder,
    response: Response,
    after: (response: Response) => number,
  ): void {
    let slot = root
    for (const event of run.events) {
      const tag = event.kind === 'read' ? READ : CHOOSE
      const which = event.kind === 'read' ? event.location : event.n
      const width = event.kind === 'read' ? this.locations[event.location]!.max + 1 : event.n
      let record = this.code[slot]!
      if (record === 0) {
        record = this.allocate(2 + width)
        this.code[record] = tag
        this.code[record + 1] = which
        this.code[slot] = record
      } else if (this.code[record] !== tag || this.code[record + 1] !== which) {
        throw impure(operation)
      }
      slot = record + 2 + event.value
    }
    const leaf = this.leaf(run, response, after)
    const known = this.code[slot]!
    if (known === 0) {
      const record = this.allocate(leaf.length)
      this.code.set(leaf, record)
      this.code[slot] = record
      for (const word of leaf) this.digest = Math.imul(this.digest ^ word, 0x9e3779b1) ^ (this.digest >>> 15)
    } else if (leaf.some((word, i) => this.code[known + i] !== word)) {
      throw impure(operation)
    }
  }

  private leaf(run: Recorder, response: Response, after: (response: Response) => number): number[] {
    if (response === BLOCKED) return [STUCK, ...this.footprint(run, [])]
    if (response === FAILED) {
      let message = this.messages.indexOf(run.failure!)
      if (message < 0) message = this.messages.push(run.failure!) - 1
      return [FAIL, message]
    }
    const writes = run.changes()
    return [LEAF, after(response), writes.length, ...writes.flat(), ...this.footprint(run, writes)]
  }

  private footprint(run: Recorder, writes: readonly (readonly [number, number])[]): number[] {
    const { setWords } = this
    const sets = new Array<number>(2 * setWords).fill(0)
    for (const event of run.events) {
      if (event.kind === 'read') sets[event.location >> 5]! |= 1 << (event.location & 31)
    }
    for (const [location] of writes) {
      sets[location >> 5]! |= 1 << (location & 31)
      sets[setWords + (location >> 5)]! |= 1 << (location & 31)
    }
    return sets
  }

  private allocate(words: number): number {
    const at = this.used
    this.used += words
    if (this.used > this.code.length) this.code = grown(this.code, this.used - 1)
    return at
  }
}

/** The next combination of choices, last one fastest; false when all have been tried. */
function advance(choices: number[], limits: number[]): boolean {
  while (choices.length > 0) {
    const last = choices.length - 1
    if (++choices[last]! < limits[last]!) {
      limits.length = choices.length
      return true
    }
    choices.pop()
  }
  return false
}

type Event =
  | { readonly kind: 'read'; readonly location: number; readonly value: number }
  | { readonly kind: 'choose'; readonly n: number; readonly value: number }

/** Runs an effect once and notes what it reads, chooses and writes. */
class Recorder implements View {
  readonly events: Event[] = []
  failure: string | undefined
  private readonly before = new Map<number, number>()
  private readonly after = new Map<number, number>()
  private chosen = 0

  constructor(
    private readonly locations: readonly Location[],
    private readonly operation: AtomicRequest,
    readonly thread: number,
    private readonly read: (location: number) => number,
    private readonly choices: number[],
    private readonly limits: number[],
  ) {}

  run(context: unknown): Response {
    const { effect, args } = this.operation
    let response: Response
    try {
      response = effect(this, context, ...args)
    } catch (cause) {
      if (cause instanceof ModelError) throw cause
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new ModelError('threw', effect.name, `${effect.name} threw: ${message}`, { cause })
    }
    if (this.failure !== undefined) return FAILED
    if (!Number.isInteger(response) || response < BLOCKED) {
      throw new ModelError('threw', effect.name, `${effect.name} returned ${response}, which is no response.`)
    }
    return response
  }

  get(location: number): number {
    const written = this.after.get(location) ?? this.before.get(location)
    if (written !== undefined) return written
    this.check(location)
    const value = this.read(location)
    this.before.set(location, value)
    this.note({ kind: 'read', location, value })
    return value
  }

  set(location: number, value: number): void {
    this.check(location)
    const { name, max } = this.locations[location]!
    if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
      throw new RangeError(`it sets ${name} to ${value}, which is not within 0..${max}`)
    }
    this.after.set(location, value)
  }

  choose(n: number): number {
    const i = this.chosen++
    if (i === this.choices.length) {
      if (!(Number.isInteger(n) && n >= 1)) throw new RangeError(`it chooses among ${n}`)
      this.choices.push(0)
      this.limits.push(n)
    }
    const value = this.choices[i]!
    this.note({ kind: 'choose', n, value })
    return value
  }

  fail(message: string): Response {
    this.failure = message
    return FAILED
  }

  /** The writes that change something, as far as the reads tell, in the order of locations. */
  changes(): [number, number][] {
    const changed = [...this.after].filter(([location, value]) => this.before.get(location) !== value)
    return changed.sort((a, b) => a[0] - b[0])
  }

  private check(location: number): void {
    if (this.locations[location] === undefined) {
      throw new RangeError(`it uses location ${location}, which does not exist`)
    }
  }

  private note(event: Event): void {
    if (this.events.push(event) > MAX_EVENTS) throw new RangeError('it reads and chooses without end')
  }
}

function impure(operation: AtomicRequest): ModelError {
  const name = operation.effect.name
  return new ModelError(
    'impure',
    name,
    `${name} did something else when it was run again on the same values. An operation must depend on nothing but its context, its arguments and what it reads through the view.`,
  )
}
