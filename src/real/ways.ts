/**
 * By which system call a reference of a test is taken on a real kernel, and what that kernel makes of it.
 *
 * No program can ask for just any reference: an interface decides its kind. So a test is run with the nearest
 * that there is, and what the kernel did is compared with what the model says of the test *as it was run*.
 */
import type { Expression, Litmus, Statement } from '../litmus/ast.ts'

type Pin = Extract<Statement, { kind: 'pin' }>

/** The interfaces; each is a file of `runtime/` of this name. */
export type Way = 'vmsplice' | 'io_uring' | 'process_vm' | 'fuse' | 'proc_mem'

/** Major and minor number of a kernel. */
export type Version = readonly [number, number]

/** What an interface takes, be it for reading or for writing: the other options of a `pin` statement. */
type Taken = Pick<Pin, 'type' | 'longterm' | 'fast'>

/** The interface that takes what comes nearest to this reference. */
export function wayOf(test: Litmus, pin: Pin): Way {
  if (isAtOnce(test, pin)) return 'proc_mem'
  if (pin.access === 'read') return pin.type === 'get' ? 'vmsplice' : 'process_vm'
  if (pin.type === 'get') return 'fuse'
  return !pin.longterm && !pin.fast && isForOneStore(test, pin.ref) ? 'process_vm' : 'io_uring'
}

/**
 * What an interface takes, and from which version of the kernel on; the last one that is not newer counts.
 * Read in Debian's sources of 6.1.176 and 6.12.95. 5.10 is taken to be as 6.1, everything after 6.12 as 6.12, and a
 * version between the two as the older one.
 */
const TAKES: Readonly<Record<Way, readonly { readonly since: Version; readonly taken: Taken }[]>> = {
  // fs/splice.c: iov_iter_get_pages, that is get_user_pages_fast.
  vmsplice: [{ since: [5, 6], taken: { type: 'get', longterm: false, fast: true } }],
  // io_uring: pin_user_pages under mmap_lock, later pin_user_pages_fast (io_pin_pages).
  io_uring: [
    { since: [5, 7], taken: { type: 'pin', longterm: true, fast: false } },
    { since: [6, 12], taken: { type: 'pin', longterm: true, fast: true } },
  ],
  // mm/process_vm_access.c: pin_user_pages_remote, with FOLL_WRITE for process_vm_writev.
  process_vm: [{ since: [5, 6], taken: { type: 'pin', longterm: false, fast: false } }],
  // fs/fuse/file.c, fuse_get_user_pages: iov_iter_get_pages, later iov_iter_extract_pages.
  fuse: [
    { since: [5, 6], taken: { type: 'get', longterm: false, fast: true } },
    { since: [6, 12], taken: { type: 'pin', longterm: false, fast: true } },
  ],
  // fs/proc/base.c, mem_rw: access_remote_vm, that is get_user_pages_remote. With FOLL_FORCE, where that is not forbidden.
  proc_mem: [{ since: [5, 6], taken: { type: 'get', longterm: false, fast: false } }],
}

/** What an interface takes on a kernel. */
function takenBy(way: Way, version: Version): Taken {
  const known = TAKES[way].filter(({ since }) => !isNewer(since, version))
  return (known.at(-1) ?? TAKES[way][0]!).taken
}

/**
 * The reference that `/sys/kernel/debug/gup_test` takes as it stands in the test, where a kernel has it and the program
 * may use it: a long-term pin that nobody stores through. It holds one at a time, up to v7.2 on all of the machine, so a test
 * with several has none.
 *
 * Read in Debian's sources of 6.12.95, 7.2 and 7.3-rc7, mm/gup_test.c: pin_user_pages or pin_user_pages_fast with FOLL_LONGTERM,
 * and FOLL_WRITE if that is asked for.
 */
export function exactPin(test: Litmus): Pin | undefined {
  const all = threadsOf(test).flat()
  const stored = all.flatMap((one) => (one.kind === 'refStore' ? [one.ref] : []))
  const [pin, ...others] = all
    .filter((one) => one.kind === 'pin')
    .filter(({ type, longterm, ref }) => type === 'pin' && longterm && !stored.includes(ref))
  return others.length === 0 ? pin : undefined
}

/**
 * A test with its references as a kernel takes them, and gives them back.
 * @param exactly whether the program has taken that of `exactPin` as it stands
 */
export function asRunOn(test: Litmus, version: Version, exactly = false): Litmus {
  const exact = exactly ? exactPin(test) : undefined
  const spent = new Set([...spentReferences(test)].filter((ref) => ref !== exact?.ref))
  const adapt = (statement: Statement): Statement[] => {
    if (statement === exact) return [statement]
    if (statement.kind === 'pin') return [{ ...statement, ...takenBy(wayOf(test, statement), version) }]
    if (!isUse(statement) || !spent.has(statement.ref)) return [statement]
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
 * References that are given back with their only use, as `process_vm_readv` and `process_vm_writev` do. More uses would
 * take more pins, which are not taken in one go, so that a thread which gets in between would find them on two pages.
 */
export function spentReferences(test: Litmus): ReadonlySet<string> {
  const pins = threadsOf(test).flatMap((statements) => statements.filter((one) => one.kind === 'pin'))
  return new Set(
    pins
      .filter((pin) => wayOf(test, pin) === 'process_vm')
      .filter(({ ref, access }) => isUsedOnceAtLast(test, ref, access === 'read' ? 'refLoad' : 'refStore'))
      .map(({ ref }) => ref),
  )
}

/** `process_vm_writev` stores, and then the pin is gone; and it never looks. */
function isForOneStore(test: Litmus, ref: string): boolean {
  const own = threadsOf(test).flat()
  const unused = !own.some((one) => isUse(one) && one.ref === ref)
  const released = own.some((one) => one.kind === 'release' && one.ref === ref)
  return (unused && released) || isUsedOnceAtLast(test, ref, 'refStore')
}

/** Whether a reference has a single use, the last statement of its thread, and nobody asks what it holds at the end. */
function isUsedOnceAtLast(test: Litmus, ref: string, kind: Use['kind']): boolean {
  const asked = test.conditions.flatMap(({ expression }) => referencesIn(expression))
  const uses = threadsOf(test)
    .flat()
    .filter((one) => isUse(one) && one.ref === ref)
  const isLast = threadsOf(test).some((statements) => statements.at(-1) === uses[0])
  return uses.length === 1 && uses[0]!.kind === kind && isLast && !asked.includes(ref)
}

/**
 * Whether a reference is taken, used and given back by three statements on end, which reading and writing
 * `/proc/<pid>/mem` does as one. That need not respect protection, so there must be none.
 */
function isAtOnce(test: Litmus, pin: Pin): boolean {
  if (pin.type !== 'get' || pin.fast || pin.longterm) return false
  const all = threadsOf(test)
  const uses = all.flat().filter((one) => isUse(one) && one.ref === pin.ref)
  const [use, release] = all.flatMap((statements) => {
    const at = statements.indexOf(pin)
    return at < 0 ? [] : statements.slice(at + 1, at + 3)
  })
  const isProtected = all.flat().some((one) => one.kind === 'mprotect' && one.page === pin.page)
  return (
    uses.length === 1 &&
    use === uses[0] &&
    release?.kind === 'release' &&
    release.ref === pin.ref &&
    !isProtected
  )
}

type Use = Extract<Statement, { kind: 'refLoad' | 'refStore' }>

function isUse(statement: Statement): statement is Use {
  return statement.kind === 'refLoad' || statement.kind === 'refStore'
}

function threadsOf(test: Litmus): (readonly Statement[])[] {
  return test.processes.flatMap(({ threads }) => threads.map(({ statements }) => statements))
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
