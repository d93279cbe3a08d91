// What a source means, and what is said about the first thing in it that means nothing.

import { describe, expect, it } from 'vitest'
import { parse } from '../../src/litmus/parse.ts'
import { rejected } from './rejected.ts'

const VMSPLICE = `# CVE-2020-29374: a child that keeps a read-only reference sees the parent's later write.
test vmsplice-child

page x = 0
page buf: a = 0, b = 3
zero page z

process parent {
  fork child
  wait unmapped
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
expect v5.7: missed-cow, violated "the reuse rule does not count the pipe's reference"
expect v5.8, v5.9: right, holds
`

/** A statement in a process that has pages, a child, references and registers to speak about. */
function statement(text: string): unknown {
  const { test } = parse(`test t
page x = 0
page buf: a = 0, b = 0
page y = 0
process p {
  pin w = x for write, pin
  pin many = buf for write, get
  ${text}
  fork c
  waitpid c
}
process c { exit }
`)
  return withoutSpans(test.processes[0]!.threads[0]!.statements[2])
}

function condition(text: string) {
  const { test } = parse(`test t
page x = 0
page buf: a = 0, b = 0
process p { r0 = x; pin q = buf for read, get }
never ${text}
`)
  return test.conditions[0]!
}

function withoutSpans(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === 'span' ? undefined : inner)))
}

describe('a test', () => {
  const { test, warnings } = parse(VMSPLICE)

  it('has the parts that its file lists', () => {
    expect(test.name).toBe('vmsplice-child')
    expect(test.description).toBe(
      "CVE-2020-29374: a child that keeps a read-only reference sees the parent's later write.",
    )
    expect(test.source).toBe(VMSPLICE)
    expect(withoutSpans(test.pages)).toEqual([
      { name: 'x', words: [{ name: 'x', initial: 0 }], untouched: false },
      {
        name: 'buf',
        words: [
          { name: 'a', initial: 0 },
          { name: 'b', initial: 3 },
        ],
        untouched: false,
      },
      { name: 'z', words: [{ name: 'z', initial: 0 }], untouched: true },
    ])
    expect(test.processes.map(({ name, parent }) => [name, parent])).toEqual([
      ['parent', undefined],
      ['child', 'parent'],
    ])
    expect(test.signals).toEqual(['unmapped', 'written'])
    expect(warnings).toEqual([])
  })

  it('has conditions and expectations', () => {
    expect(withoutSpans(test.conditions)).toEqual([
      {
        quantifier: 'never',
        expression: {
          kind: 'compare',
          term: { kind: 'register', process: 'child', register: 'r0' },
          equal: true,
          value: 1,
        },
        text: 'child.r0 == 1',
      },
    ])
    expect(withoutSpans(test.expectations)).toEqual([
      {
        designs: [{ name: 'v5.7' }],
        verdict: 'missed-cow',
        conditions: 'violated',
        reason: "the reuse rule does not count the pipe's reference",
      },
      { designs: [{ name: 'v5.8' }, { name: 'v5.9' }], verdict: 'right', conditions: 'holds' },
    ])
  })

  it('knows where each of its parts stands in the source', () => {
    const at = ({ start, end }: { start: number; end: number }) => VMSPLICE.slice(start, end)
    expect(test.pages.map(({ span }) => at(span))).toEqual([
      'page x = 0',
      'page buf: a = 0, b = 3',
      'zero page z',
    ])
    expect(
      test.processes.flatMap(({ threads }) => threads[0]!.statements.map(({ span }) => at(span))),
    ).toEqual([
      'fork child',
      'wait unmapped',
      'x = 1',
      'signal written',
      'pin p = x for read, get',
      'unmap x',
      'signal unmapped',
      'wait written',
      'r0 = p',
    ])
    expect(at(test.processes[1]!.span)).toMatch(/^process child \{[\s\S]*r0 = p\n\}$/)
    expect(at(test.conditions[0]!.span)).toBe('never child.r0 == 1')
    expect(at(test.expectations[1]!.span)).toBe('expect v5.8, v5.9: right, holds')
    expect(test.expectations[1]!.designs.map(({ span }) => at(span))).toEqual(['v5.8', 'v5.9'])
  })

  it.each([
    ['Windows line breaks', VMSPLICE.replaceAll('\n', '\r\n')],
    ['old Macintosh line breaks', VMSPLICE.replaceAll('\n', '\r')],
    ['a byte order mark', `\ufeff${VMSPLICE}`],
    ['tabs', VMSPLICE.replaceAll('  ', '\t')],
    ['a comment after each line', VMSPLICE.replaceAll('\n', ' # 漢字 "\n').replace(/(# CVE.*) # .*/, '$1')],
    ['no line break at its end', VMSPLICE.trimEnd()],
    ['declarations in another order', VMSPLICE.replace(/(page x = 0)([\s\S]*)(never.*\n)/, '$3$2$1\n')],
  ])('means the same with %s', (_, source) => {
    const { source: _source, ...parts } = parse(source).test
    const { source: _expected, ...expected } = test
    const byName = (value: unknown) => withoutSpans(value) as typeof expected
    const sorted = (pages: typeof expected.pages) => pages.map(({ name }) => name).sort()
    expect({ ...byName(parts), pages: sorted(parts.pages), processes: 0 }).toEqual({
      ...byName(expected),
      pages: sorted(expected.pages),
      processes: 0,
    })
    expect(parts.processes.map(({ threads }) => threads[0]!.statements.map(({ kind }) => kind))).toEqual(
      expected.processes.map(({ threads }) => threads[0]!.statements.map(({ kind }) => kind)),
    )
  })

  it('takes the comments above it as its description, and no others', () => {
    const source = '#one\n\n#  two  \n#\n# three\ntest t # four\n# five\nprocess p { signal s }'
    expect(parse(source).test.description).toBe('one\n two\n\nthree')
    expect(parse('test t\nprocess p { signal s }').test.description).toBe('')
  })

  it('names threads after their process, and after themselves where there are several', () => {
    const { test } = parse(
      'test t\nprocess p { thread a { fork q } thread b { signal s } }\nprocess q { thread c {} }',
    )
    expect(test.processes.map(({ threads }) => threads.map(({ name }) => name))).toEqual([
      ['p.a', 'p.b'],
      ['q'],
    ])
  })

  it('may have names that objects have by birth', () => {
    const { test } = parse(`test constructor
page __proto__ = 1
page toString: hasOwnProperty = 1, valueOf = 2
process constructor {
  r0 = hasOwnProperty
  pin prototype = __proto__ for read, get
  signal __proto__
}
never constructor.__proto__ == 2 and constructor.prototype == 1`)
    expect(test.conditions[0]!.expression).toMatchObject({ left: { term: { target: { page: 0, word: 0 } } } })
    expect(() => parse('test t\nprocess p { r0 = constructor }')).toThrow('unknown page')
  })
})

describe('a statement', () => {
  const buf = (word: number) => ({ page: 1, word })

  it.each([
    ['x = 1', { kind: 'store', target: { page: 0, word: 0 }, value: 1 }],
    ['x.x = 9', { kind: 'store', target: { page: 0, word: 0 }, value: 9 }],
    ['buf.b = 0', { kind: 'store', target: buf(1), value: 0 }],
    ['b=2', { kind: 'store', target: buf(1), value: 2 }],
    ['r0 = x', { kind: 'load', register: 'r0', target: { page: 0, word: 0 } }],
    ['r12 = buf.a', { kind: 'load', register: 'r12', target: buf(0) }],
    ['r0 = w', { kind: 'refLoad', register: 'r0', ref: 'w', word: 0 }],
    ['r0 = w.x', { kind: 'refLoad', register: 'r0', ref: 'w', word: 0 }],
    ['r0 = many.b', { kind: 'refLoad', register: 'r0', ref: 'many', word: 1 }],
    ['w = 4', { kind: 'refStore', ref: 'w', word: 0, value: 4 }],
    ['many.b = 4', { kind: 'refStore', ref: 'many', word: 1, value: 4 }],
    ['release w', { kind: 'release', ref: 'w' }],
    ['unmap buf', { kind: 'unmap', page: 1 }],
    ['dontneed x', { kind: 'dontneed', page: 0 }],
    ['mprotect x read', { kind: 'mprotect', page: 0, writable: false }],
    ['mprotect x read-write', { kind: 'mprotect', page: 0, writable: true }],
    ['pageout x', { kind: 'pageout', page: 0 }],
    ['reclaim buf', { kind: 'reclaim', page: 1 }],
    ['merge x with y', { kind: 'merge', page: 0, other: 2 }],
    ['merge y with x', { kind: 'merge', page: 2, other: 0 }],
    ['merge x with c.y', { kind: 'merge', page: 0, other: 2, owner: 'c' }],
    ['merge x with c.x', { kind: 'merge', page: 0, other: 0, owner: 'c' }],
    ['unmerge y', { kind: 'unmerge', page: 2 }],
    ['clear_refs', { kind: 'clearRefs' }],
    ['signal s', { kind: 'signal', name: 's' }],
    ['wait s', { kind: 'wait', name: 's' }],
    [
      'pin p = x for read, get',
      { kind: 'pin', ref: 'p', page: 0, access: 'read', type: 'get', longterm: false, fast: false },
    ],
    [
      'pin p = buf for fast, longterm, pin, write',
      { kind: 'pin', ref: 'p', page: 1, access: 'write', type: 'pin', longterm: true, fast: true },
    ],
  ])('%s', (text, expected) => {
    expect(statement(text)).toEqual(expected)
  })

  it('may be fork, waitpid or exit', () => {
    const { test } = parse('test t\nprocess p { fork c; waitpid c; exit }\nprocess c { exit }')
    expect(withoutSpans(test.processes[0]!.threads[0]!.statements)).toEqual([
      { kind: 'fork', child: 'c' },
      { kind: 'waitpid', process: 'c' },
      { kind: 'exit' },
    ])
  })
})

describe('an actor', () => {
  const actors = (text: string): unknown =>
    withoutSpans(
      parse(`test t\npage x = 0\n${text}\npage buf: a = 0, b = 0\nzero page z\nprocess p { x = 1 }`).test
        .actors,
    )

  it.each([
    ['actor kswapd', [{ kind: 'kswapd', times: 1, pages: [0, 1, 2] }]],
    ['actor kswapd 1', [{ kind: 'kswapd', times: 1, pages: [0, 1, 2] }]],
    ['actor ksmd 3', [{ kind: 'ksmd', times: 3, pages: [0, 1, 2] }]],
    ['actor kswapd on buf', [{ kind: 'kswapd', times: 1, pages: [1] }]],
    ['actor ksmd 2 on z, x', [{ kind: 'ksmd', times: 2, pages: [0, 2] }]],
    [
      'actor ksmd on x,z; actor kswapd',
      [
        { kind: 'ksmd', times: 1, pages: [0, 2] },
        { kind: 'kswapd', times: 1, pages: [0, 1, 2] },
      ],
    ],
    ['', []],
  ])('%s', (text, expected) => {
    expect(actors(text)).toEqual(expected)
  })

  it('knows where it stands in the source', () => {
    const source = 'test t\npage x = 0\nactor kswapd 2 on x # why\nprocess p { x = 1 }'
    const { start, end } = parse(source).test.actors[0]!.span
    expect(source.slice(start, end)).toBe('actor kswapd 2 on x')
  })
})

describe('a condition', () => {
  const shape = (text: string): string => {
    const show = (expression: ReturnType<typeof condition>['expression']): string => {
      if (expression.kind === 'compare') return `${expression.equal ? '' : '!'}${expression.value}`
      if (expression.kind === 'not') return `not(${show(expression.operand)})`
      return `${expression.kind}(${show(expression.left)},${show(expression.right)})`
    }
    return show(condition(text.replace(/[0-9]/g, 'p.r0 == $&').replaceAll('!p.r0 ==', 'p.r0 !=')).expression)
  }

  it.each([
    ['1', '1'],
    ['!1', '!1'],
    ['1 or 2 or 3', 'or(or(1,2),3)'],
    ['1 or (2 or 3)', 'or(1,or(2,3))'],
    ['1 and 2 or 3 and 4', 'or(and(1,2),and(3,4))'],
    ['1 and (2 or 3) and 4', 'and(and(1,or(2,3)),4)'],
    ['not 1 and 2', 'and(not(1),2)'],
    ['not (1 and not not 2)', 'not(and(1,not(not(2))))'],
    ['((((1))))', '1'],
  ])('%s groups as %s', (text, expected) => {
    expect(shape(text)).toBe(expected)
  })

  it.each([
    ['p.r0', { kind: 'register', process: 'p', register: 'r0' }],
    ['p.x', { kind: 'memory', process: 'p', target: { page: 0, word: 0 } }],
    ['p.b', { kind: 'memory', process: 'p', target: { page: 1, word: 1 } }],
    ['p.buf.b', { kind: 'memory', process: 'p', target: { page: 1, word: 1 } }],
    ['p.q.b', { kind: 'reference', process: 'p', ref: 'q', word: 1 }],
  ])('speaks about %s', (text, term) => {
    expect(condition(`${text} == 0`).expression).toEqual({ kind: 'compare', equal: true, value: 0, term })
  })

  it('keeps its text with single spaces', () => {
    expect(condition(' (p.r0==1\t  or  p.x != 0)   # why').text).toBe('(p.r0==1 or p.x != 0)')
  })
})

describe('an expectation', () => {
  const expectation = (text: string) => {
    const { test } = parse(`test t\npage x = 0\nprocess p { r0 = x }\nalways p.r0 == 0\n${text}`)
    const { designs, verdict, conditions, reason } = test.expectations[0]!
    return [designs.map(({ name }) => name), verdict, conditions, reason]
  }

  it.each([
    ['expect all: right', [['all'], 'right', undefined, undefined]],
    ['expect v5.7: holds', [['v5.7'], undefined, 'holds', undefined]],
    [
      'expect a,b_c , 6.1-rc1:violated,lost-write',
      [['a', 'b_c', '6.1-rc1'], 'lost-write', 'violated', undefined],
    ],
    ['expect a: deadlock "say \\"no\\" \\\\"', [['a'], 'deadlock', undefined, 'say "no" \\']],
    ['expect a: right "# no comment; one text"', [['a'], 'right', undefined, '# no comment; one text']],
  ])('%s', (text, expected) => {
    expect(expectation(text)).toEqual(expected)
  })
})

describe('a syntax error', () => {
  const inProcess = (text: string) => rejected(`test t\npage x = 0\nprocess p {\n${text}\n}`)
  const afterProcess = (text: string) => rejected(`test t\npage x = 0\nprocess p { r0 = x }\n${text}`)

  it('names the line, the characters, what was expected and what was meant', () => {
    expect(
      rejected('test a\n\npage x = 0\n\nprocess p {\n  x = 1\n  frok child\n}', 'suite/foo.litmus'),
    ).toMatchInlineSnapshot(`
        "suite/foo.litmus:7:3: error: unknown word "frok"
          7 |   frok child
            |   ^^^^ expected a statement; did you mean "fork"?"
      `)
  })

  // Each: what is wrong, the whole source, the message without its file name, the hint.
  it.each([
    ['an empty file', '', '1:1: error: this file has no test', 'expected "test <name>"'],
    ['only comments', '# a\n# b', '2:4: error: this file has no test', 'expected "test <name>"'],
    [
      'a misspelled first word',
      'tset a',
      '1:1: error: unknown word "tset"',
      '"test <name>" first; did you mean "test"?',
    ],
    ['no test line', 'process p {}', '1:1: error: unexpected "process"', 'expected "test <name>" first'],
    ['no name', 'test\n', '1:5: error: unexpected end of line', 'expected a name for the test'],
    ['a name that is a path', 'test ..', '1:6: error: ".." is no name', 'begins with a letter or digit'],
    ['two names', 'test a b', '1:8: error: unexpected "b"', 'expected the end of the line'],
    ['a second test', 'test a\ntest b', '2:1: error: a second test', 'expected one test in each file'],
    [
      'a stray brace',
      'test a\n}',
      '2:1: error: unexpected "}"',
      'expected a page, actor, process, condition or expectation',
    ],
    [
      'a stray thread',
      'test a\nthread t {}',
      '2:1: error: "thread" outside of a process',
      'inside "process <name>',
    ],
    [
      'a stray statement',
      'test a\nfork b',
      '2:1: error: a statement outside of a process',
      'inside "process <name>',
    ],
    [
      'a stray store',
      'test a\nx = 1',
      '2:1: error: a statement outside of a process',
      'inside "process <name>',
    ],
    ['a page without value', 'test a\npage x', '2:7: error: unexpected end of file', 'is a "zero page"'],
    [
      'a zero page with value',
      'test a\nzero page x = 0',
      '2:13: error: a zero page with a value',
      'expected no value',
    ],
    ['zero without page', 'test a\nzero x', '2:6: error: unexpected "x"', 'expected "page" after "zero"'],
    [
      'a large value',
      'test a\npage x = 10',
      '2:10: error: "10" is no value',
      'expected a value: one digit, 0 to 9',
    ],
    ['an open block', 'test a\nprocess p {\n', '2:11: error: this block is never closed', 'expected a "}"'],
    ['no block', 'test a\nprocess p\nx = 1', '3:1: error: unexpected "x"', 'expected "{"'],
    [
      'a register as name',
      'test a\npage r0 = 1',
      '2:6: error: "r0" is a register',
      '"r" and a number is always',
    ],
    [
      'a keyword as name',
      'test a\npage wait = 1',
      '2:6: error: "wait" is a word of the language',
      'another name',
    ],
    [
      'a number as name',
      'test a\npage 0x = 1',
      '2:6: error: "0x" is no name',
      'a name is letters, digits and "_"',
    ],
    [
      'a dotted name',
      'test a\nprocess p.q {}',
      '2:9: error: "p.q" is no name',
      'a name is letters, digits and "_"',
    ],
    [
      'mixed threads',
      'test a\nprocess p { exit; thread t {} }',
      '2:19: error: process "p" mixes statements and threads',
      'either',
    ],
    [
      'nested threads',
      'test a\nprocess p { thread t { thread u {} } }',
      '2:24: error: a thread inside a thread',
      'a statement',
    ],
  ])('%s', (_, source, message, hint) => {
    const text = rejected(source)
    expect(text.split('\n')[0]).toBe(`t.litmus:${message}`)
    expect(text).toContain(hint)
    expect(text.split('\n')).toHaveLength(3)
  })

  it.each([
    ['x = 01', 'error: "01" is no value', '0 to 9'],
    ['x = -1', 'error: "-1" is no value', '0 to 9'],
    ['x = 1.5', 'error: "1.5" is no value', '0 to 9'],
    ['x =', 'error: unexpected end of line', 'a value: one digit, 0 to 9'],
    ['x = y', 'error: "y" is no value', 'a store writes a constant'],
    ['x == 1', 'error: a comparison in a process', 'written with one "="'],
    ['x = 1 2', 'error: unexpected "2"', 'expected the end of the line'],
    ['x..a = 1', 'error: "x..a" lacks a name beside a "."', 'a name is letters'],
    ['.x = 1', 'error: ".x" lacks a name beside a "."', 'a name is letters'],
    ['x.1 = 1', 'error: "1" is no name', 'begins with no digit'],
    ['fork = 1', 'error: "fork" is a word of the language', 'expected another name'],
    ['r0 = 1', 'error: a value in a register', 'a register takes what a load reads'],
    ['r0 =', 'error: unexpected end of line', 'a word or a reference to load from'],
    ['fork', 'error: unexpected end of line', 'expected the name of a process'],
    ['exit 0', 'error: unexpected "0"', 'expected the end of the line'],
    ['process q {', 'error: "process" inside a block', '"}" to close the block that begins in line 3'],
    ['Fork q', 'error: unknown word "Fork"', 'did you mean "fork"?'],
    ['munmap x', 'error: unknown word "munmap"', 'did you mean "unmap"?'],
    ['MADV_DONTNEED x', 'error: unknown word "MADV_DONTNEED"', 'did you mean "dontneed"?'],
    ['put_page p', 'error: unknown word "put_page"', 'did you mean "release"?'],
    ['qqqqqqqqq x', 'error: unknown word "qqqqqqqqq"', 'expected a statement'],
    ['mprotect x', 'error: unexpected end of line', 'expected "read" or "read-write"'],
    ['mprotect x readwrite', 'error: unknown word "readwrite"', 'did you mean "read-write"?'],
    ['mprotect x none', 'error: unknown word "none"', 'expected "read" or "read-write"'],
    ['pageout', 'error: unexpected end of line', 'expected the name of a page'],
    ['pageout r0', 'error: "r0" is a register', 'expected the name of a page: "r" and a number is always'],
    ['pageout x y', 'error: unexpected "y"', 'expected the end of the line'],
    ['page_out x', 'error: unknown word "page_out"', 'did you mean "pageout"?'],
    ['MADV_PAGEOUT x', 'error: unknown word "MADV_PAGEOUT"', 'did you mean "pageout"?'],
    ['swapout x', 'error: unknown word "swapout"', 'did you mean "pageout"?'],
    ['reclaim "x"', 'error: unexpected text "x"', 'expected the name of a page'],
    ['reclaim x..a', 'error: "x..a" lacks a name beside a "."', 'a name is letters'],
    ['merge', 'error: unexpected end of line', 'expected the name of a page'],
    ['merge x', 'error: unexpected end of line', 'expected "with" and another page after "x"'],
    ['merge x y', 'error: unexpected "y"', 'expected "with" and another page after "x"'],
    ['merge x, y', 'error: unexpected ","', 'expected "with" and another page after "x"'],
    ['merge buf.a and y', 'error: unexpected "and"', 'expected "with" and another page after "buf.a"'],
    ['merge x with', 'error: unexpected end of line', 'expected the name of another page'],
    ['merge x with y, z', 'error: unexpected ","', 'expected the end of the line'],
    ['unmerge x with y', 'error: unexpected "with"', 'expected the end of the line'],
    ['clear_refs x', 'error: unexpected "x"', '"clear_refs" is about all pages of its process'],
    ['clear_refs 4', 'error: unexpected "4"', 'expected the end of the line'],
    ['clearrefs', 'error: unknown word "clearrefs"', 'did you mean "clear_refs"?'],
    ['kswapd x', 'error: unexpected "kswapd"', 'did you mean "reclaim"?'],
    ['ksmd x with y', 'error: unexpected "ksmd"', 'did you mean "merge"?'],
    [
      'actor kswapd',
      'error: "actor" inside a block',
      'expected a statement, or "}" to close the block that begins in line 3',
    ],
    ['on = 1', 'error: "on" is a word of the language', 'expected another name'],
    ['pin p x', 'error: unexpected "x"', 'expected "= <page>" after "p"'],
    ['pin p = x', 'error: unexpected end of line', 'expected "for" and "read"'],
    ['pin p = x for', 'error: unexpected end of line', 'expected "read", "write"'],
    [
      'pin p = x for read',
      'error: a reference without kind',
      'expected "get" (FOLL_GET) or "pin" (FOLL_PIN)',
    ],
    ['pin p = x for get, fast', 'error: a reference without access', 'expected "read" or "write"'],
    ['pin p = x for read, get,', 'error: unexpected end of line', 'expected "read", "write"'],
    ['pin p = x for read, write, get', 'error: "write" besides "read"', '"read" or "write", not both'],
    ['pin p = x for pin, get, read', 'error: "get" besides "pin"', '"get" or "pin", not both'],
    ['pin p = x for read, get, fast, fast', 'error: "fast" twice', 'each option once'],
    ['pin p = x for read, get, get', 'error: "get" twice', 'each option once'],
    ['pin p = x for read, FOLL_PIN', 'error: unknown word "FOLL_PIN"', 'did you mean "pin"?'],
    ['pin p = x for read get', 'error: unexpected "get"', 'expected "," and another option'],
  ])('in a process: %s', (text, message, hint) => {
    const lines = inProcess(text).split('\n')
    expect(lines[0]).toContain(message)
    expect(lines[2]).toContain(hint)
    expect(lines).toHaveLength(3)
  })

  it.each([
    ['never', 'error: unexpected end of file', 'a comparison such as "child.r0 == 1"'],
    ['never p.r0', 'error: unexpected end of file', 'expected "==" or "!="'],
    ['never p.r0 = 1', 'error: one "=" in a condition', 'expected "==" or "!="'],
    ['never p.r0 < 1', 'error: unexpected character "<"', 'expected "==" or "!="'],
    ['never p.r0 == p.x', 'error: "p.x" is no value', '0 to 9'],
    ['never 1 == p.r0', 'error: a comparison that begins with a value', 'such as "child.r0 == 1"'],
    ['never p.r0 == 1 p.x == 0', 'error: unexpected "p.x"', 'expected "and", "or" or the end of the line'],
    ['never p.r0 == 1 && p.x == 0', 'error: unexpected character "&"', 'expected "and"'],
    ['never !p.r0 == 1', 'error: unexpected character "!"', 'expected "!=" or "not"'],
    ['never (p.r0 == 1', 'error: unexpected end of file', 'expected "and", "or" or ")"'],
    ['never p.r0 == 1)', 'error: unexpected ")"', 'expected "and", "or" or the end of the line'],
    ['actor', 'error: unexpected end of file', 'expected "kswapd" or "ksmd"'],
    ['actor kswpd', 'error: unknown word "kswpd"', 'expected "kswapd" or "ksmd"; did you mean "kswapd"?'],
    ['actor ksm', 'error: unknown word "ksm"', 'did you mean "ksmd"?'],
    ['actor khugepaged', 'error: unknown word "khugepaged"', 'expected "kswapd" or "ksmd"'],
    ['actor process', 'error: unexpected "process"', 'expected "kswapd" or "ksmd"'],
    ['actor kswapd 9', 'error: "9" is too often', 'expected at most 3 times'],
    ['actor kswapd 0', 'error: "0" is no number of times', 'expected 1 to 3'],
    ['actor kswapd 1.5', 'error: "1.5" is no number of times', 'expected 1 to 3'],
    [
      'actor kswapd x',
      'error: unexpected "x"',
      'expected a number of times (1 to 3), "on" and pages, or the end of the line',
    ],
    ['actor ksmd 2 x', 'error: unexpected "x"', 'expected "on" and pages, or the end of the line'],
    ['actor ksmd on', 'error: unexpected end of file', 'expected the name of a page'],
    ['actor ksmd on 2', 'error: "2" is no name', 'a name is letters, digits and "_"'],
    ['actor kswapd on x y', 'error: unexpected "y"', 'expected "," and another page, or the end of the line'],
    ['actor kswapd on x,', 'error: unexpected end of file', 'expected the name of a page'],
    ['actor ksmd on x with y', 'error: unexpected "with"', 'expected "," and another page'],
    [
      'actor kswapd on x 2',
      'error: a number after the pages',
      'expected how often it acts before the pages: "actor kswapd 2 on …"',
    ],
    ['kswapd 2', 'error: "kswapd" alone', 'expected "actor kswapd"'],
    ['actr kswapd', 'error: unknown word "actr"', 'did you mean "actor"?'],
    ['reclaim x', 'error: a statement outside of a process', 'expected it inside "process'],
    ['page ksmd = 0', 'error: "ksmd" is a word of the language', 'expected another name'],
    ['newer p.r0 == 1', 'error: unknown word "newer"', 'did you mean "never"?'],
    ['expect v5.7', 'error: unexpected end of file', '":" and what is expected'],
    ['expect : right', 'error: unexpected ":"', 'expected the name of a design'],
    ['expect v5.7:', 'error: unexpected end of file', 'expected "right"'],
    ['expect v5.7: missed_cow', 'error: unknown word "missed_cow"', 'did you mean "missed-cow"?'],
    ['expect v5.7: right, leak', 'error: "leak" besides "right"', 'expected one verdict or failure'],
    ['expect v5.7: holds, violated', 'error: "violated" besides "holds"', 'one of "holds" and "violated"'],
    ['expect v5.7: "why"', 'error: unexpected text "why"', 'expected "right"'],
    ['expect v5.7: right why', 'error: unexpected "why"', 'a reason in double quotes'],
    ['expect v5.7: right “why”', 'error: unexpected character "“"', 'plain double quotes'],
    ['expect v5.7: right "why', 'error: this string never ends', 'expected a closing "'],
    ['expect v5.7: right "why\nnot"', 'error: this string never ends', 'expected a closing "'],
    [
      'expect v5.7: right "\\n"',
      'error: a backslash that escapes nothing',
      'a backslash itself is written \\\\',
    ],
    [
      'expect v5.7: right "\\',
      'error: a backslash that escapes nothing',
      'a backslash itself is written \\\\',
    ],
    ['expect v5.7: right "\x1b[31m"', 'error: unexpected character "\\x1b"', 'expected printable text'],
    [
      '# a comment that turns around: \u202e',
      'error: unexpected character "\\u{202e}"',
      'expected printable text',
    ],
    ['never\u00a0p.r0 == 1', 'error: unexpected character "\\xa0"', 'expected an ordinary space'],
    ['// x', 'error: unexpected character "/"', 'comments start with "#"'],
    ['pagé y = 1', 'error: unexpected character "é"', 'names are made of the letters a to z'],
  ])('after a process: %s', (text, message, hint) => {
    const lines = afterProcess(text).split('\n')
    expect(lines[0]).toContain(message)
    expect(lines[2]).toContain(hint)
    expect(lines).toHaveLength(3)
  })

  it('is the first one in the file, whatever follows', () => {
    expect(rejected('test a\nprocess p {\n  frok b\n  x = “1”\n}\n\0')).toContain(
      ':3:3: error: unknown word "frok"',
    )
  })
})
