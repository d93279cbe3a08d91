// Printing is the inverse of parsing.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Litmus } from '../../src/litmus/ast.ts'
import { parse } from '../../src/litmus/parse.ts'
import { print } from '../../src/litmus/print.ts'
import { litmus } from './generate.ts'

/** All of a test but where it stood. */
function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'span' && key !== 'source')
  return Object.fromEntries(entries.map(([key, inner]) => [key, meaning(inner)]))
}

describe('print', () => {
  it('gives one canonical form', () => {
    const source = `#   two lines,
#the second of them
test   t;page x=0;page buf :a= 0,b=1;zero page z;actor ksmd   2;zero page w: c,d
actor kswapd 1 on z ,x
expect b,a:violated,right"because \\"so\\" \\\\"; expect c: leak
never ((p.r0==1)or(p.a!=0 and(not(p.x==1 or p.z == 2))))  and not  not p.k.b == 1
process p{thread u {pin k=buf for fast,pin,write;r0=k.a
k.b=2;a=1;z=3}
thread v{fork q;waitpid q}}
process q
{
  unmap x; dontneed buf; mprotect z read; mprotect z read-write; signal s; wait s
  pageout x; reclaim x;merge  buf  with w;merge w with p.w; unmerge w;clear_refs; exit
}`
    expect(print(parse(source).test)).toMatchInlineSnapshot(`
      "#   two lines,
      # the second of them
      test t

      page x = 0
      page buf: a = 0, b = 1
      zero page z
      zero page w: c, d

      actor ksmd 2
      actor kswapd on x, z

      process p {
        thread u {
          pin k = buf for write, pin, fast
          r0 = k.a
          k.b = 2
          buf.a = 1
          z = 3
        }
        thread v {
          fork q
          waitpid q
        }
      }

      process q {
        unmap x
        dontneed buf
        mprotect z read
        mprotect z read-write
        signal s
        wait s
        pageout x
        reclaim x
        merge buf with w
        merge w with p.w
        unmerge w
        clear_refs
        exit
      }

      never (p.r0 == 1 or p.buf.a != 0 and not (p.x == 1 or p.z == 2)) and not not p.k.b == 1

      expect b, a: right, violated "because \\"so\\" \\\\"
      expect c: leak
      "
    `)
  })

  it('gives what parses to the same test', () => {
    const seen = { conditions: 0, threads: 0, references: 0, merges: 0, actors: 0, reasons: 0 }
    fc.assert(
      fc.property(litmus, (test) => {
        const again = parse(print(test)).test
        expect(meaning(again)).toStrictEqual(meaning(test))
        expect(print(again)).toBe(print(test))
        count(test, seen)
      }),
      { numRuns: 500, endOnFailure: true },
    )
    // The generator has not dried up.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50)
  })
})

function count(
  test: Litmus,
  seen: Record<'conditions' | 'threads' | 'references' | 'merges' | 'actors' | 'reasons', number>,
): void {
  const threads = test.processes.flatMap((process) => process.threads)
  const statements = threads.flatMap((thread) => thread.statements)
  if (test.conditions.length > 1) seen.conditions++
  if (test.processes.length > 1 && threads.length > test.processes.length) seen.threads++
  if (statements.some(({ kind }) => kind === 'refLoad' || kind === 'refStore')) seen.references++
  if (statements.some(({ kind }) => kind === 'merge')) seen.merges++
  if (test.actors.some(({ pages }) => pages.length < test.pages.length)) seen.actors++
  if (test.expectations.some(({ reason }) => reason?.includes('"') || reason?.includes('\\'))) seen.reasons++
}
