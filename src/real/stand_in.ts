/** Which design stands for which kernel, and why. */
import { type Design, designNamed } from '../designs/index.ts'
import { isNewer, type Version } from './ways.ts'

interface StandIn {
  /** From this version on, up to the next one's. */
  readonly since: Version
  readonly design: string
  readonly because: string
}

const ITSELF = 'the design is this version'

/** From the oldest to the newest. */
const STAND_INS: readonly StandIn[] = [
  { since: [5, 7], design: 'v5.7', because: ITSELF },
  { since: [5, 8], design: 'v5.8', because: ITSELF },
  { since: [5, 9], design: 'v5.9', because: ITSELF },
  {
    since: [5, 10],
    design: 'v5.10.y',
    because:
      'Debian’s 5.10 follows the stable branch, which has v5.11’s repairs of the races between pins and fork, reclaim and soft-dirty; read in 5.10.262',
  },
  { since: [5, 11], design: 'v5.11', because: ITSELF },
  { since: [5, 12], design: 'v5.16', because: 'as v5.11, with clear_refs that flushes (since v5.12)' },
  { since: [5, 17], design: 'v5.18', because: 'the reuse rule that counts references after draining' },
  { since: [5, 19], design: 'v5.19', because: ITSELF },
  {
    since: [6, 0],
    design: 'v6.1',
    because:
      'mprotect trusts PageAnonExclusive (since v6.0), and reclaim may put off its flush; read in 6.1.176',
  },
  {
    since: [6, 12],
    design: 'v6.12',
    because: 'exclusive pages cost fewer faults, and faults lock their area alone; read in 6.12.117',
  },
  {
    since: [6, 17],
    design: 'v6.18',
    because: 'as v6.12 for base pages, but that MADV_DONTNEED locks its area alone (since v6.17)',
  },
  {
    since: [7, 0],
    design: 'v7.2',
    because: 'swap-in maps first and leaves the swap cache afterwards (since v7.0); read in 7.2.13',
  },
  {
    since: [7, 3],
    design: 'v7.3',
    because: 'swap-in asks the entry alone, and the reuse test has an exact limit; read in 7.3.4',
  },
]

/** The design that stands for a kernel; undefined if the kernel is older than all of them. */
export function standInFor(
  version: Version,
): { readonly design: Design; readonly because: string } | undefined {
  const last = STAND_INS.filter(({ since }) => !isNewer(since, version)).at(-1)
  return last && { design: designNamed(last.design)!, because: last.because }
}
