// From what a program printed to an agreement with the model, without any machine.

import { describe, expect, it } from 'vitest'
import { parse, print } from '../../src/litmus/index.ts'
import { compare, without } from '../../src/real/compare.ts'
import { readObserved } from '../../src/real/observed.ts'
import { standInFor } from '../../src/real/stand_in.ts'
import { asRunOn, exactPin, versionOf } from '../../src/real/ways.ts'

const PRINTED = `Note module x: there already
Test one
Kernel 6.12.95+deb12-cloud-amd64 #1 SMP
Histogram (2 states)
97      :>a.r0=1; a.x=1; \r
3       :>a.r0=segv; a.x=2; | line 7 stayed | line 8 done
Observation never a.r0 == 1 Sometimes 97 3
Time 1.00
Result done
Test two
Kernel 6.12.95+deb12-cloud-amd64 #1 SMP
Skip line 9 "pageout x": this machine has no swap
Result skipped
Test three
Kernel 6.12.95+deb12-cloud-amd64 #1 SMP
Hang; a at line 4; b at line 9
Histogram (0 states)
Result hung
Test four
Kernel 6.12.95+deb12-cloud-amd64 #1 SMP
`

const [one, two, three, four] = readObserved(PRINTED)
const complete = (...keys: string[]) => ({ keys, exhaustive: true, copies: undefined })

describe('what a program printed', () => {
  it('is read back', () => {
    expect(one).toMatchObject({ test: 'one', kernel: '6.12.95+deb12-cloud-amd64', ending: 'done', runs: 100 })
    expect(one!.seen[0]).toEqual({ key: 'a.r0=1 a.x=1', times: 97, effects: [], copies: [], pages: [] })
    expect(one!.seen[1]!.effects).toEqual([
      { line: 7, done: false },
      { line: 8, done: true },
    ])
    expect(two!.skips).toEqual([{ line: 9, statement: 'pageout x', reason: 'this machine has no swap' }])
    expect(three).toMatchObject({ ending: 'hung', message: 'a at line 4; b at line 9' })
  })

  it('says which reference was taken as it stands in the test', () => {
    const line = 'Exact line 4 "pin p = x for read, pin, longterm"'
    const [exact] = readObserved(`Test t\nKernel 6.12 #1\n${line}\nResult done\n`)
    expect(exact!.exact).toEqual([{ line: 4, statement: 'pin p = x for read, pin, longterm' }])
    expect(one!.exact).toEqual([])
    // What was not run was taken in no way.
    const [skipped] = readObserved(`Test t\nKernel 6.12 #1\n${line}\nResult skipped\n`)
    expect(skipped!.exact).toEqual([])
  })

  it('may be cut off', () => {
    expect(four).toMatchObject({ test: 'four', ending: 'crashed', runs: 0 })
    // Whoever interrupted it knows why.
    const [interrupted] = readObserved('Test t\nKernel 6.12 #1\n2 :>a.r0=1;\nResult interrupted\n')
    expect(interrupted).toMatchObject({ ending: 'crashed', runs: 2 })
  })
})

const COUNTED = `Test counted
Kernel 6.12.95+deb12-cloud-amd64 #1 SMP
Pages without KSM's flag: this kernel shows it for every anonymous page
Histogram (5 states)
40      :>a.r0=1; | copies 1 | page a.x: A, mapcount 1, anon | page b.x: B, mapcount 1, anon
40      :>a.r0=1; | page a.x: A, mapcount 1, anon | page b.x: B, mapcount 1, anon
9       :>a.r0=1; | copies 2 to 4 | page a.x: A, mapcount 2, anon | page b.x: A, mapcount 2, anon
1       :>a.r0=1; | copies 3 or more
9       :>a.r0=2; | line 5 stayed | copies 0
Result done
`

describe('copies', () => {
  const [counted] = readObserved(COUNTED)
  const allowing = (copies: Record<string, number[]>, stayed: Record<string, number[]> = {}) =>
    compare(counted!, (lines) => ({
      keys: ['a.r0=1', 'a.r0=2'],
      exhaustive: true,
      copies: lines.length === 0 ? copies : stayed,
    }))

  it('are read back, with what pages were made of', () => {
    expect(counted!.seen.map(({ key, times }) => `${key} ${times}`)).toEqual(['a.r0=1 90', 'a.r0=2 9'])
    expect(counted!.seen[0]!.copies).toEqual([
      { least: 1, most: 1, times: 40 },
      { least: 2, most: 4, times: 9 },
      { least: 3, most: Number.POSITIVE_INFINITY, times: 1 },
    ])
    expect(counted!.seen[0]!.pages).toEqual([
      { facts: ['a.x: A, mapcount 1, anon', 'b.x: B, mapcount 1, anon'], times: 80 },
      { facts: ['a.x: A, mapcount 2, anon', 'b.x: A, mapcount 2, anon'], times: 9 },
    ])
    expect(counted!.untold).toEqual(["without KSM's flag: this kernel shows it for every anonymous page"])
    expect(counted!.uncounted).toBeUndefined()
    expect(readObserved('Test t\nCopies not counted: no root\nResult done\n')[0]!.uncounted).toBe('no root')
  })

  it('agree if each number may come with its outcome', () => {
    expect(allowing({ 'a.r0=1': [1, 3], 'a.r0=2': [0] })).toMatchObject({
      agreement: 'agrees',
      strangeCopies: [],
    })
  })

  it('differ if one may not', () => {
    const strange = (copies: Record<string, number[]>) => {
      const { agreement, strangeCopies } = allowing(copies)
      return [agreement, ...strangeCopies.map(({ copies: { least, times } }) => `${least} ${times}`)]
    }
    expect(strange({ 'a.r0=1': [1, 2], 'a.r0=2': [0] })).toEqual(['differs', '3 1'])
    expect(strange({ 'a.r0=1': [1, 5], 'a.r0=2': [0] })).toEqual(['differs', '2 9'])
    expect(strange({ 'a.r0=1': [2, 3], 'a.r0=2': [0] })).toEqual(['differs', '1 40'])
    expect(strange({ 'a.r0=1': [1, 3], 'a.r0=2': [1] })).toEqual(['differs', '0 9'])
  })

  it('are those of the test without what the kernel did not do, too', () => {
    const { agreement } = allowing({ 'a.r0=1': [1, 3], 'a.r0=2': [1] }, { 'a.r0=2': [0] })
    expect(agreement).toBe('agrees')
  })

  it('are not compared where nobody knows what is allowed', () => {
    const { agreement } = compare(counted!, () => complete('a.r0=1', 'a.r0=2'))
    expect(agreement).toBe('agrees')
  })
})

describe('an agreement', () => {
  it('is that all that was seen is allowed', () => {
    const all = compare(one!, () => complete('a.r0=1 a.x=1', 'a.r0=segv a.x=2', 'a.r0=3 a.x=1'))
    expect(all).toMatchObject({ agreement: 'agrees', unseen: ['a.r0=3 a.x=1'], forbidden: [] })
  })

  it('is none if one outcome of a hundred is not allowed', () => {
    const result = compare(one!, () => complete('a.r0=1 a.x=1'))
    expect(result.agreement).toBe('differs')
    expect(result.forbidden.map(({ key }) => key)).toEqual(['a.r0=segv a.x=2'])
  })

  it('lets out what the kernel did not do, in the runs in which it did not', () => {
    const allowed = (lines: readonly number[]) =>
      lines.length === 0
        ? complete('a.r0=1 a.x=1')
        : complete(...(lines.join() === '7' ? ['a.r0=segv a.x=2'] : []))
    expect(compare(one!, allowed)).toMatchObject({ agreement: 'agrees', effective: 97 })
    // The other line of the histogram has no such excuse.
    const swapped = compare(one!, (lines) =>
      complete(lines.length === 0 ? 'a.r0=segv a.x=2' : 'a.r0=1 a.x=1'),
    )
    expect(swapped.agreement).toBe('differs')
  })

  it('is idle if the kernel never did all that it was asked to', () => {
    const [stayed] = readObserved(
      'Test t\nKernel 6.1 #1\n9 :>a.r0=1; | line 7 done | line 8 stayed\nResult done\n',
    )
    expect(compare(stayed!, () => complete('a.r0=1'))).toMatchObject({ agreement: 'idle', effective: 0 })
    expect(compare(stayed!, () => complete('a.r0=2')).agreement).toBe('differs')
  })

  it('is not decided if not all is known that is allowed', () => {
    expect(compare(one!, () => ({ keys: [], exhaustive: false, copies: undefined })).agreement).toBe(
      'undecided',
    )
    expect(
      compare(one!, () => ({
        keys: one!.seen.map(({ key }) => key),
        exhaustive: false,
        copies: undefined,
      })).agreement,
    ).toBe('agrees')
  })

  it('is neither in a skip nor in a hang nor in a crash', () => {
    expect(compare(two!, () => complete('x')).agreement).toBe('skipped')
    expect(compare(three!, () => complete('x')).agreement).toBe('undecided')
    expect(compare(four!, () => complete('x')).agreement).toBe('undecided')
  })
})

describe('a test as it is run', () => {
  const { test } = parse(`test t
page x = 0
process a {
  pin p = x for write, get
  pageout x
  pin q = x for read, pin, longterm, fast
  r0 = q
}
`)

  it('has the references that the kernel takes', () => {
    const pins = (release: string): string[] =>
      print(asRunOn(test, versionOf(release)))
        .split('\n')
        .filter((line) => line.includes('pin '))
        .map((line) => line.replace(/.* for /, ''))
    expect(pins('5.10.0-46-cloud-amd64')).toEqual(['write, get, fast', 'read, pin'])
    expect(pins('6.1.0-50-cloud-amd64')).toEqual(['write, get, fast', 'read, pin'])
    expect(pins('6.12.95+deb12-cloud-amd64')).toEqual(['write, pin, fast', 'read, pin'])
    expect(pins('7.3-cloud-amd64')).toEqual(['write, pin, fast', 'read, pin'])
  })

  it('gives a pin back with its only look, unless somebody asks for it later', () => {
    const asRun = (more: string): string =>
      print(
        asRunOn(
          parse(`test t\npage x = 0\nprocess p { pin q = x for read, pin; r0 = q ${more}`).test,
          [6, 1],
        ),
      )
    expect(asRun('}\n')).toContain('r0 = q\n  release q\n')
    expect(asRun('}\nnever p.q == 1\n')).not.toContain('release')
    expect(asRun('; x = 1 }\n')).not.toContain('release')
    expect(asRun('; r1 = q }\n')).not.toContain('release')
  })

  it('has other interfaces for what is stored once, and for what is taken, used and given back at once', () => {
    const asRun = (statements: string): string =>
      print(asRunOn(parse(`test t\npage x = 0\nprocess p { ${statements} }\n`).test, [6, 12]))
    expect(asRun('pin q = x for write, pin; q = 1')).toContain('write, pin\n  q = 1\n  release q\n')
    expect(asRun('pin q = x for write, pin; x = 2; release q')).toContain('write, pin\n')
    // Two uses, or one that is not the last: io_uring.
    expect(asRun('pin q = x for write, pin; q = 1; q = 2')).toContain('write, pin, longterm, fast\n')
    expect(asRun('pin q = x for write, pin; q = 1; x = 2')).toContain('write, pin, longterm, fast\n')
    expect(asRun('pin q = x for write, pin, fast; q = 1')).toContain('write, pin, longterm, fast\n')
    const atOnce = 'pin q = x for write, get; q = 1; release q'
    expect(asRun(atOnce)).toContain('write, get\n')
    expect(asRun(`mprotect x read; ${atOnce}`)).toContain('write, pin, fast\n')
    expect(asRun('pin q = x for write, get; q = 1; x = 2; release q')).toContain('write, pin, fast\n')
    expect(asRun('pin q = x for read, get; r0 = q; release q')).toContain('read, get\n')
    expect(asRun('pin q = x for read, get; r0 = q')).toContain('read, get, fast\n')
  })

  it('has a long-term pin as it stands where gup_test took it', () => {
    const source = `test t\npage x = 0\nprocess p { pin r = x for read, pin, longterm, fast; r0 = r }\n`
    const pins = (exactly: boolean): string => print(asRunOn(parse(source).test, [6, 12], exactly))
    expect(pins(true)).toContain('read, pin, longterm, fast\n  r0 = r\n}')
    expect(pins(false)).toContain('read, pin\n  r0 = r\n  release r\n}')
    // Others are taken as ever.
    const two = parse(
      `test t\npage x = 0\nprocess p { pin r = x for write, pin, longterm; pin s = x for read, pin, fast }\n`,
    )
    const asRun = print(asRunOn(two.test, [6, 12], true))
    expect(asRun).toContain('pin r = x for write, pin, longterm\n')
    expect(asRun).toContain('pin s = x for read, pin\n')
  })

  it('gives gup_test one long-term pin at most, which nobody stores through', () => {
    const exact = (statements: string): string | undefined =>
      exactPin(parse(`test t\npage x = 0\nprocess p { ${statements} }\n`).test)?.ref
    expect(exact('pin r = x for write, pin, longterm; x = 1; r0 = r; release r')).toBe('r')
    expect(exact('pin r = x for read, pin, longterm, fast; pin s = x for read, pin')).toBe('r')
    expect(exact('pin r = x for write, pin, longterm; r = 1')).toBeUndefined()
    expect(exact('pin r = x for write, pin, fast')).toBeUndefined()
    expect(exact('pin r = x for read, pin, longterm; pin s = x for read, pin, longterm')).toBeUndefined()
    expect(exact('pin r = x for write, pin, longterm; r = 1; pin s = x for read, pin, longterm')).toBe('s')
  })

  it('may lack a statement that the kernel did not carry out, and no other one', () => {
    expect(print(without(test, [5]))).not.toContain('pageout')
    expect(print(without(test, [4, 6, 7]))).toBe(print(test))
  })

  it('is compared with the newest design that is not newer than the kernel', () => {
    const names = [
      '5.4',
      '5.7',
      '5.10.0-46',
      '5.15',
      '5.19',
      '6.1.0-50',
      '6.12.95',
      '6.18.44',
      '7.2.12',
      '7.3',
      '8.0',
    ]
    expect(names.map((release) => standInFor(versionOf(release))?.design.name)).toEqual([
      undefined,
      ...['v5.7', 'v5.10.y', 'v5.16', 'v5.19', 'v6.1', 'v6.12', 'v6.18', 'v7.2', 'v7.3', 'v7.3'],
    ])
  })
})
