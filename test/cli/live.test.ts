import { describe, expect, it } from 'vitest'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)

describe('cowherd live', () => {
  it('prints a histogram beside what the engine allows', async () => {
    const { code, stdout, stderr } = await cowherd([
      'live',
      leak,
      '-d',
      'v5.7,v5.9',
      '--runs',
      '50',
      '--seed',
      '3',
    ])
    expect(stdout.replaceAll(/\d+\.\d s/g, '0.1 s')).toMatchInlineSnapshot(`
      "Test leak  v5.7  live: 50 runs on 2 threads, seed 3, 0.1 s
      Histogram (1 outcome)
      * 50 :> missed COW  child.r0=1 parent.x=1 child.p=1  (always)
      Observation child.r0 == 1 Always 50 0
      Engine 1 of the 1 allowed outcomes seen (59 states, exhaustive)

      Test leak  v5.9  live: 50 runs on 2 threads, seed 3, 0.1 s
      Histogram (1 outcome)
        50 :> right  child.r0=0 parent.x=1 child.p=0  (always)
      Observation child.r0 == 1 Never 0 50
      Engine 1 of the 1 allowed outcomes seen (70 states, exhaustive)
      "
    `)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('says so where there is no shared memory, and what works there does', async () => {
    // As in a page that is not cross-origin isolated.
    const flag = '--no-harmony-sharedarraybuffer'
    const { code, stderr } = await cowherd(['live', leak, '-d', 'v5.7'], { node: [flag] })
    expect(stderr).toBe(
      'this JavaScript has no SharedArrayBuffer, so threads cannot share memory; "cowherd check" needs none\n',
    )
    expect(code).toBe(2)
    const checked = await cowherd(['check', leak, '-d', 'v5.9'], { node: [flag] })
    expect([checked.code, checked.stderr]).toEqual([0, ''])
    expect(checked.stdout).toContain('Verdict right')
    const together = await cowherd(['check', leak, '-d', 'v5.9', '--workers', '2'], { node: [flag] })
    expect(together.stderr).toContain('no SharedArrayBuffer')
    expect(together.code).toBe(2)
  })

  it('counts no more runs than it can', async () => {
    const { code, stderr } = await cowherd(['live', leak, '-d', 'v5.7', '--runs', '2147483648'])
    expect(stderr).toContain('Expected at most 1000000000.')
    expect(code).toBe(2)
  })

  it('lists what is allowed and was not seen as unseen', async () => {
    const { code, stdout } = await cowherd(['live', 'two-writers', '-d', 'v5.9', '--runs', '1'])
    expect(stdout).toContain('(unseen)')
    expect(stdout).not.toContain('impossible')
    expect(code).toBe(0)
  })

  it('prints JSON', async () => {
    const { code, stdout } = await cowherd([
      'live',
      leak,
      '-d',
      'v5.7',
      '--runs',
      '50',
      '--seed',
      '3',
      '--json',
    ])
    const { version, interrupted, live } = JSON.parse(stdout)
    expect({ version, interrupted, reports: live.length }).toEqual({
      version: 1,
      interrupted: false,
      reports: 1,
    })
    const [report] = live
    expect(report).toMatchObject({
      test: 'leak',
      design: 'v5.7',
      seed: 3,
      runs: 50,
      threads: 2,
      defect: false,
    })
    expect(report.outcomes).toMatchObject([
      {
        key: 'child.r0=1 parent.x=1 child.p=1',
        status: 'seen',
        count: 50,
        verdict: 'missed-cow',
        witnesses: [0],
      },
    ])
    expect(report.conditions).toMatchObject([{ observation: 'Always', positive: 50, negative: 0 }])
    expect(code).toBe(0)
  })

  it('sees a deadlock, when the engine does', async () => {
    const file = write(
      'stuck.litmus',
      'test stuck\npage x = 0\nprocess parent { thread a { wait never_sent }\n thread b { x = 1 } }\n',
    )
    const { code, stdout } = await cowherd(['live', file, '-d', 'v5.19', '--runs', '20'])
    expect(stdout).toContain('20 runs failed: no thread can go on')
    expect(stdout).not.toContain('forbid')
    expect(code).toBe(0)
  })

  it('runs a design of one’s own', async () => {
    write(
      'blind.ts',
      "import { extend, v5_7 } from 'cowherd'\nexport default extend(v5_7, { name: 'blind', title: 'blind', belief: 'none', sources: [], rules: {}, because: {} })\n",
    )
    const { code, stdout } = await cowherd(['live', leak, '-d', './blind.ts', '--runs', '20'], {
      cwd: folder,
    })
    expect(stdout).toContain('Test leak  blind  live: 20 runs on 2 threads')
    expect(stdout).toContain('20 :> missed COW')
    expect(code).toBe(0)
  })

  it.each([
    { args: ['no-such-test', '-d', 'v5.9'], says: 'there is no test "no-such-test" in the suite' },
    { args: ['fast-pin', '-d', 'v5.99'], says: 'unknown design "v5.99"; did you mean "v5.9"?' },
    { args: ['fast-pin'], says: "required option '-d, --design <names>' not specified" },
    { args: ['fast-pin', '-d', 'v5.9', '--runs', '0'], says: 'Expected a whole number from 1 up.' },
    { args: ['fast-pin', '-d', 'v5.9', '--seed', '-1'], says: 'Expected a seed from 0 to 4294967295.' },
  ])('says what is wrong: $says', async ({ args, says }) => {
    const { code, stderr } = await cowherd(['live', ...args])
    expect(stderr).toContain(says)
    expect(looksLikeStack(stderr)).toBe(false)
    expect(code).toBe(2)
  })

  it('ends on Ctrl-C with what it has', async () => {
    write(
      'loud.ts',
      "import { v5_7 } from 'cowherd'\nconsole.log('loaded')\nexport default { ...v5_7, name: 'loud' }\n",
    )
    const { code, stdout } = await cowherd(['live', leak, '-d', './loud.ts', '--runs', '100000000'], {
      cwd: folder,
      whenRunning: (child) => {
        let loaded = 0
        child.stderr!.on('data', (text: string) => {
          const before = loaded
          loaded += text.split('loaded').length - 1
          // Once to explore it, and once by each of the two threads.
          if (before < 3 && loaded >= 3) setTimeout(() => child.kill('SIGINT'), 500)
        })
      },
    })
    expect(stdout).toContain('parent.x=1')
    expect(code).toBe(130)
  })
})
