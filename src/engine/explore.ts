/**
 * Breadth-first exploration of a system: every state that any schedule can reach, each once.
 *
 * States are numbered in the order of discovery, so that a state's first path is a shortest
 * one. A state is its memory's number and its threads' control states; its successors come
 * from walking, for each thread, the decision tree of the pending operation.
 */
import { Diamonds } from './diamonds.ts'
import { Expansion } from './expansion.ts'
import type { Coverage, Exploration, ExploreLimits, Level } from './exploration.ts'
import { StoredSearch } from './stored_search.ts'
import type { System } from './system.ts'

/** States between two looks at the clock. */
const CLOCK_EVERY = 2048

/** The breadth-first search of one thread, without reductions: what the others are measured by. */
export class Explorer extends StoredSearch {
  private readonly diamonds: Diamonds
  private readonly expansion: Expansion
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
    this.diamonds = new Diamonds(this.learned, this.stepper, this.visited)
    this.expansion = new Expansion(this.learned, this.memories, this.diamonds, this.findings, this.diamonds)
    this.packInitial()
    this.add(this.here, 0, 0)
    if (this.findings.isBrokenFromTheBeginning()) this.current = 1
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

  protected override get byteLength(): number {
    return super.byteLength + this.diamonds.bytesOf(1)
  }

  protected advanceSome(): boolean {
    const { visited, diamonds, expansion, here, limits } = this
    const { batch } = diamonds
    for (let n = 0; n < CLOCK_EVERY; n++) {
      if (this.current === this.levelEnd) {
        batch.flush()
        if (this.current === visited.count) return true
        if (this.depth >= limits.depth) return this.stopAt('depth')
        this.depth++
        diamonds.beginLevel({
          depth: this.depth,
          before: this.levelBegin,
          begin: this.levelEnd,
          end: visited.count,
          ...diamonds.judge(),
        })
        this.levelBegin = this.levelEnd
        this.levelEnd = visited.count
      }
      if (visited.count + batch.count > limits.states) {
        batch.flush()
        if (visited.count > limits.states) return this.stopAt('states')
      }
      visited.load(this.current, here)
      this.transitions += expansion.expand(this.current++, here)
    }
    batch.flush()
    return this.byteLength > limits.bytes && this.stopAt('memory')
  }
}

/** Explores a whole system in one go. */
export function explore(system: System, limits: ExploreLimits = {}): Exploration {
  const explorer = new Explorer(system, limits)
  explorer.run()
  return explorer.result()
}
