/**
 * Breadth-first exploration that remembers of each state only a fingerprint and how it was
 * reached (hash compaction; as in TLC). It needs about two thirds of the memory. A state may be taken for
 * another one that has the same fingerprint, and missed with all that only it leads to: the
 * result says how great the chance of that is.
 *
 * Runs are found by taking the same ways once more, from the start.
 */
import { Ancestry } from './ancestry.ts'
import { BoundedSearch } from './bounded_search.ts'
import { DONE } from './control.ts'
import { Expansion, type Successors, Walks } from './expansion.ts'
import type { Coverage, ExploreLimits, Level } from './exploration.ts'
import { chanceOfCollision, Fingerprints, fingerprintOf } from './fingerprints.ts'
import { pack, setControl, wordsOfState } from './packed.ts'
import { Queue } from './queue.ts'
import { Run } from './run.ts'
import type { System } from './system.ts'

/** States between two looks at the clock. */
const CLOCK_EVERY = 2048

export class CompactedSearch extends BoundedSearch implements Successors {
  private readonly fingerprints: Fingerprints
  private readonly ancestry = new Ancestry()
  private readonly waiting: Queue
  private readonly expansion: Expansion
  /** The words of the state that is being expanded, and of one that it leads to. */
  private readonly here: Int32Array
  private readonly there: Int32Array
  private current = 0
  /** The last level that was found whole: where it begins, and where it ends. */
  private levelBegin = 0
  private levelEnd = 1

  /**
   * @param mask bits of a fingerprint that are kept, if not all 64: to see how chance works
   * @throws RangeError if a limit is out of range
   * @throws ModelError if the system cannot be explored
   */
  constructor(
    system: System,
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
    mask?: number,
  ) {
    super(system, limits, onReplay)
    this.fingerprints = new Fingerprints(mask)
    const words = wordsOfState(system.threads.length)
    this.here = new Int32Array(words)
    this.there = new Int32Array(words)
    this.waiting = new Queue(words)
    this.expansion = new Expansion(this.learned, this.memories, new Walks(this.stepper), this.findings, this)
    const controls = this.learned.controls.map(({ initial }) => initial)
    pack(this.there, this.memories.internInitial(), controls)
    this.keep(0)
    if (this.findings.isBrokenFromTheBeginning()) {
      this.waiting.shift(this.here)
      this.end()
    }
  }

  get count(): number {
    return this.ancestry.count
  }

  memoryOf(state: number): number {
    const run = this.concrete(state)
    return run.memoryOf(run.count - 1)
  }

  controlOf(state: number, thread: number): number {
    const run = this.concrete(state)
    return run.controlOf(run.count - 1, thread)
  }

  parentOf(state: number): number {
    return this.ancestry.originOf(state).parent
  }

  concrete(state: number): Run {
    const ways: number[] = []
    for (let s = state; s !== 0; s = this.parentOf(s)) ways.push(this.ancestry.originOf(s).way)
    const run = new Run(this.learned, this.memories)
    while (ways.length > 0) this.take(ways.pop()!, run)
    return run
  }

  add(from: Int32Array, _parent: number, thread: number, memory: number, control: number, way: number): void {
    const { there } = this
    there.set(from)
    there[0] = memory
    setControl(there, 0, thread, control)
    this.keep(way)
  }

  protected get coverage(): Coverage {
    return { mode: 'hash-compaction', chance: chanceOfCollision(this.count) }
  }

  protected get states(): number {
    return this.count
  }

  protected override get level(): Level {
    return { depth: this.depth, last: this.levelEnd - this.levelBegin, upTo: this.levelEnd }
  }

  protected get frontier(): number {
    return this.waiting.count
  }

  protected get byteLength(): number {
    const { fingerprints, ancestry, waiting, memories } = this
    return fingerprints.byteLength + ancestry.byteLength + waiting.byteLength + memories.byteLength
  }

  protected advanceSome(): boolean {
    const { ancestry, waiting, here, limits } = this
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.current === this.levelEnd) {
        if (waiting.count === 0) return true
        if (this.depth >= limits.depth) return this.stopAt('depth')
        this.depth++
        this.levelBegin = this.levelEnd
        this.levelEnd = this.count
      }
      if (this.count > limits.states) return this.stopAt('states')
      waiting.shift(here)
      this.transitions += this.expansion.expand(this.current++, here)
      ancestry.done()
    }
    return this.byteLength > limits.bytes && this.stopAt('memory')
  }

  /** Keeps the state in `there` unless one with its fingerprint is known. */
  private keep(way: number): void {
    const { there } = this
    const { length } = there
    if (!this.fingerprints.add(fingerprintOf(0, there, 0, length), fingerprintOf(1, there, 0, length))) return
    this.ancestry.found(way)
    this.waiting.push(there)
  }

  /** Goes on with a run by one of the ways that its last state has, as `Expansion` counts them. */
  private take(way: number, run: Run): void {
    const { stepper } = this
    const state = run.count - 1
    let left = way
    for (let thread = 0; thread < this.learned.controls.length; thread++) {
      const control = run.controlOf(state, thread)
      if (control === DONE) continue
      const found = stepper.step(thread, control, run.memoryOf(state))
      if (left < found) {
        run.append(thread, stepper.memories[left]!, stepper.controls[left]!)
        return
      }
      left -= found
    }
    throw new Error(`a state has no way ${way}`)
  }
}
