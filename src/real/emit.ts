/**
 * A test as a C program for Linux: `runtime/` has what all programs share, and this file writes the rest, a
 * function for each thread and a table that says what there is.
 */
import type { Expression, Litmus, Statement, Term } from '../litmus/ast.ts'
import { type Diagnostic, lineNumber } from '../litmus/diagnostic.ts'
import { LIMITS } from '../litmus/limits.ts'
import { Names } from '../litmus/program.ts'
import { type Part, runtime } from './runtime.ts'
import { exactPin, spentReferences, type Way, wayOf } from './ways.ts'

/** So many looks at a reference and stores through it fit into one run. */
const MOST_USES = 16

/** Statements that may take a page from its frame, so that it is on another one later and was not copied. */
const MOVES: ReadonlySet<Statement['kind']> = new Set(['dontneed', 'pageout', 'reclaim', 'merge'])

/** Ways to hold a reference that keep a process from being gone when it exits. */
const HINDRANCES: Partial<Record<Way, string>> = {
  fuse: 'a process cannot exit while its direct I/O is under way: it waits for that',
  process_vm:
    'the memory of a process stays when it exits, while process_vm_readv or process_vm_writev is under way',
}

/** A test has statements or actors that no program can do. */
export class NotEmittable extends Error {
  override readonly name = 'NotEmittable'
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message, hint }) => `${message}: ${hint}`).join('\n'))
  }
}

/**
 * Writes one test as a self-contained C program.
 * @throws NotEmittable
 */
export function emit(test: Litmus): string {
  return emitAll([test])
}

/**
 * Writes several tests as one program, which runs those that are named on its command line, or all.
 * @throws NotEmittable if any of them has no C form
 */
export function emitAll(tests: readonly Litmus[]): string {
  const parts = new Set<Part>()
  const writers = tests.map((test, i) => new TestWriter(test, tests.length === 1 ? '' : `t${i}_`, parts))
  const bodies = writers.map((writer) => writer.write())
  const list = tests.map((_, i) => `&${tests.length === 1 ? '' : `t${i}_`}test`).join(', ')
  return [
    header(tests),
    sizes(writers),
    runtime(parts),
    ...bodies,
    `int main(int count, char **word)
{
	static const struct test *const tests[] = { ${list}, NULL };
	return run_program(count, word, tests);
}
`,
  ].join('\n')
}

/** Why a test has no C form, each reason at the characters that it is about; empty if it has one. */
export function whyNotEmittable(test: Litmus): Diagnostic[] {
  const found: Diagnostic[] = []
  const error = (span: Diagnostic['span'], message: string, hint: string): void => {
    found.push({ severity: 'error', span, message, hint })
  }
  for (const { kind, span } of test.actors) {
    error(span, `no program can have ${kind} act at any moment`, 'this test has no C form; a statement would')
  }
  const statements = test.processes.flatMap(({ threads }) => threads.flatMap(({ statements }) => statements))
  for (const one of statements) {
    if (one.kind === 'reclaim' && test.pages.length > 1) {
      const hint = 'this test has no C form; with one page, or "pageout", it would'
      error(one.span, 'a control group’s reclaim takes all pages of the test, not only this one', hint)
    }
  }
  for (const { threads } of test.processes) {
    const own = threads.flatMap(({ statements }) => statements)
    const exit = own.find(({ kind }) => kind === 'exit')
    for (const one of own) {
      if (one.kind !== 'pin') continue
      const uses = own.filter(
        (use) => (use.kind === 'refLoad' || use.kind === 'refStore') && use.ref === one.ref,
      )
      if (uses.length + 1 + test.pages[one.page]!.words.length > MOST_USES) {
        error(one.span, `more than ${MOST_USES} uses of one reference`, 'this test has no C form')
      }
      const released = own.some((use) => use.kind === 'release' && use.ref === one.ref)
      const hindrance = HINDRANCES[wayOf(test, one)]
      if (hindrance !== undefined && exit !== undefined && !released) {
        const hint = 'this test has no C form; it would if the reference were released before'
        error(exit.span, hindrance, hint)
      }
    }
  }
  if (addresses(test) === undefined) {
    const merge = statements.filter(({ kind }) => kind === 'merge').at(-1)!
    const hint = 'this test has no C form: ksmd keeps the page at the higher address'
    error(merge.span, 'these merges keep and replace the same page', hint)
  }
  return found
}

/** How many statements use a word behind a reference. */
function usesOf(test: Litmus, ref: string, kind: 'refLoad' | 'refStore', word: number): number {
  return all(test).filter((one) => one.kind === kind && one.ref === ref && one.word === word).length
}

function all(test: Litmus): Statement[] {
  return test.processes.flatMap(({ threads }) => threads.flatMap(({ statements }) => statements))
}

/**
 * Each page's place among the addresses. The first page of `merge x with y` must come after the second, since of
 * two equal pages ksmd keeps the one that it comes to last. Undefined if the merges contradict each other.
 */
function addresses(test: Litmus): number[] | undefined {
  const merges = all(test).flatMap((one) => (one.kind === 'merge' ? [one] : []))
  const ranks: number[] = test.pages.map(() => -1)
  for (let rank = 0; rank < test.pages.length; rank++) {
    const next = test.pages.findIndex(
      (_, p) => ranks[p]! < 0 && merges.every(({ page, other }) => page !== p || ranks[other]! >= 0),
    )
    if (next < 0) return undefined
    ranks[next] = rank
  }
  return ranks
}

function header(tests: readonly Litmus[]): string {
  const [first] = tests
  const what =
    tests.length === 1
      ? [`The litmus test ${first!.name} as a program for Linux.`, '', ...first!.description.split('\n')]
      : [`${tests.length} litmus tests as a program for Linux.`]
  const lines = [
    ...what,
    '',
    'Written by Cowherd. Build it with',
    '  gcc -O1 -pthread -static -o test test.c',
    'and run it: it prints each outcome with how often it was seen. What was not seen may happen all the same.',
    'A statement that this machine cannot do is printed with the reason, and then nothing is run (exit code 77).',
  ]
  return `/*\n${lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`.trimEnd()).join('\n')}\n */\n`
}

/** How much of everything the runtime has to have room for: what the language allows, or else what is there. */
function sizes(writers: readonly TestWriter[]): string {
  const most = (key: keyof Counts): number => Math.max(1, ...writers.map(({ counts }) => counts[key]))
  const { pages, words, processes, threads, references, signals } = LIMITS
  return `enum { MOST_PAGES = ${pages}, MOST_WORDS = ${words}, MOST_PROCESSES = ${processes}, MOST_THREADS = ${threads} };
enum { MOST_REFERENCES = ${references}, MOST_USES = ${MOST_USES}, MOST_SIGNALS = ${signals} };
enum { MOST_REGISTERS = ${most('registers')}, MOST_NEEDS = ${most('needs')}, MOST_EFFECTS = ${most('effects')} };
enum { MOST_CONDITIONS = ${most('conditions')} };
`
}

/** How much there is of what each statement may add to. */
interface Counts {
  readonly registers: number
  readonly needs: number
  readonly effects: number
  readonly conditions: number
}

/** Writes the functions and the table of one test. */
class TestWriter {
  private readonly names: Names
  private readonly needs: string[] = []
  private readonly effects: string[] = []
  private readonly cNames = new Map<string, string>()

  constructor(
    private readonly test: Litmus,
    /** Before each of its names, so that several tests can stand in one program. */
    private readonly prefix: string,
    private readonly parts: Set<Part>,
  ) {
    const reasons = whyNotEmittable(test)
    if (reasons.length > 0) throw new NotEmittable(reasons)
    this.names = new Names(test)
  }

  /** To be asked for when the test has been written. */
  get counts(): Counts {
    return {
      registers: this.names.registers.length,
      needs: this.needs.length,
      effects: this.effects.length,
      conditions: this.test.conditions.length,
    }
  }

  write(): string {
    const { test } = this
    for (const { untouched, span } of test.pages) {
      if (untouched)
        this.need(lineNumber(test.source, span.start), test.source.slice(span.start, span.end), 'zero_page')
    }
    const threads = test.processes.flatMap((process, p) =>
      process.threads.map(({ name, statements }) => this.thread(name, p, statements)),
    )
    const conditions = test.conditions.map(
      ({ quantifier, text, expression }, i) => `/* ${quantifier} ${text} */
static int ${this.prefix}condition_${i}(void)
{
	return ${this.expression(expression)};
}
`,
    )
    return [
      `/* ---- The test ${test.name} ---- */\n`,
      this.enums(),
      ...threads,
      ...conditions,
      this.table(),
    ].join('\n')
  }

  private enums(): string {
    const { test } = this
    const lines = [
      this.enumOf(test.pages.map(({ name }) => this.page(name))),
      ...test.pages.map(({ name, words }) => this.enumOf(words.map((word) => this.word(name, word.name)))),
      this.enumOf(test.processes.map(({ name }) => this.process(name))),
      this.enumOf(this.names.references.map(({ name }) => this.reference(name))),
      this.enumOf(this.names.registers.map((name) => this.register(name))),
      this.enumOf(test.signals.map((name) => this.signal(name))),
    ]
    return `${lines.filter((line) => line !== '').join('\n')}\n`
  }

  private enumOf(names: readonly string[]): string {
    return names.length === 0 ? '' : `enum { ${names.join(', ')} };`
  }

  private thread(name: string, process: number, statements: readonly Statement[]): string {
    const lines = statements.map((one) => this.statement(one, process))
    return `static void ${this.run(name)}(void)\n{\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}}\n`
  }

  private statement(one: Statement, process: number): string {
    const { source } = this.test
    const line = lineNumber(source, one.span.start)
    const text = source.slice(one.span.start, one.span.end).replaceAll(/\s+/g, ' ')
    const call = `\tstep(${line});\n\t${this.call(one, process, line, text)};`
    return `\t/* ${text} */\n${call}`
  }

  private call(one: Statement, process: number, line: number, text: string): string {
    const page = (index: number): string => this.page(this.test.pages[index]!.name)
    const word = (index: number, at: number): string => {
      const { name, words } = this.test.pages[index]!
      return this.word(name, words[at]!.name)
    }
    const register = (name: string): string =>
      `S->reg[${this.register(`${this.test.processes[process]!.name}.${name}`)}]`
    switch (one.kind) {
      case 'load':
        return `${register(one.register)} = load(${page(one.target.page)}, ${word(one.target.page, one.target.word)})`
      case 'store':
        return `store(${page(one.target.page)}, ${word(one.target.page, one.target.word)}, ${one.value})`
      case 'fork':
        return `fork_process(${this.process(one.child)})`
      case 'exit':
        return 'exit_process()'
      case 'waitpid':
        return `wait_for_exit(${this.process(one.process)})`
      case 'unmap':
        return `unmap(${page(one.page)})`
      case 'dontneed':
        this.need(line, text, 'zero_page')
        return `dontneed(${page(one.page)})`
      case 'mprotect':
        return `protect(${page(one.page)}, PROT_READ${one.writable ? ' | PROT_WRITE' : ''})`
      case 'pageout':
        this.need(line, text, 'swap')
        return `pageout(${page(one.page)}, ${this.effect(line, text)})`
      case 'reclaim':
        this.parts.add('swap')
        this.need(line, text, 'reclaim')
        return `reclaim(${page(one.page)}, ${this.effect(line, text)})`
      case 'merge':
        this.need(line, text, 'ksm')
        return `merge(${page(one.page)}, ${page(one.other)}, ${this.effect(line, text)})`
      case 'unmerge':
        this.need(line, text, 'ksm')
        return `unmerge(${page(one.page)})`
      case 'clearRefs':
        this.need(line, text, 'soft_dirty')
        return 'clear_refs()'
      case 'pin':
        this.need(line, text, wayOf(this.test, one), one === exactPin(this.test) ? 'gup_test' : undefined)
        return `ref_take(${this.reference(one.ref)})`
      case 'release':
        return `ref_release(${this.reference(one.ref)})`
      case 'refLoad':
        return `${register(one.register)} = ref_load(${this.reference(one.ref)}, ${word(this.pageBehind(one.ref), one.word)})`
      case 'refStore':
        return `ref_store(${this.reference(one.ref)}, ${word(this.pageBehind(one.ref), one.word)}, ${one.value})`
      case 'signal':
        return `send(${this.signal(one.name)})`
      case 'wait':
        return `receive(${this.signal(one.name)})`
    }
  }

  /** Notes that a statement needs something that not every machine has; `exact` is better, where that can be had. */
  private need(line: number, text: string, part: Part, exact?: Part): void {
    const parts = exact === undefined ? [part] : [part, exact]
    for (const one of parts) this.parts.add(one)
    const second = exact === undefined ? 'NULL' : `&${exact}_part`
    this.needs.push(`{ ${line}, ${cString(text)}, &${part}_part, ${second} }`)
  }

  /** Notes that a statement asks for something that need not come about; returns its number. */
  private effect(line: number, text: string): number {
    this.effects.push(`{ ${line}, ${cString(text)} }`)
    return this.effects.length - 1
  }

  private pageBehind(ref: string): number {
    return this.names.references[this.names.reference(ref)]!.vpn
  }

  private expression(expression: Expression): string {
    switch (expression.kind) {
      case 'and':
        return `(${this.expression(expression.left)} && ${this.expression(expression.right)})`
      case 'or':
        return `(${this.expression(expression.left)} || ${this.expression(expression.right)})`
      case 'not':
        return `!(${this.expression(expression.operand)})`
      case 'compare':
        return `${this.term(expression.term)} ${expression.equal ? '==' : '!='} ${expression.value}`
    }
  }

  private term(term: Term): string {
    switch (term.kind) {
      case 'register':
        return `S->reg[${this.register(`${term.process}.${term.register}`)}]`
      case 'memory': {
        const { name, words } = this.test.pages[term.target.page]!
        const word = this.word(name, words[term.target.word]!.name)
        return `S->memory[${this.process(term.process)}][${this.page(name)}][${word}]`
      }
      case 'reference': {
        const { name, words } = this.test.pages[this.pageBehind(term.ref)]!
        return `S->behind[${this.reference(term.ref)}][${this.word(name, words[term.word]!.name)}]`
      }
    }
  }

  private table(): string {
    const { test, names } = this
    const ranks = addresses(test)!
    const counts: Record<string, number> = {
      pages: test.pages.length,
      processes: test.processes.length,
      threads: test.processes.reduce((sum, { threads }) => sum + threads.length, 0),
      references: names.references.length,
      ...this.counts,
      moves: all(test).some(({ kind }) => MOVES.has(kind)) ? 1 : 0,
    }
    const lists: Record<string, readonly string[]> = {
      page: test.pages.map(({ name, words, untouched }, p) => {
        const wordNames = words.map((word) => cString(word.name)).join(', ')
        const initial = words.map((word) => word.initial).join(', ')
        return `{ ${cString(name)}, ${ranks[p]}, ${untouched ? 1 : 0}, ${words.length}, { ${wordNames} }, { ${initial} } }`
      }),
      process: test.processes.map(({ name }) => cString(name)),
      exits: test.processes.map(({ threads }) =>
        threads.some(({ statements }) => statements.some(({ kind }) => kind === 'exit')) ? '1' : '0',
      ),
      thread: test.processes.flatMap(({ name, threads }) =>
        threads.map(
          (thread) => `{ ${cString(thread.name)}, ${this.process(name)}, ${this.run(thread.name)} }`,
        ),
      ),
      reference: all(test).flatMap((one) => (one.kind === 'pin' ? [this.referenceEntry(one)] : [])),
      registerName: names.registers.map(cString),
      need: this.needs,
      effect: this.effects,
      condition: test.conditions.map(({ quantifier, text }, i) => {
        return `{ ${cString(`${quantifier} ${text}`)}, ${this.prefix}condition_${i} }`
      }),
    }
    const lines = [
      `\t.name = ${cString(test.name)},`,
      ...Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`\t.${name} = ${count},`])),
      ...Object.entries(lists).flatMap(([name, list]) =>
        list.length === 0 ? [] : [`\t.${name} = {`, ...list.map((entry) => `\t\t${entry},`), '\t},'],
      ),
    ]
    return `static const struct test ${this.prefix}test = {\n${lines.join('\n')}\n};\n`
  }

  private referenceEntry(pin: Extract<Statement, { kind: 'pin' }>): string {
    const { test } = this
    const owner = test.processes[this.names.references[this.names.reference(pin.ref)]!.mm]!.name
    const { name, words } = test.pages[pin.page]!
    const way = wayOf(test, pin)
    const exact = pin === exactPin(test) ? `&by_gup_test${pin.fast ? '_fast' : ''}` : 'NULL'
    const spent = spentReferences(test).has(pin.ref)
    // What it holds at the end is looked at, too, unless it is gone by then for certain.
    const last = spent || (way === 'process_vm' && pin.access === 'write') ? 0 : 1
    const loads = words.map((_, word) => last + usesOf(test, pin.ref, 'refLoad', word)).join(', ')
    const written = words.map((_, word) => usesOf(test, pin.ref, 'refStore', word))
    // A reference for writing must be taken as one, also if nobody writes through it.
    if (pin.access === 'write' && !written.some((times) => times > 0)) written[0] = 1
    const stores = written.join(', ')
    return `{ ${cString(pin.ref)}, ${this.process(owner)}, ${this.page(name)}, { ${loads} }, { ${stores} }, ${spent ? 1 : 0}, &by_${way}, ${exact} }`
  }

  private page(name: string): string {
    return this.called('PAGE', name)
  }
  private word(page: string, word: string): string {
    return this.called('WORD', page, word)
  }
  private process(name: string): string {
    return this.called('PROCESS', name)
  }
  private reference(name: string): string {
    return this.called('REFERENCE', name)
  }
  private register(name: string): string {
    return this.called('REGISTER', ...name.split('.'))
  }
  private signal(name: string): string {
    return this.called('SIGNAL', name)
  }
  private run(thread: string): string {
    return this.called('run', ...thread.split('.'))
  }

  /** A thing's name in C: the same each time, and no other thing's (words `a_b` of page `c`, `b` of `c_a`). */
  private called(kind: string, ...parts: string[]): string {
    const key = [kind, ...parts].join('.')
    let name = this.cNames.get(key)
    if (name !== undefined) return name
    name = this.prefix + [kind, ...parts].join('_')
    const taken = new Set(this.cNames.values())
    while (taken.has(name)) name += '_'
    this.cNames.set(key, name)
    return name
  }
}

/** Text as a string of C; trigraphs cannot come out of it. */
function cString(text: string): string {
  const escaped = text.replaceAll(/["\\?]/g, '\\$&').replaceAll('\n', '\\n')
  return `"${escaped}"`
}
