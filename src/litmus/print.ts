/**
 * A test back to source text, in one canonical form: equal tests give equal text.
 *
 * Comments below `test` are not part of the syntax tree, and are lost.
 */

import type {
  Actor,
  Expectation,
  Expression,
  Litmus,
  Page,
  Process,
  Statement,
  Term,
  WordRef,
} from './ast.ts'

/**
 * Writes a test as a litmus file. Parsing the result gives the same test, up to spans and condition texts.
 *
 * @param test a test as `parse` returns it
 * @returns the source text, with a newline at its end
 */
export function print(test: Litmus): string {
  const names = namesOf(test)
  const description = test.description === '' ? [] : test.description.split('\n').map(comment)
  const sections = [
    [...description, `test ${test.name}`],
    test.pages.map(page),
    test.actors.map((one) => actor(one, test)),
    ...test.processes.map((one) => process(one, names)),
    test.conditions.map(({ quantifier, expression }) => `${quantifier} ${printExpression(expression, test)}`),
    test.expectations.map(expectation),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
}

/**
 * Writes a condition's expression with as few parentheses as its meaning needs.
 *
 * @param expression an expression of `test`
 * @param test the test whose pages and references it speaks about
 */
export function printExpression(expression: Expression, test: Litmus): string {
  return new ExpressionPrinter(namesOf(test)).print(expression, 'or')
}

function comment(line: string): string {
  return `# ${line}`.trimEnd()
}

function page({ name, words, untouched }: Page): string {
  const initial = (value: number): string => (untouched ? '' : ` = ${value}`)
  const head = `${untouched ? 'zero page' : 'page'} ${name}`
  const [only, ...others] = words
  if (only !== undefined && others.length === 0 && only.name === name) return head + initial(only.initial)
  return `${head}: ${words.map((word) => word.name + initial(word.initial)).join(', ')}`
}

function actor({ kind, times, pages }: Actor, test: Litmus): string {
  const often = times === 1 ? '' : ` ${times}`
  const all = pages.length === test.pages.length
  return `actor ${kind}${often}${all ? '' : ` on ${pages.map(namesOf(test).page).join(', ')}`}`
}

function process({ name, threads }: Process, names: Names): string[] {
  const statements = (all: readonly Statement[], indent: string): string[] =>
    all.map((one) => indent + statement(one, names))
  const [first, ...others] = threads
  const body =
    others.length === 0
      ? statements(first?.statements ?? [], '  ')
      : threads.flatMap((thread) => [
          `  thread ${thread.name.slice(name.length + 1)} {`,
          ...statements(thread.statements, '    '),
          '  }',
        ])
  return [`process ${name} {`, ...body, '}']
}

function statement(one: Statement, names: Names): string {
  switch (one.kind) {
    case 'load':
      return `${one.register} = ${names.word(one.target)}`
    case 'store':
      return `${names.word(one.target)} = ${one.value}`
    case 'refLoad':
      return `${one.register} = ${names.wordBehind(one.ref, one.word)}`
    case 'refStore':
      return `${names.wordBehind(one.ref, one.word)} = ${one.value}`
    case 'fork':
      return `fork ${one.child}`
    case 'exit':
      return 'exit'
    case 'waitpid':
      return `waitpid ${one.process}`
    case 'unmap':
    case 'dontneed':
    case 'pageout':
    case 'reclaim':
    case 'unmerge':
      return `${one.kind} ${names.page(one.page)}`
    case 'mprotect':
      return `mprotect ${names.page(one.page)} ${one.writable ? 'read-write' : 'read'}`
    case 'merge':
      return `merge ${names.page(one.page)} with ${one.owner === undefined ? '' : `${one.owner}.`}${names.page(one.other)}`
    case 'clearRefs':
      return 'clear_refs'
    case 'pin': {
      const options = [
        one.access,
        one.type,
        ...(one.longterm ? ['longterm'] : []),
        ...(one.fast ? ['fast'] : []),
      ]
      return `pin ${one.ref} = ${names.page(one.page)} for ${options.join(', ')}`
    }
    case 'release':
      return `release ${one.ref}`
    case 'signal':
    case 'wait':
      return `${one.kind} ${one.name}`
  }
}

/** From the loosest to the tightest. */
const BINDING = ['or', 'and', 'not', 'compare'] as const

class ExpressionPrinter {
  private readonly names: Names

  constructor(names: Names) {
    this.names = names
  }

  /** In parentheses if the expression binds looser than its place demands. */
  print(expression: Expression, place: Expression['kind']): string {
    const text = this.bare(expression)
    return BINDING.indexOf(expression.kind) < BINDING.indexOf(place) ? `(${text})` : text
  }

  private bare(expression: Expression): string {
    switch (expression.kind) {
      // Both group to the left, so that only the right side needs parentheses around its own kind.
      case 'or':
        return `${this.print(expression.left, 'or')} or ${this.print(expression.right, 'and')}`
      case 'and':
        return `${this.print(expression.left, 'and')} and ${this.print(expression.right, 'not')}`
      case 'not':
        return `not ${this.print(expression.operand, 'not')}`
      case 'compare':
        return `${this.term(expression.term)} ${expression.equal ? '==' : '!='} ${expression.value}`
    }
  }

  private term(term: Term): string {
    switch (term.kind) {
      case 'register':
        return `${term.process}.${term.register}`
      case 'memory':
        return `${term.process}.${this.names.word(term.target)}`
      case 'reference':
        return `${term.process}.${this.names.wordBehind(term.ref, term.word)}`
    }
  }
}

function expectation({ designs, verdict, conditions, reason }: Expectation): string {
  const outcomes = [verdict, conditions].filter((word) => word !== undefined)
  const text = reason === undefined ? '' : ` "${reason.replace(/["\\]/g, '\\$&')}"`
  return `expect ${designs.map((design) => design.name).join(', ')}: ${outcomes.join(', ')}${text}`
}

/** How the pages and words of a test are called: by the page alone if it has one word, else `page.word`. */
interface Names {
  page(index: number): string
  word(target: WordRef): string
  wordBehind(ref: string, word: number): string
}

function namesOf(test: Litmus): Names {
  const pinned = new Map<string, number>()
  for (const { threads } of test.processes) {
    for (const { statements } of threads) {
      for (const one of statements) if (one.kind === 'pin') pinned.set(one.ref, one.page)
    }
  }
  const pageAt = (index: number): Page => {
    const found = test.pages[index]
    if (found === undefined) throw new RangeError(`the test has no page ${index}`)
    return found
  }
  const wordIn = (name: string, { words }: Page, word: number): string =>
    words.length === 1 ? name : `${name}.${words[word]?.name}`
  return {
    page: (index) => pageAt(index).name,
    word: ({ page: index, word }) => wordIn(pageAt(index).name, pageAt(index), word),
    wordBehind: (ref, word) => wordIn(ref, pageAt(pinned.get(ref) ?? -1), word),
  }
}
