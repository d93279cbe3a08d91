/**
 * What a litmus test says, after parsing and before anything runs.
 *
 * Every node carries the span of source text that it came from, so that a later
 * complaint (an unknown design, a signal that nobody sends) can point at the
 * characters that it is about.
 */

/** A half-open range of offsets, in UTF-16 code units, into `Litmus.source`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One parsed and validated test. */
export interface Litmus {
  readonly name: string
  /** The comment lines above `test`, without their `#`, joined by newlines. */
  readonly description: string
  readonly source: string
  readonly pages: readonly Page[]
  /** At most one of each kind, in source order. */
  readonly actors: readonly Actor[]
  /** In source order; the first is the root process, every other one is forked by exactly one `fork`. */
  readonly processes: readonly Process[]
  /** Names used by `signal` and `wait`, in order of first use. */
  readonly signals: readonly string[]
  readonly conditions: readonly Condition[]
  readonly expectations: readonly Expectation[]
}

/** One private anonymous page, mapped in the root process when the test starts. */
export interface Page {
  readonly name: string
  /** At least one. A page declared `page x = 0` has one word that is also called `x`. */
  readonly words: readonly Word[]
  /** True for `zero page x`: mapped but never touched, so its page-table entry is empty. */
  readonly untouched: boolean
  readonly span: Span
}

export interface Word {
  readonly name: string
  readonly initial: number
}

/** Kernel threads that a test can have: one reclaims pages, one merges equal ones. */
export const ACTORS = ['kswapd', 'ksmd'] as const
export type ActorKind = (typeof ACTORS)[number]

/** A kernel thread that may act at any moment of the run, on the memory of any process. */
export interface Actor {
  readonly kind: ActorKind
  /** How often it acts at most; it need not act at all. */
  readonly times: number
  /** Indices into `Litmus.pages`, ascending; all of them if the declaration names none. */
  readonly pages: readonly number[]
  readonly span: Span
}

export interface Process {
  readonly name: string
  readonly threads: readonly Thread[]
  /** The process that forks this one; undefined for the root process. */
  readonly parent: string | undefined
  readonly span: Span
}

export interface Thread {
  /** The process's name if it has one thread, else `<process>.<thread>`. */
  readonly name: string
  readonly statements: readonly Statement[]
  readonly span: Span
}

/** A word of a page: indices into `Litmus.pages` and that page's `words`. */
export interface WordRef {
  readonly page: number
  readonly word: number
}

export type Access = 'read' | 'write'
export type RefKind = 'get' | 'pin'

export type Statement = { readonly span: Span } & (
  | { readonly kind: 'load'; readonly register: string; readonly target: WordRef }
  | { readonly kind: 'store'; readonly target: WordRef; readonly value: number }
  | { readonly kind: 'fork'; readonly child: string }
  | { readonly kind: 'exit' }
  | { readonly kind: 'waitpid'; readonly process: string }
  | { readonly kind: 'unmap'; readonly page: number }
  | { readonly kind: 'dontneed'; readonly page: number }
  | { readonly kind: 'mprotect'; readonly page: number; readonly writable: boolean }
  /** madvise(2) with MADV_PAGEOUT. */
  | { readonly kind: 'pageout'; readonly page: number }
  /** Reclaim comes to the page that is mapped there just now, whoever else maps it. */
  | { readonly kind: 'reclaim'; readonly page: number }
  /**
   * ksmd finds two pages, of as many words: the process's `page` stays, and replaces `other`, which is the
   * same process's if no other `owner` is named.
   */
  | { readonly kind: 'merge'; readonly page: number; readonly other: number; readonly owner?: string }
  /** madvise(2) with MADV_UNMERGEABLE. */
  | { readonly kind: 'unmerge'; readonly page: number }
  /** Writes 4 to /proc/self/clear_refs: all pages of the process. */
  | { readonly kind: 'clearRefs' }
  | {
      readonly kind: 'pin'
      readonly ref: string
      readonly page: number
      readonly access: Access
      /** `get` is FOLL_GET, `pin` is FOLL_PIN. */
      readonly type: RefKind
      readonly longterm: boolean
      /** True for the lockless walk that falls back to the slow one (get_user_pages_fast). */
      readonly fast: boolean
    }
  | { readonly kind: 'release'; readonly ref: string }
  /** A read through a reference: what a device or a pipe sees. */
  | { readonly kind: 'refLoad'; readonly register: string; readonly ref: string; readonly word: number }
  | { readonly kind: 'refStore'; readonly ref: string; readonly word: number; readonly value: number }
  | { readonly kind: 'signal'; readonly name: string }
  | { readonly kind: 'wait'; readonly name: string }
)

export type StatementKind = Statement['kind']

/** What the author wants to look at in the final state. */
export interface Condition {
  readonly quantifier: 'never' | 'always' | 'sometimes'
  readonly expression: Expression
  /** The condition's source text, without the quantifier and with single spaces. */
  readonly text: string
  readonly span: Span
}

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'compare'; readonly term: Term; readonly equal: boolean; readonly value: number }

/** `child.r0`, `parent.x` (the final memory of a live process) or `parent.p` (what a live reference holds at the end). */
export type Term =
  | { readonly kind: 'register'; readonly process: string; readonly register: string }
  | { readonly kind: 'memory'; readonly process: string; readonly target: WordRef }
  | { readonly kind: 'reference'; readonly process: string; readonly ref: string; readonly word: number }

/** How a test's outcomes relate to the yardstick, worst last. */
export const VERDICTS = ['right', 'not-promised', 'lost-write', 'wrong-cow', 'missed-cow'] as const
export type Verdict = (typeof VERDICTS)[number]

/** Failures of the machine itself: an invariant broken, whatever the values read. */
export const FAILURES = ['use-after-free', 'leak', 'deadlock', 'livelock', 'broken-invariant'] as const
export type Failure = (typeof FAILURES)[number]

/** `expect v5.7, v5.8: missed-cow, violated "the mapcount cannot see the pin"`. */
export interface Expectation {
  readonly designs: readonly { readonly name: string; readonly span: Span }[]
  /** The expected relation to the yardstick, or the expected failure. */
  readonly verdict: Verdict | Failure | undefined
  /** `holds`: every condition of the test holds; `violated`: at least one does not. */
  readonly conditions: 'holds' | 'violated' | undefined
  readonly reason: string | undefined
  readonly span: Span
}
