import fc from 'fast-check'
import type {
  Actor,
  Condition,
  Expectation,
  Expression,
  Litmus,
  Page,
  Process,
  Span,
  Statement,
  Term,
  WordRef,
} from '../../src/litmus/ast.ts'
import { ACTORS, FAILURES, VERDICTS } from '../../src/litmus/ast.ts'
import { LIMITS } from '../../src/litmus/limits.ts'
import { printExpression } from '../../src/litmus/print.ts'
import { KEYWORDS } from '../../src/litmus/vocabulary.ts'

/** Every node of a generated test has this span, and the test no source: it was never written down. */
const NOWHERE: Span = { start: 0, end: 0 }

/** Text that a comment or a string can hold. */
const line = fc
  .array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 1 }), fc.constantFrom('"', '\\', '#', ' ')), {
    maxLength: 12,
  })
  .map((characters) => characters.join(''))
  .map((text) => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ''))

const name = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-qs-z_][A-Za-z0-9_]{0,4}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'valueOf', 'r', 'r0x', 'all'),
  },
)

const WHOLE_PAGE = ['unmap', 'dontneed', 'pageout', 'reclaim', 'unmerge'] as const

/** Enough different names for all pages, words and references, which share one name space. */
const names = fc.uniqueArray(
  name.filter((text) => !KEYWORDS.has(text)),
  { minLength: 50, maxLength: 50 },
)

// What fast-check's `gen` is given are these functions, always the same ones: it remembers each that it has seen.
const someNames = () => names
const someLine = () => line
const someLines = () => fc.array(line, { maxLength: 3 })
const someTestName = () => fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,8}$/)
const someDesigns = () => fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9._-]{1,6}$/), { maxLength: 6 })
const someFlips = (length: number) => fc.array(fc.boolean(), { minLength: length, maxLength: length })

/**
 * Tests that `parse` could have returned, with everything that the language has.
 *
 * Shrinking one takes minutes, since each choice depends on the ones before: set `endOnFailure` in properties.
 */
export const litmus: fc.Arbitrary<Litmus> = fc.gen().map(build)

function build(choose: fc.GeneratorValue): Litmus {
  const upTo = (most: number): number => choose(fc.nat, most)
  const flip = (): boolean => choose(fc.boolean)
  const one = <T>(from: readonly T[]): T => from[upTo(from.length - 1)]!
  const pool = [...choose(someNames)]
  const fresh = (): string => pool.pop()!
  const value = (): number => upTo(9)

  const wordNames = [fresh(), fresh(), fresh(), fresh(), fresh()]
  const pages = Array.from({ length: upTo(LIMITS.pages) }, (): Page => {
    const own = fresh()
    const untouched = flip()
    const initial = (): number => (untouched ? 0 : value())
    const among = [...wordNames, own]
    const flips = choose(someFlips, among.length)
    const chosen = among.filter((_, index) => flips[index]).slice(0, LIMITS.words)
    const words = (chosen.length === 0 || flip() ? [own] : chosen).map((word) => ({
      name: word,
      initial: initial(),
    }))
    return { name: own, words, untouched, span: NOWHERE }
  })
  const anyPage = (): number => upTo(pages.length - 1)
  const anyWord = (page: number): number => upTo(pages[page]!.words.length - 1)
  const anyTarget = (): WordRef => {
    const page = anyPage()
    return { page, word: anyWord(page) }
  }

  /** What can be merged: different pages of as many words. */
  const twins = pages.flatMap(({ words }, page) =>
    pages.flatMap((twin, other) =>
      page !== other && twin.words.length === words.length ? [{ page, other }] : [],
    ),
  )

  const actors: Actor[] = []
  for (const kind of ACTORS) {
    if (flip()) continue
    const some = pages.flatMap((_, page) => (flip() ? [page] : []))
    const every = [...pages.keys()]
    const actor = { kind, times: 1 + upTo(LIMITS.times - 1), pages: some.length > 0 ? some : every }
    actors.splice(upTo(actors.length), 0, { ...actor, span: NOWHERE })
  }

  // Processes and their threads; who forks whom, and who exits.
  const threadCounts = [1 + upTo(2)]
  const threadsSoFar = (): number => threadCounts.reduce((sum, count) => sum + count, 0)
  while (threadsSoFar() < LIMITS.threads && flip()) {
    threadCounts.push(1 + upTo(Math.min(2, LIMITS.threads - threadsSoFar() - 1)))
  }
  const people = threadCounts.map((threads, index) => ({
    name: fresh(),
    threads: Array.from({ length: threads }, (_, thread) => ({ name: fresh(), index: thread })),
    parent: index === 0 ? undefined : upTo(index - 1),
    exits: flip() ? upTo(threads - 1) : undefined,
  }))

  interface Pin {
    readonly owner: number
    readonly thread: number
    readonly statement: Extract<Statement, { kind: 'pin' }>
  }
  const pins = Array.from({ length: pages.length === 0 ? 0 : upTo(LIMITS.references) }, (): Pin => {
    const owner = upTo(people.length - 1)
    const statement = {
      kind: 'pin',
      ref: fresh(),
      page: anyPage(),
      access: one(['read', 'write'] as const),
      type: one(['get', 'pin'] as const),
      longterm: flip(),
      fast: flip(),
      span: NOWHERE,
    } as const
    return { owner, thread: upTo(people[owner]!.threads.length - 1), statement }
  })
  const forks = people.flatMap(({ name: child, parent }) =>
    parent === undefined ? [] : [{ owner: parent, thread: upTo(people[parent]!.threads.length - 1), child }],
  )

  // The statements of each thread: what it must do, in any order, and anything else in between.
  const signalNames = Array.from({ length: 4 }, fresh)
  const registers = new Map<number, string[]>()
  const processes = people.map((person, owner): Process => {
    const threads = person.threads.map((thread) => {
      const duties: Statement[] = [
        ...pins
          .filter((pin) => pin.owner === owner && pin.thread === thread.index)
          .map((pin) => pin.statement),
        ...forks
          .filter((fork) => fork.owner === owner && fork.thread === thread.index)
          .map(({ child }): Statement => ({ kind: 'fork', child, span: NOWHERE })),
      ]
      const done = new Set<string>()
      const statements: Statement[] = []

      const register = (): string => {
        const own = `r${thread.index}${upTo(3)}`
        registers.set(owner, [...(registers.get(owner) ?? []), own])
        return own
      }
      const optional = (): Statement[] => {
        const usable = pins.filter(
          (pin) => pin.owner === owner && (pin.thread !== thread.index || done.has(pin.statement.ref)),
        )
        const children = people.filter(
          (child) =>
            child.parent === owner &&
            child.exits !== undefined &&
            (done.has(child.name) ||
              forks.find((fork) => fork.child === child.name)!.thread !== thread.index),
        )
        const choices: (() => Statement)[] = [
          () => ({ kind: one(['signal', 'wait'] as const), name: one(signalNames), span: NOWHERE }),
        ]
        if (pages.length > 0) {
          choices.push(
            () => ({ kind: 'load', register: register(), target: anyTarget(), span: NOWHERE }),
            () => ({ kind: 'store', target: anyTarget(), value: value(), span: NOWHERE }),
            () => ({ kind: one(WHOLE_PAGE), page: anyPage(), span: NOWHERE }),
            () => ({ kind: 'clearRefs', span: NOWHERE }),
            () => ({ kind: 'mprotect', page: anyPage(), writable: flip(), span: NOWHERE }),
          )
        }
        if (twins.length > 0) {
          choices.push(() => ({ kind: 'merge', ...one(twins), span: NOWHERE }))
        }
        const others = people.filter((_, other) => other !== owner)
        if (pages.length > 0 && others.length > 0) {
          const page = anyPage()
          const owner = one(others).name
          choices.push(() => ({ kind: 'merge', page, other: page, owner, span: NOWHERE }))
        }
        if (children.length > 0) {
          choices.push(() => ({ kind: 'waitpid', process: one(children).name, span: NOWHERE }))
        }
        if (usable.length > 0) {
          const { ref, page, access } = one(usable).statement
          const word = anyWord(page)
          choices.push(
            () => ({ kind: 'release', ref, span: NOWHERE }),
            () => ({ kind: 'refLoad', register: register(), ref, word, span: NOWHERE }),
          )
          if (access === 'write') {
            choices.push(() => ({ kind: 'refStore', ref, word, value: value(), span: NOWHERE }))
          }
        }
        return [one(choices)()]
      }

      while (duties.length > 0 || (statements.length < 12 && upTo(5) > 0)) {
        const next = duties.length > 0 && flip() ? duties.splice(upTo(duties.length - 1), 1) : optional()
        statements.push(...next)
        for (const statement of next) {
          if (statement.kind === 'pin') done.add(statement.ref)
          if (statement.kind === 'fork') done.add(statement.child)
        }
      }
      if (person.exits === thread.index) statements.push({ kind: 'exit', span: NOWHERE })
      return {
        name: person.threads.length === 1 ? person.name : `${person.name}.${thread.name}`,
        statements,
        span: NOWHERE,
      }
    })
    const parent = person.parent === undefined ? undefined : people[person.parent]!.name
    return { name: person.name, threads, parent, span: NOWHERE }
  })
  const everything = processes.flatMap(({ threads }) => threads.flatMap(({ statements }) => statements))
  if (everything.length === 0) {
    const first = processes[0]!.threads[0]!.statements as Statement[]
    first.push({ kind: 'signal', name: signalNames[0]!, span: NOWHERE })
    everything.push(...first)
  }
  const signals = new Set(
    everything.flatMap((statement) =>
      statement.kind === 'signal' || statement.kind === 'wait' ? [statement.name] : [],
    ),
  )

  // Conditions over what the processes have.
  const terms: (() => Term)[] = processes.flatMap(({ name: process }, owner) => [
    ...(registers.get(owner) ?? []).map((register) => (): Term => ({ kind: 'register', process, register })),
    ...(pages.length === 0 ? [] : [(): Term => ({ kind: 'memory', process, target: anyTarget() })]),
    ...pins
      .filter((pin) => pin.owner === owner)
      .map(
        ({ statement: { ref, page } }) =>
          (): Term => ({ kind: 'reference', process, ref, word: anyWord(page) }),
      ),
  ])
  const expression = (size: number): Expression => {
    const kind = size === 0 ? 'compare' : one(['and', 'or', 'not', 'compare'] as const)
    if (kind === 'compare') return { kind, term: one(terms)(), equal: flip(), value: value() }
    if (kind === 'not') return { kind, operand: expression(size - 1) }
    return { kind, left: expression(size - 1), right: expression(size - 1) }
  }
  const test: Litmus = {
    name: choose(someTestName),
    description: choose(someLines)
      .map((text) => text.trimEnd())
      .join('\n'),
    source: '',
    pages,
    actors,
    processes,
    signals: [...signals],
    conditions: [],
    expectations: [],
  }
  const conditions = Array.from({ length: terms.length === 0 ? 0 : upTo(3) }, (): Condition => {
    const quantifier = one(['never', 'always', 'sometimes'] as const)
    const chosen = expression(4)
    return { quantifier, expression: chosen, text: printExpression(chosen, test), span: NOWHERE }
  })
  const designs = choose(someDesigns).filter((design) => design !== 'all')
  const expectations: Expectation[] = []
  while (designs.length > 0) {
    const verdict = flip() ? one([...VERDICTS, ...FAILURES]) : undefined
    const about = conditions.length > 0 ? one([undefined, 'holds', 'violated'] as const) : undefined
    expectations.push({
      designs: designs.splice(0, 1 + upTo(2)).map((design) => ({ name: design, span: NOWHERE })),
      verdict: verdict === undefined && about === undefined ? 'right' : verdict,
      conditions: about,
      reason: flip() ? choose(someLine) : undefined,
      span: NOWHERE,
    })
  }
  return { ...test, conditions, expectations }
}
