// Tests with swap, KSM and soft-dirty, and designs that are wrong about them.

import { type Design, extend } from '../../src/designs/index.ts'
import type { Rules } from '../../src/mm/kernel.ts'
import { design } from './cells.ts'

/** The page of a pipe is swapped out, and taken back by whoever writes to it. */
export const SWAP_LEAK = `
test swap-leak

page x = 0

process parent {
  fork child
  wait unmapped
  reclaim x
  x = 1
  signal written
}

process child {
  pin p = x for read, get
  unmap x
  signal unmapped
  wait written
  r0 = p
}

never child.r0 == 1
`

/** A page is pinned for a device, swapped out, read, written. */
export const SWAP_PIN = `
test swap-pin

page x: a = 0, b = 0

process parent {
  pin p = x for write, pin
  pageout x
  r0 = a
  b = 1
  p.a = 2
  r1 = a
}

always parent.r1 == 2
`

/** A pinned page that swap-in has left clean is merged with another. */
export const KSM_PIN = `
test ksm-stale-pin

page x = 3
page y = 3

process parent {
  pageout x
  r0 = x
  pin p = x for read, pin
  merge x with y
  x = 4
  r2 = p
}

always parent.r2 == 4
`

/** A device's page is made read-only to notice the next write. */
export const SOFT_DIRTY = `
test odirect-soft-dirty

page x: a = 0, b = 0

process parent {
  pin p = x for write, get
  clear_refs
  b = 1
  p.a = 2
  r1 = a
}

always parent.r1 == 2
`

/** kswapd looks for pins just before there is one. */
export const KSWAPD_RACE = `
test kswapd-races-pin

page x: a = 0, b = 0

actor kswapd

process parent {
  pin p = x for write, pin, fast
  r0 = a
  b = 1
  p.a = 2
  r1 = a
}

always parent.r1 == 2
`

/** What a device delivers to one page shows in another, since KSM has made one of the two. */
export const STRAY = `
test stray

page x = 5
page y = 5

process parent {
  pin p = x for write, pin
  reclaim x
  r0 = x
  merge x with y
  p = 1
  r1 = y
}
`

export const KSMD = `
test ksmd

page x = 5
page y = 5

actor ksmd

process parent {
  pin p = x for write, pin
  p = 1
  unmerge y
}
`

export const SWAP_THEN_FORK = `
test swap-then-fork

page x = 5

process parent {
  reclaim x
  fork child
  x = 1
}

process child {
  r1 = x
}
`

/** The parent's store goes to swap before the child sees it. */
export const BY_WAY_OF_SWAP = `
test by-way-of-swap

page x = 5

process parent {
  fork child
  x = 1
  reclaim x
  signal done
}

process child {
  wait done
  r0 = x
}
`

/** A thread reads by a TLB entry that reclaim has not flushed yet. */
export const STALE_READ = `
test stale-read

page x = 0

actor kswapd on x

process parent {
  thread reader {
    pageout x
    r0 = x
    signal warm
    wait written
    r1 = x
  }
  thread writer {
    wait warm
    x = 1
    signal written
  }
}
`

function without(rule: string, rules: Partial<Rules>): Design {
  const because = { [rule]: 'this test wants it so' }
  return extend(design('v5.9'), { name: 'broken', title: 'broken', belief: '', sources: [], rules, because })
}

/** Whoever swaps a page in may write to it. */
export const SWAPS_IN_ALL = without('swap_in_exclusive', {
  *swap_in_exclusive() {
    return true
  },
})

/** Whoever has a page may write to it. */
export const REUSES_ALL = without('wp_can_reuse', {
  *wp_can_reuse() {
    return 'reuse'
  },
})
