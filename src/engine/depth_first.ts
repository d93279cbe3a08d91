/**
 * Depth-first search: the same states as breadth-first, but each by the run that came first.
 * Good for finding something far away before memory runs out.
 *
 * With a limit on depth it is no substitute for breadth-first: a state that was first met at the
 * limit is not looked into again when a shorter run comes to it.
 */
import type { Coverage, ExploreLimits } from './exploration.ts'
import { setControl } from './packed.ts'
import { grown } from './segments.ts'
import { StatefulSearch } from './stateful_search.ts'
import type { System } from './system.ts'

export class DepthFirst extends StatefulSearch {
  /** States that are to be looked at, the next one last. */
  private readonly waiting: Candidates
  /** States too far away to be looked into. */
  private readonly beyond: Candidates
  private readonly candidate: Int32Array
  private begun = false
  /** States that were found beyond the limit on depth and nowhere else. */
  private missed = 0

  constructor(system: System, limits: ExploreLimits = {}, onReplay?: (procedure: string) => void) {
    super(system, limits, onReplay)
    const { words } = this.visited
    this.waiting = new Candidates(words)
    this.beyond = new Candidates(words)
    this.candidate = new Int32Array(words)
  }

  protected get coverage(): Coverage {
    return { mode: 'depth-first' }
  }

  protected get frontier(): number {
    return this.waiting.count + this.beyond.count + this.missed
  }

  protected override get byteLength(): number {
    return super.byteLength + this.waiting.byteLength + this.beyond.byteLength
  }

  protected advance(): boolean {
    const { waiting, beyond, visited, here } = this
    if (!this.begun) {
      this.begun = true
      this.expand(0, 0)
      return false
    }
    if (waiting.count === 0) return this.finish()
    waiting.pop(here)
    const { parent, depth } = waiting
    if (depth > this.limits.depth) {
      beyond.push(here, parent, depth)
      return false
    }
    const state = visited.count
    if (this.add(here, 0, parent) < state) return false
    this.expand(state, depth)
    return false
  }

  /** Looks at the state in `here`, which is new. */
  private expand(state: number, depth: number): void {
    const { here, candidate } = this
    this.depth = Math.max(this.depth, depth)
    this.look(state)
    let stuck = true
    for (let thread = 0; thread < this.threads; thread++) {
      const ways = this.waysOf(thread, state)
      if (ways > 0 || this.failing > 0) stuck = false
      for (let way = 0; way < ways; way++) {
        candidate.set(here)
        candidate[0] = this.memoriesAfter[way]!
        setControl(candidate, 0, thread, this.controlsAfter[way]!)
        this.waiting.push(candidate, state, depth + 1)
      }
    }
    if (stuck) this.getStuck(state)
  }

  /** Whether what was too far away is known by now: then nothing is missing. */
  private finish(): true {
    while (this.beyond.count > 0) {
      this.beyond.pop(this.here)
      const before = this.visited.count
      if (this.add(this.here, 0, this.beyond.parent) === before) this.missed++
    }
    return this.missed > 0 ? this.stopAt('depth') : true
  }
}

/** A stack of states that may or may not be known, each with the state before it and its depth. */
class Candidates {
  private entries: Int32Array
  count = 0
  /** Of the entry that was popped last. */
  parent = 0
  depth = 0

  constructor(private readonly words: number) {
    this.entries = new Int32Array(256 * (words + 2))
  }

  get byteLength(): number {
    return this.entries.byteLength
  }

  push(state: Int32Array, parent: number, depth: number): void {
    const at = this.count++ * (this.words + 2)
    if (at === this.entries.length) this.entries = grown(this.entries, at)
    this.entries[at] = parent
    this.entries[at + 1] = depth
    for (let i = 0; i < this.words; i++) this.entries[at + 2 + i] = state[i]!
  }

  /** Takes the last entry off, and puts its words into `state`. */
  pop(state: Int32Array): void {
    const at = --this.count * (this.words + 2)
    this.parent = this.entries[at]!
    this.depth = this.entries[at + 1]!
    for (let i = 0; i < this.words; i++) state[i] = this.entries[at + 2 + i]!
  }
}
