// Whatever a file holds, it is a test or it gets one clear message: no stack trace, no hang, no noise.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LitmusError } from '../../src/litmus/diagnostic.ts'
import { parse } from '../../src/litmus/parse.ts'
import { print } from '../../src/litmus/print.ts'
import { tokenize } from '../../src/litmus/token.ts'
import { litmus } from './generate.ts'

/** Parses, and checks what every complaint must be like. Returns how it ended. */
function survives(source: string): 'parsed' | 'rejected' {
  try {
    parse(source, 'f')
    return 'parsed'
  } catch (error) {
    if (!(error instanceof LitmusError)) throw error
    expect(error.diagnostics.length).toBeGreaterThan(0)
    const rows = error.message.split('\n')
    expect(rows).toHaveLength(3 * error.diagnostics.length)
    for (const [index, { span, hint, message }] of error.diagnostics.entries()) {
      expect(span.start).toBeGreaterThanOrEqual(0)
      expect(span.end).toBeGreaterThanOrEqual(span.start)
      expect(span.start).toBeLessThanOrEqual(source.length)
      expect(hint).not.toBe('')
      expect(message).not.toMatch(/undefined|\[object|NaN/)
      expect(hint).not.toMatch(/undefined|\[object|NaN/)
      const [head, excerpt, carets] = rows.slice(3 * index) as [string, string, string]
      expect(head).toMatch(/^f:[0-9]+:[0-9]+: error: ./)
      expect(carets).toMatch(/^ +\| *\^+ ./)
      const marked = source.slice(span.start, span.end)
      if (/^[!-~]{1,30}$/.test(marked) && /^[ -~]*$/.test(excerpt.replaceAll('…', ''))) {
        expect(excerpt.slice(carets.indexOf('^'), carets.indexOf('^') + marked.length)).toBe(marked)
      }
    }
    expect(error.message).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/u)
    return 'rejected'
  }
}

const WORDS =
  `test page zero actor kswapd ksmd on process thread never always sometimes expect fork exit waitpid pin release unmap
dontneed mprotect pageout reclaim merge with unmerge clear_refs signal wait read write read-write get longterm fast for and or not all right missed-cow holds
x y buf.a p p.a child child.r0 parent.x r0 r1 0 1 9 10 v5.7 = == != : , { } ( ) ; "why" " # \\ \n \n \n \t é \0`.split(
    ' ',
  )

describe('any input', () => {
  it('of any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void survives(text)))
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii', maxLength: 200 }),
        (text) => void survives(`test t\n${text}`),
      ),
    )
  })

  it('of the language’s own words', () => {
    const soup = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(soup, (text) => void survives(`test t\n${text}`)),
      { numRuns: 1000 },
    )
    const body = soup.map((text) => `test t\npage x = 0\nprocess p {\n${text}\n}`)
    fc.assert(
      fc.property(body, (text) => void survives(text)),
      { numRuns: 1000 },
    )
  })

  it('that is a test with one mistake', () => {
    const ends = { parsed: 0, rejected: 0 }
    const place = fc.double({ min: 0, max: 1, noNaN: true })
    const mistake = fc.tuple(place, fc.nat(3), fc.constantFrom('', ...WORDS))
    fc.assert(
      fc.property(litmus, mistake, (test, [where, removed, added]) => {
        const source = print(test)
        const at = Math.floor(where * source.length)
        ends[survives(source.slice(0, at) + added + source.slice(at + removed))]++
      }),
      { numRuns: 1000, endOnFailure: true },
    )
    expect(ends.parsed).toBeGreaterThan(20)
    expect(ends.rejected).toBeGreaterThan(200)
  })

  it.each<[string, string]>([
    ['ten thousand statements', `test t\nprocess p {\n${'signal s\n'.repeat(7000)}}`],
    ['too many lines', `test t\n${'page x = 0\n'.repeat(10_000)}`],
    ['deep parentheses', `test t\nnever ${'('.repeat(65_000)}`],
    ['deep negation', `test t\nnever ${'not '.repeat(16_000)}`],
    ['a long condition', `test t\nnever ${'p.x == 1 and '.repeat(5000)}`],
    ['a long word', 'x'.repeat(65_000)],
    ['a long path', `test t\nprocess p { ${'x.'.repeat(32_000)} = 1 }`],
    ['a long string', `test t\nexpect v1: right "${'\\"'.repeat(32_000)}`],
    ['open blocks', `test t\n${'process p {'.repeat(5900)}`],
    ['many processes', `test t\n${'process p { thread t { exit } }\n'.repeat(2000)}`],
    ['many designs', `test t\nprocess p { exit }\nexpect ${'v1, '.repeat(16_000)}v2: right`],
    [
      'many equal designs',
      `test t\nprocess p { exit }\n${`expect ${'v1, '.repeat(60)}v1: right\n`.repeat(60)}`,
    ],
    [
      'many unknown words',
      `test t\nprocess p { exit }\n${`never ${'p.abc == 1 or '.repeat(60)}p.y == 1\n`.repeat(60)}`,
    ],
    ['one line of tabs', `test t\nprocess p {${'\t'.repeat(65_000)}frok`],
    ['combining marks', `test t${'\u0301'.repeat(65_000)}`],
    ['ten megabytes', 'x\n'.repeat(5_000_000)],
    ['ten megabytes on one line', 'x'.repeat(10_000_000)],
    ['zeros', '\0'.repeat(65_000)],
    ['semicolons', ';'.repeat(65_000)],
    ['quotes', '"'.repeat(65_000)],
  ])('that is large: %s', (_, source) => {
    // Processor time: a busy machine makes no parser slow.
    const started = process.cpuUsage()
    expect(survives(source)).toBe('rejected')
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(1500)
  })

  it('is fine as a comment, unless it could redraw a terminal', () => {
    const plain = 'test t\nprocess p { exit } # '
    expect(survives(`${plain}漢字 é 😀 \ufffd`)).toBe('parsed')
    for (const bad of ['\x1b', '\0', '\x7f', '\x9b', '\u202e', '\u2066'])
      expect(survives(plain + bad)).toBe('rejected')
  })
})

describe('a token', () => {
  it('covers its characters, and nothing but blanks lies between two', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 40 }), (words) => {
        const source = words.join(' ')
        const { tokens, comments } = tokenize(source)
        const good = tokens.filter(({ kind }) => kind !== 'bad')
        const spans = [...good, ...comments]
          .map(({ span }) => span)
          .sort((a, b) => a.start - b.start || a.end - b.end)
        let end = 0
        for (const span of spans) {
          expect(source.slice(end, span.start)).toMatch(/^[ \t]*$/)
          end = span.end
        }
        expect(['end', 'bad']).toContain(tokens.at(-1)?.kind)
        expect(tokens.slice(0, -1).some(({ kind }) => kind === 'end' || kind === 'bad')).toBe(false)
      }),
    )
  })
})
