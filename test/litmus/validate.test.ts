// What is said about names that stand for nothing, or for the wrong thing.

import { describe, expect, it } from 'vitest'
import { ACTORS } from '../../src/litmus/ast.ts'
import { LitmusError, renderDiagnostic } from '../../src/litmus/diagnostic.ts'
import { LIMITS } from '../../src/litmus/limits.ts'
import { parse } from '../../src/litmus/parse.ts'
import { rejected } from './rejected.ts'

/** One complaint for each, as `message | hint`. */
function complaints(source: string): string[] {
  try {
    parse(source)
  } catch (error) {
    if (!(error instanceof LitmusError)) throw error
    return error.diagnostics.map(({ message, hint }) => `${message} | ${hint}`)
  }
  return []
}

function warnings(source: string): string[] {
  return parse(source).warnings.map((warning) => renderDiagnostic(warning, source, 't.litmus'))
}

/** Two processes, the second a child of the first; three pages, two of which share the name of a word. */
function family({
  parent = '',
  child = '',
  end = '',
}: {
  parent?: string
  child?: string
  end?: string
}): string {
  return `test t
page x = 0
page buf: a = 0, b = 0
page box: b = 0, c = 0
process parent { fork child; ${parent} }
process child { ${child} }
${end}`
}

describe('an error in names', () => {
  it('is reported together with all others, in the order of the source', () => {
    expect(
      rejected(`test t
page x = 0
process parent {
  fork child
  y = 1
  release x
}
process child {
  unmap z
}
never child.r0 == 1 and chidl.r1 == 0
`),
    ).toMatchInlineSnapshot(`
      "t.litmus:5:3: error: unknown page, word or reference "y"
        5 |   y = 1
          |   ^ expected "x"
      t.litmus:6:11: error: "x" is a page
        6 |   release x
          |           ^ expected the name that a "pin" gave to a reference
      t.litmus:9:9: error: unknown page "z"
        9 |   unmap z
          |         ^ expected "x"
      t.litmus:11:13: error: process "child" never assigns r0
        11 | never child.r0 == 1 and chidl.r1 == 0
           |             ^^ expected a register that it loads
      t.litmus:11:25: error: unknown process "chidl"
        11 | never child.r0 == 1 and chidl.r1 == 0
           |                         ^^^^^ expected "parent" or "child"; did you mean "child"?"
    `)
  })

  it.each<[string, { parent?: string; child?: string; end?: string }, string]>([
    [
      'a word of two pages',
      { parent: 'b = 1' },
      'several pages have a word "b" | expected "buf.b" or "box.b"',
    ],
    [
      'a page of two words',
      { parent: 'buf = 1' },
      'page "buf" has several words | expected "buf.a" or "buf.b"',
    ],
    ['a missing word', { parent: 'buf.c = 1' }, 'page "buf" has no word "c" | expected "a" or "b"'],
    [
      'a missing page',
      { parent: 'bf.a = 1' },
      'unknown page "bf" | expected "x", "buf" or "box"; did you mean "buf"?',
    ],
    ['three names', { parent: 'buf.a.b = 1' }, 'a word has no parts | expected "page.word"'],
    [
      'foreign memory',
      { parent: 'r0 = child.x' },
      '"child" is a process | expected just "x": a process sees its own memory only',
    ],
    [
      'a part of a page',
      { parent: 'unmap a' },
      '"a" is a word of page "buf" | expected the page: "unmap" works on a whole page; did you mean "buf"?',
    ],
    [
      'a part of a page, in full',
      { parent: 'pin p = buf.a for read, get' },
      '"buf.a" is a word of page "buf" | expected the page: "pin" works on a whole page; did you mean "buf"?',
    ],
    [
      'a page of a process',
      { parent: 'unmap child.x' },
      '"child" is a process | expected just "x": a page has the same name in every process',
    ],
    [
      'a part of no page',
      { parent: 'dontneed bf.a' },
      'unknown page "bf" | expected "x", "buf" or "box"; did you mean "buf"?',
    ],
    [
      'a word to page out',
      { parent: 'pageout buf.a' },
      '"buf.a" is a word of page "buf" | expected the page: "pageout" works on a whole page; did you mean "buf"?',
    ],
    [
      'no page to reclaim',
      { parent: 'reclaim bux' },
      'unknown page "bux" | expected "x", "buf" or "box"; did you mean "buf"?',
    ],
    [
      'a reference to reclaim',
      { parent: 'pin p = x for read, get; reclaim p' },
      '"p" is a reference | expected a page',
    ],
    [
      'a page merged with itself',
      { parent: 'merge x with x' },
      'page "x" is merged with itself | expected another page, which the first one is to replace',
    ],
    [
      "a page merged with itself, by its process's name",
      { parent: 'merge x with parent.x' },
      '"parent" is a process | expected just "x": a page has the same name in every process',
    ],
    [
      'another process first',
      { parent: 'merge child.x with x' },
      '"child" is a process | expected just "x": a page has the same name in every process',
    ],
    [
      "a page merged with another process's larger one",
      { parent: 'merge x with child.buf' },
      '"x" has 1 word and "buf" has 2 words | expected two pages of as many words: no others hold the same',
    ],
    [
      "a page merged with another process's word",
      { parent: 'merge box with child.buf.a' },
      '"buf.a" is a word of page "buf" | expected the page: "merge" works on a whole page; did you mean "buf"?',
    ],
    [
      "a page merged with another process's unknown page",
      { parent: 'merge box with child.bux' },
      'unknown page "bux" | expected "x", "buf" or "box"; did you mean "buf"?',
    ],
    [
      'a page merged with that of an unknown process',
      { parent: 'merge box with chid.buf' },
      'unknown process "chid" | expected "parent" or "child"; did you mean "child"?',
    ],
    [
      'a page merged with a larger one',
      { parent: 'merge x with buf' },
      '"x" has 1 word and "buf" has 2 words | expected two pages of as many words: no others hold the same',
    ],
    [
      'a word merged',
      { parent: 'merge box with a' },
      '"a" is a word of page "buf" | expected the page: "merge" works on a whole page; did you mean "buf"?',
    ],
    [
      'a word to unmerge',
      { parent: 'unmerge box.c' },
      '"box.c" is a word of page "box" | expected the page: "unmerge" works on a whole page; did you mean "box"?',
    ],
    [
      'a reference as a page',
      { parent: 'pin p = x for read, get; unmap p' },
      '"p" is a reference | expected a page; a reference ends with "release"',
    ],
    [
      'a page as a reference',
      { parent: 'release x' },
      '"x" is a page | expected the name that a "pin" gave to a reference',
    ],
    ['no reference at all', { parent: 'release p' }, 'unknown reference "p" | this test has none'],
    [
      'an unknown reference',
      { parent: 'pin ref = x for read, get; release fer' },
      'unknown reference "fer" | expected "ref"',
    ],
    [
      'a pin of no page',
      { parent: 'pin p = y for read, get; r0 = p' },
      'unknown page "y" | expected "x", "buf" or "box"',
    ],
    [
      'a store to a read reference',
      { parent: 'pin p = x for read, get; p = 1' },
      '"p" is pinned for read only | expected "for write" at its "pin", in line 5',
    ],
    [
      'a reference of several words',
      { parent: 'pin p = buf for read, get; r0 = p' },
      'reference "p" has several words | expected "p.a" or "p.b"',
    ],
    [
      'a missing word of a reference',
      { parent: 'pin p = buf for read, get; r0 = p.c' },
      'page "buf" has no word "c" | expected "a" or "b"',
    ],
    [
      'a part of a word',
      { parent: 'pin p = buf for read, get; r0 = p.a.b' },
      'a word has no parts | expected "reference.word"',
    ],
    [
      'a reference too early',
      { parent: 'r0 = p; pin p = x for read, get' },
      '"p" is used before it is pinned | expected it after its "pin", in line 5',
    ],
    [
      'a release too early',
      { parent: 'release p; pin p = x for read, get' },
      '"p" is used before it is pinned | expected it after its "pin", in line 5',
    ],
    [
      'a foreign reference',
      { parent: 'pin p = x for read, get', child: 'r0 = p' },
      '"p" belongs to process "parent" | expected a reference of process "child": a reference is used and released by the process that pins it',
    ],
    [
      'a reference pinned twice',
      { parent: 'pin p = x for read, get; pin p = x for read, get' },
      'a reference "p" already exists | it is declared in line 5',
    ],
    [
      'a reference like a page',
      { parent: 'pin x = buf for read, get' },
      '"x" is already a page | expected a name for the reference that no page and no word has',
    ],
    [
      'a reference like a word',
      { parent: 'pin a = buf for read, get' },
      '"a" is already a word | expected a name for the reference that no page and no word has',
    ],
    [
      'a fork of nobody',
      { parent: 'fork chidl' },
      'unknown process "chidl" | expected "parent" or "child"; did you mean "child"?',
    ],
    [
      'two forks',
      { parent: 'fork child' },
      'process "child" is forked twice | it is forked in line 5; expected one fork for each process',
    ],
    [
      'a fork of itself',
      { child: 'fork child' },
      'process "child" forks itself | expected the name of another process',
    ],
    [
      'a fork of the root',
      { child: 'fork parent' },
      '"parent" is the first process | expected another one: the first process runs from the start',
    ],
    [
      'no fork',
      { end: 'process orphan { }' },
      'process "orphan" is never forked | expected "fork orphan" in another process; only the first process, "parent", runs from the start',
    ],
    [
      'a circle of forks',
      { end: 'process a_ { fork b_ }\nprocess b_ { fork c_ }\nprocess c_ { fork a_ }' },
      'processes "a_", "b_" and "c_" fork each other, so none of them ever starts | expected a chain of forks that begins in the first process',
    ],
    [
      'a late exit',
      { child: 'exit; x = 1' },
      '"exit" is followed by more statements | expected it as the last statement of its thread: nothing after it would ever run',
    ],
    [
      'a wait for nobody',
      { parent: 'waitpid nobody' },
      'unknown process "nobody" | expected "parent" or "child"',
    ],
    [
      'a wait for a parent',
      { parent: 'exit', child: 'waitpid parent' },
      '"parent" is no child of "child" | expected a process that this process forks: only a parent can wait for its child',
    ],
    [
      'a wait for the endless',
      { parent: 'waitpid child' },
      'process "child" never exits | expected an "exit" in process "child": without one this waits forever',
    ],
    ['an actor on no page', { end: 'actor kswapd on z' }, 'unknown page "z" | expected "x", "buf" or "box"'],
    [
      'an actor on a word',
      { end: 'actor kswapd on x, buf.a' },
      '"buf.a" is a word of page "buf" | expected the page: "kswapd" works on a whole page; did you mean "buf"?',
    ],
    [
      'an actor on a page twice',
      { end: 'actor ksmd on x, buf, x' },
      'page "x" twice | expected each page once',
    ],
    [
      'an actor on a reference',
      { parent: 'pin p = x for read, get', end: 'actor ksmd on p' },
      '"p" is a reference | expected a page',
    ],
    [
      'an actor on a page of a process',
      { end: 'actor kswapd on child.x' },
      '"child" is a process | expected just "x": a page has the same name in every process',
    ],
    [
      'an actor twice',
      { end: 'actor kswapd on x\nactor kswapd 2 on buf' },
      'an actor "kswapd" already exists | see line 7; expected one "actor kswapd", with all its pages',
    ],
    ['a page twice', { end: 'page x = 1' }, 'a page "x" already exists | it is declared in line 2'],
    ['a word twice', { end: 'page y: d = 0, d = 0' }, 'a word "d" already exists | it is declared in line 7'],
    [
      'a word like a page',
      { end: 'page y: x = 0, d = 0' },
      '"x" is already a page | expected a name that no other page has; see line 2',
    ],
    [
      'a process twice',
      { end: 'process child { }' },
      'a process "child" already exists | it is declared in line 6',
    ],
    [
      'a register unassigned',
      { parent: 'r0 = x; r1 = x', end: 'never parent.r2 == 0' },
      'process "parent" never assigns r2 | expected "r0" or "r1"',
    ],
    [
      'a register of the other',
      { parent: 'r0 = x', end: 'never child.r0 == 0' },
      'process "child" never assigns r0 | expected a register that it loads',
    ],
    [
      'a part of a register',
      { parent: 'r0 = x', end: 'never parent.r0.x == 0' },
      'a register has no parts | expected "=="',
    ],
    [
      'a term without process',
      { parent: 'r0 = x', end: 'never r0 == 0' },
      '"r0" without its process | expected whose it is, such as "parent.r0"',
    ],
    [
      'a term of nobody',
      { end: 'never child_.x == 0' },
      'unknown process "child_" | expected "parent" or "child"; did you mean "child"?',
    ],
    [
      'a term of no word',
      { end: 'never child.y == 0' },
      'unknown page, word or reference "y" | expected "x", "buf", "box", "a", "b" or "c"',
    ],
    [
      'a term of a foreign reference',
      { parent: 'pin p = buf for read, get', end: 'never child.p.a == 0' },
      'process "child" has no reference "p" | expected "parent.p.a"',
    ],
    [
      'holds without condition',
      { end: 'expect v5.7: right, holds' },
      'there is no condition for "holds" | expected a "never", "always" or "sometimes" condition in this test',
    ],
    [
      'a design twice',
      { end: 'expect v1: right\nexpect v2, v1: leak' },
      'design "v1" already has an expectation | see line 7; expected each design once',
    ],
    [
      'all and more',
      { end: 'expect v1, all: right' },
      '"all" is every design | expected "all" alone, or a list of designs without it',
    ],
  ])('%s', (_, parts, expected) => {
    expect(complaints(family(parts))).toEqual([expected])
  })

  it.each([
    [
      'no process',
      'test t\npage x = 0',
      'this test has no process | expected at least one "process <name> { … }"',
    ],
    [
      'no statement',
      'test t\nprocess p {}',
      'this test does nothing | expected at least one statement in a process',
    ],
    [
      'a thread twice',
      'test t\nprocess p { thread a { signal s } thread a { } }',
      'a thread "a" already exists | it is declared in line 2',
    ],
    [
      'a register of two threads',
      'test t\npage x = 0\nprocess p { thread a { r0 = x }\nthread b { r0 = x } }',
      'two threads of process "p" assign r0 | another thread assigns it in line 3; expected a register of its own for each thread',
    ],
    [
      'a thread in a term',
      'test t\npage x = 0\nprocess p { thread a { r0 = x } thread b { } }\nnever p.a.r0 == 1',
      '"a" is a thread | expected "p.r0": registers belong to the process',
    ],
    [
      'a wait before its fork',
      'test t\nprocess p { waitpid c; fork c }\nprocess c { exit }',
      '"c" is not forked yet | expected it after "fork c"',
    ],
  ])('%s', (_, source, expected) => {
    expect(complaints(source)).toEqual([expected])
  })

  it('stands in the order of the source, whenever it is found', () => {
    const source =
      'test t\nprocess p { y = 1 }\nprocess orphan { }\nnever z.r0 == 1\nexpect all: holds, right, leak'
    expect(complaints(source.replace(', leak', '')).map((text) => text.slice(0, 20))).toEqual([
      'unknown page, word o',
      'process "orphan" is ',
      'unknown process "z" ',
    ])
    expect(complaints(source)).toHaveLength(1)
  })

  it('is not repeated a thousand times', () => {
    const conditions = Array.from({ length: 60 }, () => `never ${'p.y == 0 or '.repeat(60)}p.y == 1\n`).join(
      '',
    )
    expect(complaints(`test t\npage x = 0\nprocess p { x = 1 }\n${conditions}`)).toHaveLength(100)
  })
})

describe('what is legal', () => {
  it.each<[string, string]>([
    ['an access after unmap', family({ parent: 'unmap x; x = 1; r0 = x; unmap x' })],
    [
      'a reference that another thread pins',
      'test t\npage x = 0\nprocess p { thread a { r0 = q; release q }\nthread b { pin q = x for read, get } }',
    ],
    ['a register again in its thread', family({ parent: 'r0 = x; r0 = x', child: 'r0 = x' })],
    [
      'a fork in a later process',
      'test t\nprocess p { fork c }\nprocess b { signal s }\nprocess c { fork b }',
    ],
    [
      'a wait in another thread than the fork',
      'test t\nprocess p { thread a { waitpid c } thread b { fork c } }\nprocess c { exit }',
    ],
    ['a merge of what is not equal yet', family({ parent: 'buf.a = 1; merge buf with box; unmerge x' })],
    ['reclaim after unmap', family({ parent: 'unmap x; pageout x; reclaim x; clear_refs' })],
    ['both actors', family({ end: 'actor kswapd 3 on buf; actor ksmd on x' })],
    ['ksmd in one process', 'test t\npage x = 0\npage y = 0\nactor ksmd\nprocess p { x = 1 }'],
    ['a signal that nobody waits for', family({ parent: 'signal s' })],
    [
      'one name for things of different kinds',
      'test t\npage t = 0\nprocess t { thread t { signal t; t = 1; t.t = 2 } }\nnever t.t == 0 or t.t.t == 1',
    ],
    [
      'a page that has a word of its own name',
      'test t\npage x: x = 0, y = 0\nprocess p { x = 1; x.y = 2; unmap x }',
    ],
    [
      'a page that is called by its only word',
      'test t\npage buf: a = 0\nprocess p { a = 1; buf = 1; buf.a = 1 }',
    ],
    [
      'the final content of a reference that outlives its process',
      family({ child: 'pin p = x for read, get; exit', end: 'never child.p == 1' }),
    ],
    ['a test without pages', 'test t\nprocess p { signal s }'],
  ])('%s', (_, source) => {
    expect(warnings(source)).toEqual([])
  })
})

describe('a warning', () => {
  it('is given for a signal that nobody sends', () => {
    expect(warnings(family({ parent: 'signal written', child: 'wait writen' }))).toMatchInlineSnapshot(`
      [
        "t.litmus:6:22: warning: nobody sends "writen"
        6 | process child { wait writen }
          |                      ^^^^^^ this waits forever without a "signal writen"; did you mean "written"?",
      ]
    `)
  })

  it('is given for a use after a release in the same thread', () => {
    expect(warnings(family({ parent: 'pin p = x for read, get; release p\nr0 = p' }))).toMatchInlineSnapshot(`
      [
        "t.litmus:6:6: warning: "p" is used after its release
        6 | r0 = p }
          |      ^ it is released in line 5",
      ]
    `)
  })

  it('is given for an actor that has nothing to do', () => {
    expect(warnings('test t\nactor kswapd\nprocess p { signal s }')).toMatchInlineSnapshot(`
      [
        "t.litmus:2:1: warning: "kswapd" has nothing to reclaim
        2 | actor kswapd
          | ^^^^^^^^^^^^ expected at least one page in this test",
      ]
    `)
    expect(
      warnings('test t\npage x = 0\npage y: a = 0, b = 0\nactor ksmd 2\nprocess p { x = 1 }'),
    ).toMatchInlineSnapshot(`
      [
        "t.litmus:4:1: warning: "ksmd" has nothing to merge
        4 | actor ksmd 2
          | ^^^^^^^^^^^^ expected two pages of as many words, or a page in two processes",
      ]
    `)
  })

  it('is given for a second thread that exits', () => {
    const source = 'test t\nprocess p { thread a { exit } thread b { exit } thread c { } }'
    expect(warnings(source)).toMatchInlineSnapshot(`
      [
        "t.litmus:2:42: warning: process "p" has a second "exit"
        2 | process p { thread a { exit } thread b { exit } thread c { } }
          |                                          ^^^^ expected one in each process: it waits for all other threads, so two wait for each other",
      ]
    `)
  })

  it('is given for the final memory of a process that exits', () => {
    const source = family({ child: 'r0 = x; exit', end: 'never child.x == 1 and child.r0 == 1' })
    expect(warnings(source)).toMatchInlineSnapshot(`
      [
        "t.litmus:7:7: warning: process "child" exits, so this has no final value
        7 | never child.x == 1 and child.r0 == 1
          |       ^^^^^^^ expected a register of it, or the memory of a process without "exit": memory ends with its process",
      ]
    `)
  })
})

describe('a limit', () => {
  const many = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n')

  /** A test that is large in one way only. */
  const large: Record<keyof typeof LIMITS, (size: number) => string> = {
    source: (size) => 'test t\nprocess p { signal s }\n#'.padEnd(size, '#'),
    processes: (size) =>
      `test t\nprocess p0 { ${many(size - 1, (i) => `fork p${i + 1};`)} signal s }\n${many(size - 1, (i) => `process p${i + 1} { }`)}`,
    threads: (size) =>
      `test t\nprocess p { thread t { signal s }\n${many(size - 1, (i) => `thread t${i} { }`)} }`,
    pages: (size) => `test t\n${many(size, (i) => `page x${i} = 0`)}\nprocess p { signal s }`,
    words: (size) =>
      `test t\nzero page x: ${many(size, (i) => `w${i}`).replaceAll('\n', ', ')}\nprocess p { signal s }`,
    actors: (size) =>
      `test t\npage x = 0\nprocess p { fork q }\nprocess q { }\n${many(size, (i) => `actor ${ACTORS[i % ACTORS.length]}`)}`,
    times: (size) => `test t\npage x = 0\nactor kswapd ${size}\nprocess p { x = 1 }`,
    statements: (size) => `test t\nprocess p {\n${many(size, () => 'signal s')}\n}`,
    references: (size) =>
      `test t\npage x = 0\nprocess p {\n${many(size, (i) => `pin p${i} = x for read, get`)}\n}`,
    signals: (size) => `test t\nprocess p {\n${many(size, (i) => `signal s${i}`)}\n}`,
    claims: (size) =>
      `test t\npage x = 0\nprocess p { x = 1 }\n${many(size, (i) => (i % 2 ? 'never p.x == 0' : `expect v${i}: right`))}`,
    designs: (size) =>
      `test t\nprocess p { signal s }\nexpect ${many(size, (i) => `v${i}`).replaceAll('\n', ', ')}: right`,
    comparisons: (size) =>
      `test t\npage x = 0\nprocess p { x = 1 }\nnever ${'p.x == 0 and '.repeat(size - 1)}p.x == 1`,
    nesting: (size) =>
      `test t\npage x = 0\nprocess p { x = 1 }\nnever ${'('.repeat(size - 1)}p.x == 1${')'.repeat(size - 1)}`,
  }

  it.each(Object.keys(LIMITS) as (keyof typeof LIMITS)[])(
    'of %s can be reached, and not exceeded',
    (name) => {
      expect(complaints(large[name](LIMITS[name]))).toEqual([])
      const beyond = complaints(large[name](LIMITS[name] + 1))
      expect(beyond).toHaveLength(1)
      expect(beyond[0]).toContain(`expected at most ${LIMITS[name]}`)
    },
  )

  it('is pointed at where it is exceeded', () => {
    expect(rejected(large.statements(LIMITS.statements + 1))).toMatchInlineSnapshot(`
      "t.litmus:67:1: error: more than 64 statements in one thread
        67 | signal s
           | ^^^^^^^^ expected at most 64"
    `)
    expect(rejected(large.nesting(LIMITS.nesting + 1))).toMatchInlineSnapshot(`
      "t.litmus:4:39: error: a condition nested too deeply
        4 | never ((((((((((((((((((((((((((((((((p.x == 1))))))))))))))))))))))))))))))))
          |                                       ^^^ expected at most 32 levels"
    `)
  })
})
