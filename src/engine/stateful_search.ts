/**
 * What the searches other than breadth-first have in common: they look at one state at a
 * time, keep to limits, and note what goes wrong.
 */
import { DONE } from './control.ts'
import type { ExploreLimits } from './exploration.ts'
import { controlAt } from './packed.ts'
import { StoredSearch } from './stored_search.ts'
import type { System } from './system.ts'

/** Advances between two looks at the clock. */
const CLOCK_EVERY = 1024

export abstract class StatefulSearch extends StoredSearch {
  protected readonly threads: number
  /** What `waysOf` found last: the memories and control states afterwards. */
  protected memoriesAfter = new Int32Array(16)
  protected controlsAfter = new Int32Array(16)
  /** How many alternatives of the last `waysOf` failed. */
  protected failing = 0

  constructor(system: System, limits: ExploreLimits, onReplay: ((procedure: string) => void) | undefined) {
    super(system, limits, onReplay)
    this.threads = system.threads.length
    this.packInitial()
    this.add(this.here, 0, 0)
    if (this.findings.isBrokenFromTheBeginning()) this.end()
  }

  /** Goes on a little; true when there is nothing left, or a bound is hit and `stopAt` was called. */
  protected abstract advance(): boolean

  /**
   * Every way in which a thread can go on from the state that is being looked at: how many are
   * left in `memoriesAfter` and `controlsAfter`. Those that fail are noted and counted in `failing`.
   * @param state what traces call the state that is being looked at
   */
  protected waysOf(thread: number, state: number): number {
    this.failing = 0
    const control = controlAt(this.here, 0, thread)
    if (control === DONE) return 0
    const { stepper, findings } = this
    const found = stepper.step(thread, control, this.here[0]!)
    if (found > this.memoriesAfter.length) this.grow(found)
    let ways = 0
    for (let alternative = 0; alternative < found; alternative++) {
      const after = stepper.controls[alternative]!
      if (after < 0) {
        this.failing++
        const message = this.learned.trees.messages[-1 - after]!
        findings.failAt('failure', message, state, { thread, alternative })
        continue
      }
      const next = stepper.memories[alternative]!
      this.transitions++
      if (findings.breaks(next, state, thread, alternative)) {
        this.failing++
        continue
      }
      this.memoriesAfter[ways] = next
      this.controlsAfter[ways++] = after
    }
    return ways
  }

  /** Notes what there is to say of the state itself that is being looked at, except of a deadlock. */
  protected look(state: number): void {
    const memory = this.here[0]!
    if (this.hasEnded()) this.findings.reachEnd(memory, state)
    if (this.system.restInvariant === undefined) return
    for (let thread = 0; thread < this.threads; thread++) {
      if (!this.learned.controls[thread]!.atRest(controlAt(this.here, 0, thread))) return
    }
    this.findings.checkRest(memory, state)
  }

  /** Whether every thread that must end has ended in the state that is being looked at. */
  protected hasEnded(): boolean {
    for (let thread = 0; thread < this.threads; thread++) {
      if (this.learned.required[thread] && controlAt(this.here, 0, thread) !== DONE) return false
    }
    return true
  }

  /** Nobody can go on from the state that is being looked at; if somebody must, that is a deadlock. */
  protected getStuck(state: number): void {
    if (!this.hasEnded()) this.findings.failAt('deadlock', 'no thread can go on', state, undefined)
  }

  protected advanceSome(): boolean {
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.visited.count > this.limits.states) return this.stopAt('states')
      if (this.advance()) return true
    }
    return this.byteLength > this.limits.bytes && this.stopAt('memory')
  }

  private grow(length: number): void {
    this.memoriesAfter = new Int32Array(length * 2)
    this.controlsAfter = new Int32Array(length * 2)
  }
}
