/** The cases that the rules were changed for, with what each kernel did: a part of `docs/conformance.md`. */

/** What is asked, and the tests that ask it. */
export interface Case {
  readonly about: string
  readonly tests: readonly string[]
}

export const CASES: readonly Case[] = [
  {
    about:
      'CVE-2020-29374: a child reads from a pipe what its parent writes after fork; the page present, and in swap',
    tests: ['vmsplice-child', 'swap-vmsplice-child'],
  },
  {
    about: 'vmsplice before fork and after it, and the parent’s pipe beside the child’s writes',
    tests: ['vmsplice-parent-before-fork', 'vmsplice-parent-after-fork'],
  },
  { about: 'A pin for writing, and fork', tests: ['write-pin-then-fork'] },
  {
    about: 'Direct I/O (FOLL_GET to 6.1), and fork: does what the device writes reach the process?',
    tests: ['odirect-then-fork'],
  },
  {
    about:
      'A pin for reading of a page that is shared with a child: does it show what the owner writes later?',
    tests: ['read-pin-shared', 'read-pin-then-fork'],
  },
  {
    about: 'A pinned page whose protection is taken away and given back, or whose writes are watched',
    tests: ['protect/write-pin', 'protect/read-pin', 'soft-dirty-pin-mprotect', 'soft-dirty-write-pin'],
  },
  {
    about: 'A reference that is held while its page goes to swap, or would have to',
    tests: ['swap-vmsplice-parent', 'swap-get-device-writes', 'swap-write-pin-write-fault'],
  },
  { about: 'A pinned page that ksmd might merge', tests: ['ksm-pinned-kept', 'ksm-pinned-replaced'] },
]
