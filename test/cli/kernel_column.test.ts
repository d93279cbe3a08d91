// The test that the model is asked about is the one that was run, whatever the kernel left undone of it.

import { describe, expect, it } from 'vitest'
import { columnOf } from '../../src/cli/kernel_column.ts'
import type { Pool } from '../../src/cli/pool.ts'
import { parse } from '../../src/litmus/index.ts'
import type { Machine } from '../../src/real/machine.ts'
import { readObserved } from '../../src/real/observed.ts'

/** The tests that are explored where a kernel left the statement on line 5 undone. */
async function explored(statements: string): Promise<string[]> {
  const { test } = parse(`test t\npage x = 0\npage y = 0\nprocess p {\n${statements}\n}\n`)
  const printed = 'Test t\nKernel 6.12.1 #1\n1 :>p.x=0; | line 5 stayed\nResult done\n'
  const texts: string[] = []
  const run = async (_kind: string, input: { readonly test: { readonly text: string } }) => {
    texts.push(input.test.text)
    return { keys: [], exhaustive: true, copies: undefined }
  }
  await columnOf({ name: 'host' } as Machine, [test], readObserved(printed), { run } as unknown as Pool)
  return texts
}

describe('a statement that the kernel left undone', () => {
  it('is missing in what the model is asked about, and nothing else is', async () => {
    const [full, rest, ...others] = await explored('pageout y; x = 1')
    expect(full).toContain('pageout y')
    expect(rest).toBe(full!.replace('  pageout y\n', ''))
    expect(others).toEqual([])
  })

  it.each([
    // Without it these would be the last statement with the reference, or three on end.
    ['a store by way of process_vm_writev', 'pin r = x for write, pin; r = 1; pageout y'],
    ['a look by way of process_vm_readv', 'pin r = x for read, pin; r0 = r; merge x with y'],
    ['an access to /proc/self/mem', 'pin r = x for write, get; pageout y; r = 1; release r'],
  ])('does not change how references are taken: %s', async (_, statements) => {
    const [full, rest] = await explored(statements)
    expect(rest).toBe(full!.replace(/ {2}(pageout y|merge x with y)\n/, ''))
    expect(rest).not.toBe(full)
  })
})
