// How a complaint is drawn.

import { describe, expect, it } from 'vitest'
import {
  type Diagnostic,
  didYouMean,
  lineNumber,
  list,
  quote,
  renderDiagnostic,
} from '../../src/litmus/diagnostic.ts'

/** Draws a complaint about the part of the source between « and ». */
function draw(marked: string, fileName = 'f'): string {
  const start = marked.indexOf('«')
  const end = marked.indexOf('»') - 1
  const source = marked.replace(/[«»]/g, '')
  const diagnostic: Diagnostic = { severity: 'error', span: { start, end }, message: 'wrong', hint: 'hint' }
  return `\n${renderDiagnostic(diagnostic, source, fileName)}\n`
}

describe('a complaint', () => {
  it('shows the line and marks the characters', () => {
    expect(draw('one\n  «two» three\nfour')).toBe(`
f:2:3: error: wrong
  2 |   two three
    |   ^^^ hint
`)
  })

  it('aligns with line numbers of any length', () => {
    expect(draw(`${'\n'.repeat(99)}«x»`)).toBe(`
f:100:1: error: wrong
  100 | x
      | ^ hint
`)
  })

  it('marks a place that has no characters', () => {
    expect(draw('one«»')).toBe(`
f:1:4: error: wrong
  1 | one
    |    ^ hint
`)
    expect(draw('«»')).toBe(`
f:1:1: error: wrong
  1 |
    | ^ hint
`)
    expect(draw('one\n«»')).toBe(`
f:2:1: error: wrong
  2 |
    | ^ hint
`)
  })

  it('marks the end of a line, whatever breaks it', () => {
    for (const lineBreak of ['\n', '\r\n', '\r']) {
      expect(draw(`one${lineBreak}two«${lineBreak}»three`)).toBe(`
f:2:4: error: wrong
  2 | two
    |    ^ hint
`)
    }
  })

  it('marks the first line of a part of several', () => {
    expect(draw('a «block {\n  b\n}» c')).toBe(`
f:1:3: error: wrong
  1 | a block {
    |   ^^^^^^^ hint
`)
  })

  it('shows a tab as four spaces, before and among the marked characters', () => {
    expect(draw('\tx\t«y\tz»')).toBe(`
f:1:4: error: wrong
  1 |     x    y    z
    |          ^^^^^^ hint
`)
  })

  it('escapes what does not print, and marks all of the escape', () => {
    expect(draw('\0a\u202e«\x1b»b\u00a0\ud800')).toBe(String.raw`
f:1:4: error: wrong
  1 | \x00a\u{202e}\x1bb\xa0\u{d800}
    |              ^^^^ hint
`)
    expect(draw('«x»', 'evil\x1b[2J\nname')).toContain(String.raw`evil\x1b[2J\x0aname:1:1:`)
  })

  it('knows characters that are two columns wide, and those that take none', () => {
    expect(draw('漢字 «x»')).toBe(`
f:1:4: error: wrong
  1 | 漢字 x
    |      ^ hint
`)
    expect(draw('e\u0301 😀 «x»')).toBe(`
f:1:7: error: wrong
  1 | e\u0301 😀 x
    |      ^ hint
`)
  })

  it('shows about a hundred columns of a long line, with the marked characters among them', () => {
    for (const [before, after] of [
      [0, 500],
      [30, 500],
      [500, 500],
      [500, 30],
      [500, 0],
      [60_000, 0],
    ] as const) {
      const [, , excerpt, carets] = draw(`${'a'.repeat(before)}«XYZ»${'b'.repeat(after)}`).split('\n')
      expect(excerpt!.length).toBeLessThanOrEqual('  1 | '.length + 102)
      expect(excerpt!.length).toBeGreaterThanOrEqual('  1 | '.length + 100)
      expect(excerpt!.slice(carets!.indexOf('^'), carets!.lastIndexOf('^') + 1)).toBe('XYZ')
      expect(excerpt!.startsWith('  1 | …')).toBe(before > 97)
      expect(excerpt!.endsWith('…')).toBe(after > 97)
    }
  })

  it('shows a line of a hundred columns whole', () => {
    const line = `${'a'.repeat(49)}«X»${'b'.repeat(50)}`
    expect(draw(line)).toContain(` ${line.replace(/[«»]/g, '')}\n`)
  })

  it('marks no more than is shown', () => {
    const [, , excerpt, carets] = draw(`«${'x'.repeat(5000)}»`).split('\n')
    expect(excerpt).toBe(`  1 | ${'x'.repeat(100)}…`)
    expect(carets).toBe(`    | ${'^'.repeat(100)} hint`)
  })
})

describe('the wording', () => {
  it('counts lines from one', () => {
    const source = 'a\nb\r\nc\rd'
    expect([...source].map((_, offset) => lineNumber(source, offset))).toEqual([1, 1, 2, 2, 2, 3, 3, 4])
  })

  it('quotes', () => {
    expect(quote('a"b')).toBe('"a"b"')
    expect(quote('\x07')).toBe(String.raw`"\x07"`)
    expect(quote('x'.repeat(40))).toBe(`"${'x'.repeat(40)}"`)
    expect(quote('x'.repeat(60_000))).toBe(`"${'x'.repeat(40)}…"`)
  })

  it('lists', () => {
    expect(list(['a'])).toBe('"a"')
    expect(list(['a', 'b'])).toBe('"a" or "b"')
    expect(list(['a', 'b', 'c'], 'and')).toBe('"a", "b" and "c"')
  })

  it.each([
    ['frok', 'fork'],
    ['FORK', 'fork'],
    ['unmapp', 'unmap'],
    ['wiat', 'wait'],
    ['waitpd', 'waitpid'],
  ])('guesses that %s is meant to be %s', (word, expected) => {
    expect(didYouMean(word, ['fork', 'unmap', 'wait', 'waitpid'])).toBe(`; did you mean "${expected}"?`)
  })

  it('does not guess what is far off, or very long', () => {
    expect(didYouMean('banana', ['fork', 'unmap'])).toBe('')
    expect(didYouMean('y', ['x'])).toBe('')
    expect(didYouMean('f'.repeat(60_000), ['f'.repeat(59_999)])).toBe('')
  })
})
