/**
 * All runs with few preemptions: a thread that could go on is interrupted at most so often.
 * To go on elsewhere when a thread waits or has ended costs nothing, so runs are as long as they
 * like. Most concurrency bugs need few preemptions; the number of runs with few of them is
 * polynomial in their length, where that of all is exponential (Musuvathi and Qadeer, Iterative
 * context bounding for systematic testing of multithreaded programs, PLDI 2007).
 *
 * What may come next depends on who ran last, so a *moment* is a state and that thread. Moments are
 * looked at in the order of the preemptions that they need: all that need `k` before any that needs
 * `k + 1`. So the first run to a moment has as few as any, and a moment that was met before need not be
 * looked at again.
 */
import type { Estimate } from './estimate.ts'
import { estimateAhead, guessFrom } from './estimate_ahead.ts'
import type { Coverage, ExploreLimits } from './exploration.ts'
import { setControl } from './packed.ts'
import { grown, OutOfMemory } from './segments.ts'
import { StatefulSearch } from './stateful_search.ts'
import type { System } from './system.ts'
import { Visited } from './visited.ts'

export class FewPreemptions extends StatefulSearch {
  /** By number: a state and the thread that ran last, or `threads` if none has. */
  private readonly moments = new Visited(2)
  /** By number of preemptions, the first moment that needs so many. */
  private readonly levels = [0]
  /** The next moment whose thread is to be preempted; it needs one fewer than the last level. */
  private preempting = 0
  /** The next moment to go on from without preemption. */
  private current = 0
  /** By number of preemptions, how many states so many lead to, as far as that is known. */
  readonly within: number[] = []
  /** Whether everything within the bound was looked at, and only what lies beyond is still in question. */
  private closing = false
  private beyond = 0
  private depths = new Int32Array(1 << 8)
  private readonly moment = new Int32Array(2)
  private readonly next: Int32Array

  /**
   * @param most preemptions of one run, from 0 up
   * @throws RangeError
   */
  constructor(
    system: System,
    private readonly most: number,
    limits: ExploreLimits = {},
    onReplay?: (procedure: string) => void,
  ) {
    super(system, limits, onReplay)
    if (!(Number.isInteger(most) && most >= 0)) throw new RangeError(`${most} preemptions are not at least 0`)
    this.next = new Int32Array(this.visited.words)
    this.addMoment(0, this.threads, 0)
  }

  override get count(): number {
    return this.moments.count
  }

  override memoryOf(moment: number): number {
    return super.memoryOf(this.stateOf(moment))
  }

  override controlOf(moment: number, thread: number): number {
    return super.controlOf(this.stateOf(moment), thread)
  }

  override parentOf(moment: number): number {
    return this.moments.parentOf(moment)
  }

  /** How many preemptions the run to a moment has: no other run to it has fewer. */
  preemptionsOf(moment: number): number {
    let preemptions = this.levels.length - 1
    while (this.levels[preemptions]! > moment) preemptions--
    return preemptions
  }

  /**
   * About how many states there are in all, as those tell that so many preemptions lead to.
   * @param preemptions so few that all runs with them have been looked at
   * @throws OutOfMemory if threads have been seen at too many places
   */
  guess(preemptions: number): number {
    return guessFrom(this.visited, this.threads, this.within[preemptions]!)
  }

  /** About how many states there are in all; undefined if it is too early to say, or takes too much memory. */
  guessStates(): Estimate | undefined {
    const complete = this.within.length - 1
    if (complete < 1) return undefined
    try {
      const { low, high } = estimateAhead(complete, this.guess(complete - 1), this.guess(complete))
      return { low: Math.max(low, this.states), high: Math.max(high, this.states) }
    } catch (error) {
      if (error instanceof OutOfMemory) return undefined
      throw error
    }
  }

  protected get coverage(): Coverage {
    const complete = this.closing ? this.most : this.levels.length - 2
    return { mode: 'preemptions', most: this.most, complete }
  }

  protected get frontier(): number {
    return this.moments.count - this.current + this.beyond
  }

  protected override get byteLength(): number {
    return super.byteLength + this.moments.byteLength + this.depths.byteLength
  }

  protected advance(): boolean {
    const levelBegin = this.levels.at(-1)!
    if (this.preempting < levelBegin) return this.preempt(this.preempting++)
    if (this.current < this.moments.count) {
      this.goOn(this.current++)
      return false
    }
    // Every step from every state has been taken: those without a preemption when the state was first met, the
    // others now. If no state is new, no number of preemptions leads to more.
    if (this.closing || this.visited.count === this.within.at(-1)) return true
    this.within.push(this.visited.count)
    if (this.levels.length > this.most) this.closing = true
    this.levels.push(this.moments.count)
    return false
  }

  /** What comes next without preemption: the same thread, or any if that one cannot go on. */
  private goOn(moment: number): void {
    const thread = this.enter(moment)
    this.depth = Math.max(this.depth, this.depths[moment]!)
    this.look(moment)
    if (thread < this.threads && this.follow(moment, thread)) return
    let stuck = true
    for (let other = 0; other < this.threads; other++) {
      if (other !== thread && this.follow(moment, other)) stuck = false
    }
    if (stuck) this.getStuck(moment)
  }

  /** What comes next if the thread is preempted, which makes sense only if it could go on. True ends the search. */
  private preempt(moment: number): boolean {
    const thread = this.enter(moment)
    if (thread === this.threads) return false
    const { transitions } = this
    const could = this.waysOf(thread, moment) + this.failing > 0
    this.transitions = transitions
    if (!could) return false
    for (let other = 0; other < this.threads; other++) {
      if (other !== thread) this.follow(moment, other)
      if (this.beyond > 0) return this.stopAt('preemptions')
    }
    return false
  }

  /** Adds where a thread leads from the moment that is being looked at; false if it cannot go on. */
  private follow(moment: number, thread: number): boolean {
    const ways = this.waysOf(thread, moment)
    const able = ways + this.failing > 0
    for (let way = 0; way < ways; way++) {
      this.next.set(this.here)
      this.next[0] = this.memoriesAfter[way]!
      setControl(this.next, 0, thread, this.controlsAfter[way]!)
      const before = this.visited.count
      const state = this.add(this.next, 0, 0)
      if (!this.closing) this.addMoment(state, thread, moment)
      else if (state === before) this.beyond++
    }
    return able
  }

  /** Puts a moment's state into `here`, and returns the thread that ran last. */
  private enter(moment: number): number {
    this.visited.load(this.stateOf(moment), this.here)
    return this.moments.word(moment, 1)
  }

  private stateOf(moment: number): number {
    return this.moments.word(moment, 0)
  }

  private addMoment(state: number, thread: number, parent: number): void {
    this.moment[0] = state
    this.moment[1] = thread
    const { count } = this.moments
    if (this.moments.intern(this.moment, 0, this.moments.hash(this.moment, 0), parent) < count) return
    if (count === this.depths.length) this.depths = grown(this.depths, count)
    this.depths[count] = count === 0 ? 0 : this.depths[parent]! + 1
  }
}
