/** The explorations by which estimates are measured, and what is said of them. */
import { designNamed } from '../src/designs/index.ts'
import type { System } from '../src/engine/index.ts'
import { compile } from '../src/litmus/index.ts'
import { corpus } from '../test/suite/corpus.ts'

/** A selection, since most designs explore a test in much the same way. */
const DESIGNS = ['eager', 'v5.7', 'v5.19', 'torvalds', 'hildenbrand-v1']

/** Explorations of fewer states are over before anybody wonders. */
export const FEWEST = 3_000

export interface Cell {
  readonly test: string
  readonly system: () => System
}

export function cellsOf(folders: readonly string[]): Cell[] {
  return folders.flatMap((folder) =>
    corpus(folder).flatMap(({ test }) =>
      DESIGNS.map((design) => ({
        test: test.name,
        system: () => compile(test, designNamed(design)!.rules).system,
      })),
    ),
  )
}

export function percentile(of: readonly number[], p: number): number {
  const ascending = [...of].sort((a, b) => a - b)
  return ascending[Math.round(p * (ascending.length - 1))] ?? Number.NaN
}

/** `83 %` */
export function part(of: readonly unknown[], all: readonly unknown[]): string {
  return `${Math.round((100 * of.length) / Math.max(1, all.length))} %`
}
