/** Which design stands for which kernel, and why. */
import { type Design, designNamed } from '../designs/index.ts'
import type { Version } from './ways.ts'

interface StandIn {
  /** From this version on, up to the next one's. */
  readonly since: Version
  /** The first of these that there is. */
  readonly designs: readonly string[]
  readonly because: string
}

/** From the oldest to the newest. */
const STAND_INS: readonly StandIn[] = [
  { since: [5, 7], designs: ['v5.7'], because: 'the design is this version' },
  { since: [5, 8], designs: ['v5.8'], because: 'the design is this version' },
  { since: [5, 9], designs: ['v5.9'], because: 'the design is this version' },
  {
    since: [5, 10],
    designs: ['v5.10.y'],
    because:
      'Debian’s 5.10 follows the stable branch, which has v5.11’s repairs of the races between pins and fork, reclaim and soft-dirty; read in 5.10.262',
  },
  { since: [5, 11], designs: ['v5.11'], because: 'the design is this version' },
  { since: [5, 12], designs: ['v5.16'], because: 'as v5.11, with clear_refs that flushes (since v5.12)' },
  { since: [5, 17], designs: ['v5.18'], because: 'the reuse rule that counts references after draining' },
  { since: [5, 19], designs: ['v5.19'], because: 'the design is this version' },
  {
    since: [6, 0],
    designs: ['v6.1', 'v5.19'],
    because:
      'PageAnonExclusive decides, as in v5.19; for base pages the rules of reuse, pins, fork and swap-in are v5.19’s',
  },
  {
    since: [6, 12],
    designs: ['v6.12', 'v6.1', 'v5.19'],
    because: 'as 6.1 for base pages, apart from unsharing, which also copies what is not anonymous',
  },
  {
    since: [7, 0],
    designs: ['v7.2', 'v6.12', 'v6.1', 'v5.19'],
    because: 'as 6.12 for base pages; what is new is about large folios and swap-in',
  },
  {
    since: [7, 3],
    designs: ['v7.3', 'v7.2', 'v6.12', 'v6.1', 'v5.19'],
    because: 'as 7.2 for base pages, with an exact limit in the reuse test',
  },
]

/** The design that stands for a kernel; undefined if the kernel is older than all of them. */
export function standInFor(
  version: Version,
): { readonly design: Design; readonly because: string } | undefined {
  const [major, minor] = version
  const known = STAND_INS.filter(({ since }) => since[0] < major || (since[0] === major && since[1] <= minor))
  const last = known.at(-1)
  if (last === undefined) return undefined
  for (const name of last.designs) {
    const design = designNamed(name)
    if (design !== undefined) return { design, because: last.because }
  }
  return undefined
}
