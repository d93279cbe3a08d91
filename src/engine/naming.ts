/**
 * What names what: where the numbers of interchangeable things occur.
 *
 * Things of one sort (page frames, places in swap) are alike: nothing depends on which number
 * one has, so states that differ only in the numbering are one state (`symmetry.ts`). To see that
 * they are, the engine must know where such numbers occur: in locations (`Layout.sort`,
 * `Layout.naming`), in the arguments and results of procedures, and in the responses of
 * operations (`naming`). What is not declared names nothing. A wrong or missing declaration, or
 * code that orders things by number, is noticed when a step is learned.
 */
import type { Effect, Plain, Procedure } from './operation.ts'

/** A sort of interchangeable things. */
export class Sort {
  constructor(readonly name: string) {}
}

/** The new number of a thing. */
export type Rename = (sort: Sort, instance: number) => number

/** A value with every thing that it names renamed. */
// biome-ignore lint/suspicious/noExplicitAny: what a value is, its place knows.
export type Naming = (value: any, to: Rename) => Plain

interface Declared {
  readonly args: readonly (Naming | undefined)[]
  readonly result: Naming | undefined
}

const declared = new WeakMap<Effect | Procedure, Declared>()

/**
 * Declares what the arguments and the result of a procedure, or the response of an operation, name.
 * @param args by position, after the context; of operations they do not matter
 */
export function naming(of: Effect | Procedure, args: readonly (Naming | undefined)[], result?: Naming): void {
  declared.set(of, { args, result })
}

const NONE: Declared = { args: [], result: undefined }

export function namingOf(of: Effect | Procedure): Declared {
  return declared.get(of) ?? NONE
}

/** An object of which some fields name something. */
export function fields(namings: Readonly<Record<string, Naming>>): Naming {
  return (value: Readonly<Record<string, Plain>>, to) => {
    const renamed = { ...value }
    for (const [name, naming] of Object.entries(namings)) {
      if (name in renamed) renamed[name] = naming(renamed[name], to)
    }
    return renamed
  }
}
