// Tests, designs and what comes of them: what the reports in this folder are about.

import { type Cell, checkCell, yardstickOf } from '../../src/check/index.ts'
import { type Design, designNamed, extend } from '../../src/designs/index.ts'
import type { Steps } from '../../src/engine/index.ts'
import { parse } from '../../src/litmus/index.ts'
import type { Kernel, Rules, WpDecision, WpFault } from '../../src/mm/kernel.ts'
import { get_page, put_page } from '../../src/mm/page_alloc.ts'
import { page_dup_rmap } from '../../src/mm/rmap.ts'
import type { Selection } from '../../src/report/why.ts'

/** CVE-2020-29374. */
export const CVE = `
test vmsplice-child

page x = 0

process parent {
  fork child
  wait unmapped
  x = 1
  signal written
}

process child {
  pin p = x for read, get       # vmsplice into a pipe
  unmap x
  signal unmapped
  wait written
  r0 = p                        # read the pipe
}

never child.r0 == 1
`

/** A lockless pin slips in between fork's look at the pins and its write protection. */
export const FAST_PIN = `
test fast-pin-races-fork

page x = 0

process parent {
  thread a {
    pin p = x for write, pin, fast
    x = 1
    p = 2
  }
  thread b {
    fork child
  }
}

process child {
  r0 = x
}
`

/** The pin is of a page that the child still shares. */
export const READ_PIN = `
test read-pin-of-shared-page

page x = 0

process parent {
  fork child
  pin p = x for read, pin
  x = 1
  r0 = p
}

process child {
  r1 = x
}

always parent.r0 == 1
`

export const UNSENT = `
test each-waits-for-the-other

page x = 0

process parent {
  fork child
  wait go
  x = 1
  signal done
}

process child {
  wait done
  signal go
}
`

export const TWO_WORDS = `
test two-words

page buf: a = 1, b = 2

process parent {
  fork child
  wait unmapped
  buf.a = 5
  buf.b = 6
  signal written
}

process child {
  pin p = buf for read, get
  unmap buf
  signal unmapped
  wait written
  r0 = p.a
  r1 = p.b
}

never child.r1 == 6
`

/** Four threads, of two processes, and a page that is untouched. */
export const FOUR_THREADS = `
test four-threads

page x = 0
zero page y

process parent {
  thread writer {
    fork child
    x = 1
  }
  thread reader {
    r0 = y
  }
}

process child {
  thread one {
    unmap x
  }
  thread two {
    y = 3
  }
}
`

export const BOTH_WRITE = `
test both-write

page x = 0

process parent {
  fork child
  x = 1
  r0 = x
}

process child {
  x = 2
  r1 = x
  exit
}
`

/** v5.7 with another rule for write faults, one that no kernel ever had. */
function broken(name: string, wp_can_reuse: Rules['wp_can_reuse']): Design {
  const because = { wp_can_reuse: 'a write fault does what this test wants' }
  const like = designNamed('v5.7')!
  return extend(like, { name, title: name, belief: '', sources: [], rules: { wp_can_reuse }, because })
}

export const LEAKS = broken('leaks', function* (k: Kernel, _vmf: WpFault, pfn: number): Steps<WpDecision> {
  yield* get_page(k, pfn)
  return 'copy'
})

export const FREES = broken('frees', function* (_k, _vmf, pfn): Steps<WpDecision> {
  yield* put_page(pfn)
  return 'copy'
})

export const LOCKS = broken('locks', function* (k, _vmf, pfn): Steps<WpDecision> {
  yield* k.page[pfn]!.lock.lock()
  return 'copy'
})

export const MISCOUNTS = broken('miscounts', function* (k, _vmf, pfn): Steps<WpDecision> {
  yield* page_dup_rmap(k, pfn)
  return 'reuse'
})

/** Unmaps the page, so that the fault is taken again and finds nothing. */
export const EMPTIES = broken('empties', function* (k, vmf, pfn): Steps<WpDecision> {
  const { pte, ptl } = k.mm[vmf.mm]!
  yield* pte[vmf.vpn]!.write(0)
  yield* k.page[pfn]!.mapcount.add(-1)
  yield* ptl.unlock()
  yield* put_page(pfn)
  return 'retry'
})

export function design(name: string): Design {
  const found = designNamed(name)
  if (found === undefined) throw new Error(`no design is called ${name}`)
  return found
}

export function cellOf(source: string, under: Design): Cell {
  const { test } = parse(source)
  return checkCell(test, under, yardstickOf(test))
}

/** Everything that there is to show of a cell. */
export function selectionsOf(cell: Cell): Selection[] {
  return [...cell.outcomes.map((outcome) => ({ outcome })), ...cell.failures.map((failure) => ({ failure }))]
}

/** The worst of them. */
export function worstOf(cell: Cell): Selection {
  const outcome = cell.outcomes.find(({ verdict }) => verdict === cell.verdict)
  if (outcome !== undefined) return { outcome }
  return { failure: cell.failures.find(({ failure }) => failure === cell.verdict)! }
}
