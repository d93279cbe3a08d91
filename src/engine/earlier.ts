/**
 * What was found by searches that were given up for another one. It is real, whatever the other
 * one comes to: if that one is ended early, it must not be missing.
 *
 * Of those searches themselves nothing is kept, but of each find the steps of its run.
 */
import type { FailedRun, FinalMemory } from './exploration.ts'
import { alongRuns, Runs, wayBetween } from './runs.ts'
import type { States } from './search.ts'
import { Stepper } from './stepper.ts'

export interface Finds {
  readonly finals: readonly FinalMemory[]
  readonly failures: readonly FailedRun[]
}

export class Earlier {
  readonly runs = new Runs()
  /** Each once. Their states are the places where their runs end, below 0; or 0, the initial state. */
  private readonly finals = new Map<string, FinalMemory>()
  private readonly failures = new Map<string, FailedRun>()

  /**
   * Notes what a search has found that is given up.
   * @param placeOf where the run to one of its states ends among `runs`; without a run there is nothing to note
   */
  note({ finals, failures }: Finds, placeOf: (state: number) => number | undefined): void {
    const add = <T extends { readonly state: number }>(all: Map<string, T>, key: string, find: T): void => {
      if (all.has(key)) return
      const place = placeOf(find.state)
      if (place !== undefined) all.set(key, { ...find, state: 0 - place })
    }
    for (const final of finals) add(this.finals, keyOf(final), final)
    for (const failed of failures) add(this.failures, nameOf(failed), failed)
  }

  /** Notes what a search has found whose states are kept as they ran. */
  noteAsRan(search: States, finds: Finds): void {
    const stepper = new Stepper(search.learned, search.memories)
    const follow = (place: number, from: number, to: number): number => {
      const [thread, way] = wayBetween(search, stepper, from, to)
      return this.runs.add(place, thread, way)
    }
    const placeOf = alongRuns((state) => search.parentOf(state), 0, follow)
    this.note(finds, placeOf)
  }

  /** What a search has found, and behind it what only earlier ones have. */
  behind({ finals, failures }: Finds): Finds {
    const ends = new Set(finals.map(keyOf))
    const failed = new Set(failures.map(nameOf))
    const onlyHere = <T>(all: ReadonlyMap<string, T>, there: ReadonlySet<string>): T[] =>
      [...all].flatMap(([key, find]) => (there.has(key) ? [] : [find]))
    return {
      finals: [...finals, ...onlyHere(this.finals, ends)],
      failures: [...failures, ...onlyHere(this.failures, failed)],
    }
  }

  get byteLength(): number {
    let bytes = this.runs.byteLength
    for (const final of this.finals.values()) bytes += 2 * final.bytes.length
    return bytes
  }
}

/** Of memories, which are the same objects whenever somebody asks for them. */
const keys = new WeakMap<FinalMemory, string>()

function keyOf(final: FinalMemory): string {
  let key = keys.get(final)
  if (key === undefined) {
    key = String.fromCharCode(...final.bytes)
    keys.set(final, key)
  }
  return key
}

function nameOf({ kind, message }: FailedRun): string {
  return `${kind} ${message}`
}
