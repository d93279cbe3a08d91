/**
 * A system as far as it has been learned: what each thread does, as control states, and what
 * each control state's operation does, as decision trees. Everything that explores, follows
 * a run or exports a system stands on this.
 */
import { AUTOMATON_LIMITS, Automata, type AutomatonLimits } from './automaton.ts'
import { ControlStates } from './control.ts'
import { DecisionTrees } from './decision.ts'
import { grown } from './segments.ts'
import type { System } from './system.ts'

export class Learned {
  readonly automata: Automata
  readonly controls: readonly ControlStates[]
  readonly trees: DecisionTrees
  /** For each thread, whether a run is not over before it has ended. */
  readonly required: readonly boolean[]
  /** For each thread, the tree slot of each control state; 0 where there is none yet. */
  private readonly roots: Int32Array[]

  /** @throws RangeError if the system has no thread */
  constructor(
    readonly system: System,
    limits: AutomatonLimits = AUTOMATON_LIMITS,
    /** Called before a generator or an effect runs to be learned from, with its name: a watchdog's heartbeat. */
    onReplay?: (procedure: string) => void,
  ) {
    if (system.threads.length === 0) throw new RangeError('a system needs at least one thread')
    this.automata = new Automata(system.context, limits)
    this.automata.onReplay = onReplay
    this.controls = system.threads.map((thread) => new ControlStates(this.automata, thread))
    this.required = system.threads.map((thread) => thread.daemon !== true)
    this.trees = new DecisionTrees(system.context, system.layout.locations)
    this.roots = system.threads.map(() => new Int32Array(64))
  }

  /** The slot of the tree of a thread's control state: 0, an empty one, if nothing has been learned there. */
  rootOf(thread: number, control: number): number {
    const roots = this.roots[thread]!
    return control < roots.length ? roots[control]! : 0
  }

  /** Learns what a thread's pending operation does in one memory. */
  learn(thread: number, control: number, read: (location: number) => number): void {
    const states = this.controls[thread]!
    const operation = states.operation(control)
    this.automata.onReplay?.(operation.effect.name)
    this.trees.learn(this.makeRoot(thread, control), operation, thread, read, (response) =>
      states.after(control, response),
    )
    this.automata.onReplayed?.()
  }

  /**
   * Runs everything again that was learned, generators and operations: what depends on the time, or on
   * how often it ran, has had time to become something else.
   * @throws ModelError
   */
  recheck(): void {
    const { automata, trees } = this
    automata.recheck()
    this.controls.forEach((states, thread) => {
      for (let control = 1; control < states.count; control++) {
        const root = this.rootOf(thread, control)
        if (root === 0) continue
        const operation = states.operation(control)
        automata.onReplay?.(operation.effect.name)
        trees.recheck(root, operation, thread, (response) => states.after(control, response))
        automata.onReplayed?.()
      }
    })
  }

  /** Only learning makes roots, so that whoever learns the same in the same order has the same records at the same places. */
  private makeRoot(thread: number, control: number): number {
    let roots = this.roots[thread]!
    if (control >= roots.length) {
      roots = grown(roots, control)
      this.roots[thread] = roots
    }
    if (roots[control] === 0) roots[control] = this.trees.newRoot()
    return roots[control]!
  }
}
