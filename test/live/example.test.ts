// The example and the benchmark run as their readers would run them.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

const cwd = fileURLToPath(new URL('../..', import.meta.url))
const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd, encoding: 'utf8' })

describe('examples/live-fork.mjs', () => {
  it('keeps every byte under torvalds and v5.19, and loses what was read under v5.8', {
    timeout: 120_000,
  }, async () => {
    const { stdout } = await node('examples/live-fork.mjs', 'torvalds,v5.19,v5.8', '2')
    const [torvalds, v5_19, v5_8] = stdout.split(/^(?=torvalds: |v5\.19: |v5\.8: )/m).slice(1)
    for (const right of [torvalds, v5_19]) {
      expect(right).toContain('copied by fork: 256 pages')
      expect(right).toContain('what the device read is in the parent’s memory: all of it')
    }
    expect(v5_8).toContain('copied by fork: 0 pages')
    expect(v5_8).toMatch(/GONE MISSING: \d+ of 256 pages lack what the device read into them/)
    for (const each of [torvalds, v5_19, v5_8]) {
      expect(each).toContain('of all other bytes on both sides, every one is right')
      expect(each).toContain('all counts are right, and every frame is free')
    }
  })

  it('says what it does not understand', async () => {
    await expect(node('examples/live-fork.mjs', 'v5.19', 'many')).rejects.toMatchObject({
      code: 2,
      stderr: '"many" is no number of MiB; expected 1 or more\n',
    })
  })
})

describe('bench/live.mjs', () => {
  it('runs', { timeout: 120_000 }, async () => {
    const { stdout } = await node('bench/live.mjs', '--quick')
    expect(stdout).toMatch(/load of a byte, in the TLB +[\d.]+ ns/)
    expect(stdout).toMatch(/4 in processes of their own: fault and copy/)
  })
})
