/**
 * Runs that are made once. What comes of a test depends on the rules that it asks for, and on nothing else of a
 * design: under two sets of rules that give the same to all that was asked, it comes to the same.
 */
import type { Litmus } from '../../src/litmus/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'

export interface SharedRun<T> {
  readonly result: T
  /** What was asked for, by name, and what it was. */
  readonly asked: ReadonlyMap<PropertyKey, unknown>
}

export class SharedRuns<T> {
  private readonly known = new Map<Litmus, SharedRun<T>[]>()

  /** @param run a function of the test and of those rules that it asks for */
  constructor(private readonly run: (litmus: Litmus, rules: Rules) => T) {}

  /** What comes of a test under some rules; made now, unless it has been made under some that are alike. */
  of(litmus: Litmus, rules: Rules): SharedRun<T> {
    const runs = this.known.get(litmus) ?? []
    this.known.set(litmus, runs)
    const same = runs.find(({ asked }) =>
      [...asked].every(([name, value]) => Reflect.get(rules, name) === value),
    )
    if (same !== undefined) return same
    const asked = new Map<PropertyKey, unknown>()
    const watched = new Proxy(rules, {
      get(target, name) {
        const value = Reflect.get(target, name)
        asked.set(name, value)
        return value
      },
    })
    const made = { result: this.run(litmus, watched), asked }
    runs.push(made)
    return made
  }
}
