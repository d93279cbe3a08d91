/**
 * Breadth-first exploration of a system: every state that any schedule can reach, each once.
 *
 * States are numbered in the order of discovery, so that a state's first path is a shortest
 * one. A state is its memory's number and its threads' control states; its successors come
 * from walking, for each thread, the decision tree of the pending operation.
 */
import { AUTOMATON_LIMITS, type Automata } from './automaton.ts'
import { type ControlStates, DONE } from './control.ts'
import type { DecisionTrees } from './decision.ts'
import {
  type Bound,
  checkLimits,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
} from './exploration.ts'
import { Findings } from './findings.ts'
import { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import type { Search } from './search.ts'
import { OutOfMemory } from './segments.ts'
import { Stepper } from './stepper.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

/** Successors gathered before they are looked up together. */
const BATCH = 256
/** States between two looks at the clock. */
const CLOCK_EVERY = 2048

export class Explorer implements Search {
  readonly learned: Learned
  readonly memories: Memories
  readonly visited: Visited

  private readonly limits: Required<ExploreLimits>
  private readonly stepper: Stepper
  private readonly required: boolean[]
  private readonly findings: Findings

  private current = 0
  /** The last level that was found whole: where it begins, and where it ends. */
  private levelBegin = 0
  private levelEnd = 1
  private depth = 0
  private transitions = 0
  private elapsed = 0
  private over = false
  private bounded: Bound | undefined

  private readonly batchStates: Int32Array
  private readonly batchHashes = new Int32Array(BATCH)
  private readonly batchParents = new Int32Array(BATCH)
  private batchCount = 0
  /** The words of the state that is being expanded. */
  private readonly parent: Int32Array

  constructor(
    readonly system: System,
    limits: ExploreLimits = {},
    /** Called before a generator runs to be learned from, with its name: a watchdog's heartbeat. */
    onReplay?: (procedure: string) => void,
  ) {
    this.limits = { ...DEFAULT_LIMITS, automaton: AUTOMATON_LIMITS, ...limits }
    checkLimits(this.limits)
    this.learned = new Learned(system, this.limits.automaton, onReplay)
    this.memories = new Memories(system.layout.locations)
    this.findings = new Findings(system, this.memories)
    this.stepper = new Stepper(this.learned, this.memories)
    this.visited = new Visited(1 + Math.ceil(system.threads.length / 2))
    this.required = system.threads.map((thread) => thread.daemon !== true)
    this.parent = new Int32Array(this.visited.words)
    this.batchStates = new Int32Array(BATCH * this.visited.words)
    this.begin()
  }

  /**
   * Explores for at most `budget` milliseconds.
   * @returns whether the exploration is over: complete, or at a bound
   * @throws ModelError if the system cannot be explored
   */
  run(budget = Number.POSITIVE_INFINITY): boolean {
    if (this.over) return true
    const began = Date.now()
    const stop = began + Math.min(budget, this.limits.milliseconds - this.elapsed)
    try {
      do this.over = this.expandSome()
      while (!this.over && Date.now() < stop)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      // What was found stays; successors that waited in the batch are lost, as those behind a bound are.
      this.batchCount = 0
      this.bounded = 'memory'
      this.over = true
    }
    this.elapsed += Date.now() - began
    if (!this.over && this.elapsed >= this.limits.milliseconds) this.over = this.stopAt('time')
    return this.over
  }

  /** What is known so far. Before the end, the bound is `interrupted`. */
  result(): Exploration {
    const frontier = this.visited.count - this.current
    return {
      search: { mode: 'breadth-first' },
      states: this.visited.count,
      transitions: this.transitions,
      memories: this.memories.count,
      depth: this.depth,
      level: { depth: this.depth, last: this.levelEnd - this.levelBegin, upTo: this.levelEnd },
      frontier,
      milliseconds: this.elapsed,
      bytes: this.byteLength,
      bounded: this.bounded ?? (this.over ? undefined : 'interrupted'),
      finals: this.findings.finals,
      failures: this.findings.failures,
    }
  }

  get count(): number {
    return this.visited.count
  }

  get byteLength(): number {
    return this.visited.byteLength + this.memories.byteLength
  }

  /** The control state of a thread in a state. */
  controlOf(state: number, thread: number): number {
    const word = this.visited.word(state, 1 + (thread >> 1))
    return thread & 1 ? word >>> 16 : word & 0xffff
  }

  /** The number of the memory of a state. */
  memoryOf(state: number): number {
    return this.visited.word(state, 0)
  }

  parentOf(state: number): number {
    return this.visited.parentOf(state)
  }

  get automata(): Automata {
    return this.learned.automata
  }

  get controls(): readonly ControlStates[] {
    return this.learned.controls
  }

  get trees(): DecisionTrees {
    return this.learned.trees
  }

  /** The slot of the tree of a thread's control state; the tree may be empty. */
  rootOf(thread: number, control: number): number {
    return this.learned.rootOf(thread, control)
  }

  /** Learns what a thread's pending operation does in one memory. */
  learn(thread: number, control: number, memory: number): void {
    this.learned.learn(thread, control, (location) => this.memories.get(memory, location))
  }

  private begin(): void {
    const words = new Int32Array(this.visited.words)
    words[0] = this.memories.internInitial()
    this.controls.forEach(({ initial }, thread) => {
      words[1 + (thread >> 1)]! |= thread & 1 ? initial << 16 : initial
    })
    this.visited.add(words, 0, this.visited.hash(words, 0), 0)
    this.findings.checkInvariant(0, 0, undefined)
    if (this.findings.isBroken(0)) this.current = 1
  }

  /** Expands some states; true when there are none left or a bound is hit. */
  private expandSome(): boolean {
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.current === this.levelEnd) {
        this.flush()
        if (this.current === this.visited.count) return true
        if (this.depth >= this.limits.depth) return this.stopAt('depth')
        this.depth++
        this.levelBegin = this.levelEnd
        this.levelEnd = this.visited.count
      }
      if (this.visited.count + this.batchCount > this.limits.states) {
        this.flush()
        if (this.visited.count > this.limits.states) return this.stopAt('states')
      }
      this.expand(this.current)
      this.current++
    }
    if (this.byteLength > this.limits.bytes) return this.stopAt('memory')
    return false
  }

  private stopAt(bound: Bound): true {
    this.flush()
    this.bounded = bound
    return true
  }

  private expand(state: number): void {
    const { memories, visited, parent, stepper, findings } = this
    const { controls, trees } = this.learned
    visited.load(state, parent)
    const memory = parent[0]!
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.system.restInvariant !== undefined

    for (let thread = 0; thread < controls.length; thread++) {
      const packed = parent[1 + (thread >> 1)]!
      const control = thread & 1 ? packed >>> 16 : packed & 0xffff
      if (control === DONE) continue
      if (this.required[thread]) running = true
      if (resting && !controls[thread]!.atRest(control)) resting = false
      const known = memories.count
      const found = stepper.step(thread, control, memory)
      for (let alternative = 0; alternative < found; alternative++) {
        const after = stepper.controls[alternative]!
        if (after < 0) {
          failures++
          findings.failAt('failure', trees.messages[-1 - after]!, state, { thread, alternative })
          continue
        }
        steps++
        const next = stepper.memories[alternative]!
        if (next >= known) findings.checkInvariant(next, state, { thread, alternative })
        if (findings.isBroken(next)) failures++
        else this.emit(state, thread, next, after)
      }
    }

    this.transitions += steps
    if (!running) findings.reachEnd(memory, state)
    else if (steps === 0 && failures === 0)
      findings.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) findings.checkRest(memory, state)
  }

  /** Queues a successor of the state that is being expanded. */
  private emit(state: number, thread: number, memory: number, control: number): void {
    const { batchStates, parent, visited } = this
    const { words } = visited
    const at = this.batchCount * words
    batchStates[at] = memory
    for (let i = 1; i < words; i++) batchStates[at + i] = parent[i]!
    const half = at + 1 + (thread >> 1)
    const packed = batchStates[half]!
    batchStates[half] = thread & 1 ? (packed & 0xffff) | (control << 16) : (packed & ~0xffff) | control
    this.batchHashes[this.batchCount] = visited.hash(batchStates, at)
    this.batchParents[this.batchCount] = state
    if (++this.batchCount === BATCH) this.flush()
  }

  private flush(): void {
    this.visited.addAll(this.batchStates, this.batchHashes, this.batchParents, this.batchCount)
    this.batchCount = 0
  }
}

/** Explores a whole system in one go. */
export function explore(system: System, limits: ExploreLimits = {}): Exploration {
  const explorer = new Explorer(system, limits)
  explorer.run()
  return explorer.result()
}
