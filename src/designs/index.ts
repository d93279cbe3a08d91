/** Every design that comes with Cowherd. */
import type { Design } from './design.ts'
import { eager } from './eager.ts'
import { hildenbrand_v1, hildenbrand_v1_swap } from './hildenbrand_v1.ts'
import { torvalds, torvalds_get, torvalds_jan, torvalds_snapshot } from './torvalds.ts'
import { v5_7 } from './v5_7.ts'
import { v5_8 } from './v5_8.ts'
import { v5_9 } from './v5_9.ts'
import { v5_10_y } from './v5_10_y.ts'
import { v5_11 } from './v5_11.ts'
import { v5_16 } from './v5_16.ts'
import { v5_18 } from './v5_18.ts'
import { v5_19 } from './v5_19.ts'
import { v6_1 } from './v6_1.ts'
import { v6_12 } from './v6_12.ts'
import { v6_18 } from './v6_18.ts'
import { v7_2 } from './v7_2.ts'
import { v7_3 } from './v7_3.ts'

/** What `--design all` means, in the order of the table. */
export const DESIGNS: readonly Design[] = [
  eager,
  v5_7,
  v5_8,
  v5_9,
  v5_10_y,
  v5_11,
  v5_16,
  hildenbrand_v1,
  torvalds,
  v5_18,
  v5_19,
  v6_1,
  v6_12,
  v6_18,
  v7_2,
  v7_3,
]

/** Variants that are named when they are wanted. */
export const VARIANTS: readonly Design[] = [
  hildenbrand_v1_swap,
  torvalds_get,
  torvalds_snapshot,
  torvalds_jan,
]

/** Where the author of a design contradicts himself: what his words may as well mean. */
const READINGS: Readonly<Record<string, readonly Design[]>> = {
  [torvalds.name]: [torvalds_get, torvalds_snapshot],
}

/** Other readings of the words that a design is made of; none for most. */
export function otherReadings(name: string): readonly Design[] {
  return READINGS[name] ?? []
}

/** The design or variant of a name; undefined if there is none. */
export function designNamed(name: string): Design | undefined {
  return [...DESIGNS, ...VARIANTS].find((design) => design.name === name)
}

export {
  CIRCUMSTANCES,
  type Circumstance,
  type Design,
  type Extension,
  extend,
  type Ours,
  ofTheDay,
  type RuleName,
  type Source,
} from './design.ts'
export { type Relaxation, relaxationsUsed, sameReference } from './ledger.ts'
export { NO_RULES } from './no_rules.ts'
export { eager_all } from './promise.ts'
