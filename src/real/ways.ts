/**
 * By which system call a reference of a test is taken on a real kernel, and what that kernel makes of it.
 *
 * No program can ask for just any reference: an interface decides its kind. So a test is run with the nearest
 * that there is, and what the kernel did is compared with what the model says of the test *as it was run*.
 */
import type { Expression, Litmus, Statement } from '../litmus/ast.ts'

export type Pin = Extract<Statement, { kind: 'pin' }>

/** The interfaces; each is a file of `runtime/` of this name. */
export type Way = 'vmsplice' | 'io_uring' | 'process_vm' | 'fuse'

/** Major and minor number of a kernel. */
export type Version = readonly [number, number]

/** What an interface takes: the options of a `pin` statement. */
type Taken = Pick<Pin, 'access' | 'type' | 'longterm' | 'fast'>

/** The interface that takes what comes nearest to this reference. */
export function wayOf({ access, type }: Taken): Way {
  if (access === 'read') return type === 'get' ? 'vmsplice' : 'process_vm'
  return type === 'get' ? 'fuse' : 'io_uring'
}

/**
 * What an interface takes, and from which version of the kernel on; the last one that is not newer counts.
 * Read in Debian's sources of 6.1.176 and 6.12.95. 5.10 is taken to be as 6.1, everything after 6.12 as 6.12, and a
 * version between the two as the older one.
 */
const TAKES: Readonly<Record<Way, readonly { readonly since: Version; readonly taken: Taken }[]>> = {
  // fs/splice.c: iov_iter_get_pages, that is get_user_pages_fast.
  vmsplice: [{ since: [5, 6], taken: { access: 'read', type: 'get', longterm: false, fast: true } }],
  // io_uring: pin_user_pages under mmap_lock, later pin_user_pages_fast (io_pin_pages).
  io_uring: [
    { since: [5, 7], taken: { access: 'write', type: 'pin', longterm: true, fast: false } },
    { since: [6, 12], taken: { access: 'write', type: 'pin', longterm: true, fast: true } },
  ],
  // mm/process_vm_access.c: pin_user_pages_remote.
  process_vm: [{ since: [5, 6], taken: { access: 'read', type: 'pin', longterm: false, fast: false } }],
  // fs/fuse/file.c, fuse_get_user_pages: iov_iter_get_pages, later iov_iter_extract_pages.
  fuse: [
    { since: [5, 6], taken: { access: 'write', type: 'get', longterm: false, fast: true } },
    { since: [6, 12], taken: { access: 'write', type: 'pin', longterm: false, fast: true } },
  ],
}

/** What an interface takes on a kernel. */
function takenBy(way: Way, version: Version): Taken {
  const known = TAKES[way].filter(({ since }) => !isNewer(since, version))
  return (known.at(-1) ?? TAKES[way][0]!).taken
}

/** A test with its references as a kernel takes them, and gives them back. */
export function asRunOn(test: Litmus, version: Version): Litmus {
  const spent = spentReferences(test)
  const adapt = (statement: Statement): Statement[] => {
    if (statement.kind === 'pin') return [{ ...statement, ...takenBy(wayOf(statement), version) }]
    if (statement.kind !== 'refLoad' || !spent.has(statement.ref)) return [statement]
    return [statement, { kind: 'release', ref: statement.ref, span: statement.span }]
  }
  return {
    ...test,
    processes: test.processes.map((process) => ({
      ...process,
      threads: process.threads.map((thread) => ({ ...thread, statements: thread.statements.flatMap(adapt) })),
    })),
  }
}

/**
 * References that are given back with the only look at them, as `process_vm_readv` does. More looks would take more
 * pins, which are not taken in one go, so that a thread which gets in between would find them on two pages. Only
 * where that look comes last in its thread, and nobody asks what the reference holds at the end.
 */
export function spentReferences(test: Litmus): ReadonlySet<string> {
  const threads = test.processes.flatMap(({ threads }) => threads)
  const statements = threads.flatMap((thread) => thread.statements)
  const looks = statements.flatMap((one) => (one.kind === 'refLoad' ? [one.ref] : []))
  const last = threads.flatMap((thread) => {
    const end = thread.statements.at(-1)
    return end?.kind === 'refLoad' ? [end.ref] : []
  })
  const asked = new Set(test.conditions.flatMap(({ expression }) => referencesIn(expression)))
  const pins = statements.flatMap((one) =>
    one.kind === 'pin' && wayOf(one) === 'process_vm' ? [one.ref] : [],
  )
  return new Set(
    pins.filter(
      (ref) => last.includes(ref) && looks.filter((look) => look === ref).length === 1 && !asked.has(ref),
    ),
  )
}

function referencesIn(expression: Expression): string[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return [...referencesIn(expression.left), ...referencesIn(expression.right)]
    case 'not':
      return referencesIn(expression.operand)
    case 'compare':
      return expression.term.kind === 'reference' ? [expression.term.ref] : []
  }
}

/** `6.12.95+deb12-cloud-amd64` is version 6.12. */
export function versionOf(release: string): Version {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return [Number(major ?? 0), Number(minor ?? 0)]
}

/** Whether one version comes after another. */
export function isNewer(one: Version, other: Version): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1])
}
