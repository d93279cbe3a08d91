// The C programs: that the tests which should have one have one, and that a compiler has nothing to say about them.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from '../../src/litmus/index.ts'
import { emit, emitAll, NotEmittable, whyNotEmittable } from '../../src/real/emit.ts'
import { corpus } from '../suite/corpus.ts'

const folder = mkdtempSync(join(tmpdir(), 'cowherd-emit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tests = corpus().map(({ test }) => test)
const emittable = tests.filter((test) => whyNotEmittable(test).length === 0)

/** What the compiler says of a program; empty if nothing. */
function compile(name: string, program: string): string {
  const source = join(folder, `${name}.c`)
  writeFileSync(source, program)
  const flags = [
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-pthread',
    '-static',
    '-o',
    join(folder, name),
    source,
  ]
  const { stderr, error } = spawnSync('gcc', flags, { encoding: 'utf8' })
  if (error !== undefined) throw error
  return stderr
}

/** A test that uses every statement which needs a part of the runtime of its own. */
function with_(statement: string, more = ''): string {
  return `test t\npage x = 0\npage y = 0\nprocess p {\n  ${statement}\n}\n${more}`
}

describe('cowherd emit', () => {
  it('has a C form for all tests but those that it gives a reason for', () => {
    const without = tests.filter((test) => !emittable.includes(test))
    for (const test of without) {
      const reasons = whyNotEmittable(test)
      const actors = reasons.filter(({ message }) => /at any moment/.test(message))
      const others = reasons.filter(({ message }) => /takes all pages|under way|same page/.test(message))
      expect(actors.length + others.length, test.name).toBe(reasons.length)
      expect(actors.length, test.name).toBe(test.actors.length)
    }
    expect(emittable.length).toBeGreaterThan(150)
  })

  it('writes programs without warnings: the whole suite as one', { timeout: 240_000 }, () => {
    expect(compile('suite', emitAll(emittable))).toBe('')
  })

  // Each of them leaves out other parts of the runtime, so that what is left must stand alone.
  it.each([
    ['nothing', 'x = 1'],
    ['vmsplice', 'pin r = x for read, get; r0 = r; release r'],
    ['io_uring', 'pin r = x for write, pin, longterm; r = 1'],
    ['process_vm', 'pin r = x for read, pin; r0 = r'],
    ['fuse', 'pin r = x for write, get; r = 1; r0 = r'],
    ['proc_mem', 'pin r = x for write, get; r = 1; release r'],
    ['process_vm_writev', 'pin r = x for write, pin; r = 1'],
    ['gup_test', 'pin r = x for write, pin, longterm; r0 = r; release r'],
    ['gup_test, fast', 'pin r = x for read, pin, longterm, fast; r0 = r'],
    ['swap', 'pageout x'],
    ['ksm', 'merge x with y; unmerge x'],
    ['soft-dirty', 'clear_refs'],
  ])('writes programs without warnings: %s', { timeout: 120_000 }, (name, statements) => {
    expect(compile(name, emit(parse(with_(statements)).test))).toBe('')
  })

  it('writes a program without warnings: reclaim', { timeout: 120_000 }, () => {
    const { test } = parse(
      'test t\npage x = 0\nprocess p { reclaim x; r0 = x }\nnever p.r0 == 1 or not p.x != 2\n',
    )
    expect(compile('reclaim', emit(test))).toBe('')
  })

  it('has room for as many needs and conditions as the language allows', { timeout: 120_000 }, () => {
    const thread = (name: string): string => `thread ${name} { ${'dontneed x; '.repeat(63)}x = 1 }`
    const { test } = parse(
      `test t\nzero page x\nprocess p { ${thread('a')} ${thread('b')} }\n${'never p.x == 2\n'.repeat(64)}`,
    )
    expect(compile('needs', emit(test))).toBe('')
  })

  it.each([
    [with_('x = 1', 'actor kswapd on x\n'), 7, 'at any moment'],
    [with_('reclaim x'), 5, 'all pages'],
    [with_('merge x with y; merge y with x'), 5, 'same page'],
    [with_('pin r = x for write, get; exit'), 5, 'under way'],
    [with_('pin r = x for read, pin; exit'), 5, 'under way'],
  ])('says which statement has no C form', (source, line, message) => {
    const { test } = parse(source)
    const [reason, ...others] = whyNotEmittable(test)
    expect(others).toEqual([])
    expect(source.slice(0, reason!.span.start).split('\n').length).toBe(line)
    expect(reason!.message).toContain(message)
    expect(() => emit(test)).toThrow(NotEmittable)
  })

  it('keeps the comment of a test from ending that of the program', () => {
    const { test } = parse('# a */ b\ntest t\npage x = 0\nprocess p { x = 1 }\n')
    expect(compile('comment', emit(test))).toBe('')
  })

  it('gives no two things one name', () => {
    const { test } = parse(`test t
page a: b_c = 0
page a_b: c = 0
process p { b_c = 1; c = 2; r0 = b_c; r1 = c }
always p.b_c == 1 and p.c == 2
`)
    expect(compile('names', emit(test))).toBe('')
  })
})
