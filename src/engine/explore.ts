/**
 * Breadth-first exploration of a system: every state that any schedule can reach, each once.
 *
 * States are numbered in the order of discovery, so that a state's first path is a shortest
 * one. A state is its memory's number and its threads' control states; its successors come
 * from walking, for each thread, the decision tree of the pending operation.
 */
import { Batch } from './batch.ts'
import { DONE } from './control.ts'
import type { Coverage, Exploration, ExploreLimits, Level } from './exploration.ts'
import { halfOf } from './packed.ts'
import { StoredSearch } from './stored_search.ts'
import type { System } from './system.ts'

/** States between two looks at the clock. */
const CLOCK_EVERY = 2048

export class Explorer extends StoredSearch {
  private readonly batch: Batch
  private current = 0
  /** The last level that was found whole: where it begins, and where it ends. */
  private levelBegin = 0
  private levelEnd = 1

  /**
   * @param onReplay called before a generator runs to be learned from, with its name: a watchdog's heartbeat
   * @throws RangeError if a limit is out of range
   * @throws ModelError if the system cannot be explored
   */
  constructor(system: System, limits: ExploreLimits = {}, onReplay?: (procedure: string) => void) {
    super(system, limits, onReplay)
    this.batch = new Batch(this.visited)
    this.packInitial()
    this.add(this.here, 0, 0)
    this.findings.checkInvariant(0, 0, undefined)
    if (this.findings.isBroken(0)) this.current = 1
  }

  protected get coverage(): Coverage {
    return { mode: 'breadth-first' }
  }

  protected override get level(): Level {
    return { depth: this.depth, last: this.levelEnd - this.levelBegin, upTo: this.levelEnd }
  }

  protected get frontier(): number {
    return this.visited.count - this.current
  }

  protected advanceSome(): boolean {
    const { visited, batch, limits } = this
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.current === this.levelEnd) {
        batch.flush()
        if (this.current === visited.count) return true
        if (this.depth >= limits.depth) return this.stopAt('depth')
        this.depth++
        this.levelBegin = this.levelEnd
        this.levelEnd = visited.count
      }
      if (visited.count + batch.count > limits.states) {
        batch.flush()
        if (visited.count > limits.states) return this.stopAt('states')
      }
      this.expand(this.current)
      this.current++
    }
    batch.flush()
    return this.byteLength > limits.bytes && this.stopAt('memory')
  }

  private expand(state: number): void {
    const { memories, here, stepper, findings, batch } = this
    const { controls, trees } = this.learned
    this.visited.load(state, here)
    const memory = here[0]!
    let steps = 0
    let failures = 0
    let running = false
    let resting = this.system.restInvariant !== undefined

    for (let thread = 0; thread < controls.length; thread++) {
      const control = halfOf(here[1 + (thread >> 1)]!, thread)
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
        else batch.add(here, state, thread, next, after)
      }
    }

    this.transitions += steps
    if (!running) findings.reachEnd(memory, state)
    else if (steps === 0 && failures === 0)
      findings.failAt('deadlock', 'no thread can go on', state, undefined)
    if (resting) findings.checkRest(memory, state)
  }
}

/** Explores a whole system in one go. */
export function explore(system: System, limits: ExploreLimits = {}): Exploration {
  const explorer = new Explorer(system, limits)
  explorer.run()
  return explorer.result()
}
