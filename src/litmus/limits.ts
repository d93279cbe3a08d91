/** The limits of a test, and whether it keeps them. */

import type { Span } from './ast.ts'
import { quote } from './diagnostic.ts'
import type { Log } from './log.ts'
import { everySignalUse, type Name, type TestSyntax } from './syntax.ts'

/** How much a test may hold. The number of states is exponential in most of these; a litmus test is small. */
export const LIMITS = {
  /** UTF-16 code units. A test takes hundreds to a few thousand; this bounds the work on what is none. */
  source: 64 * 1024,
  /** The races of fork and pinning need two processes, a few need three; this leaves room to compose two. */
  processes: 6,
  /** Over all processes, since interleavings multiply with every thread, whoever owns it. */
  threads: 6,
  /** Each is a page-table entry in every process, and so a part of every state. */
  pages: 4,
  /** Every frame holds that many words, and there is about one frame for each page and process. */
  words: 4,
  /** One of each kind. */
  actors: 2,
  /** That one actor acts: each time is at any moment, in any process, on any of its pages. */
  times: 3,
  /** In one thread: each is at least one step that the steps of all other threads interleave with. */
  statements: 64,
  /** Each is part of every state, with the frame that it holds. */
  references: 8,
  /** Each is one bit of every state; together they fill two bytes. */
  signals: 16,
  /** Conditions and expectations together: each is looked at for every outcome and every design. */
  claims: 64,
  /** In one expectation; there are fewer kernels and proposals than this to have expectations of. */
  designs: 64,
  /** In one condition: whoever reads an expression may recurse as often. */
  comparisons: 64,
  /** Parentheses and `not` around each other, so that no input exhausts the parser's stack. */
  nesting: 32,
} as const

/** Whether the test holds enough and not too much. The parser has checked the limits inside one condition or actor. */
export function checkLimits(syntax: TestSyntax, log: Log): void {
  const { pages, actors, processes, conditions, expectations } = syntax
  const atMost = (limit: number, things: readonly { readonly span: Span }[], what: string): void => {
    const first = things[limit]
    if (first !== undefined) log.error(first.span, `more than ${limit} ${what}`, `expected at most ${limit}`)
  }
  const threads = processes.flatMap((process) => process.threads)
  const statements = threads.flatMap((thread) => thread.statements)
  const references = statements.filter((statement) => statement.kind === 'pin')
  const claims = [...conditions, ...expectations].sort((a, b) => a.span.start - b.span.start)
  const signals = new Map<string, Name>()
  for (const { signal } of everySignalUse(syntax)) {
    if (!signals.has(signal.text)) signals.set(signal.text, signal)
  }

  atMost(LIMITS.pages, pages, 'pages')
  for (const page of pages) {
    const words = page.words.map((word) => word.name)
    atMost(LIMITS.words, words, `words in page ${quote(page.name.text)}`)
  }
  atMost(LIMITS.actors, actors, 'actors')
  atMost(LIMITS.processes, processes, 'processes')
  // Every process has a thread: too many processes are one mistake, and told once.
  if (processes.length <= LIMITS.processes)
    atMost(LIMITS.threads, threads, 'threads in all processes together')
  for (const thread of threads) atMost(LIMITS.statements, thread.statements, 'statements in one thread')
  atMost(LIMITS.references, references, 'references')
  atMost(LIMITS.signals, [...signals.values()], 'signals')
  atMost(LIMITS.claims, claims, 'conditions and expectations')
  for (const { designs } of expectations) atMost(LIMITS.designs, designs, 'designs in one expectation')

  if (processes.length === 0) {
    log.error(syntax.name.span, 'this test has no process', 'expected at least one "process <name> { … }"')
  } else if (statements.length === 0) {
    log.error(processes[0]!.span, 'this test does nothing', 'expected at least one statement in a process')
  }
}
