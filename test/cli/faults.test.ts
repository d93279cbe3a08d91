// Whatever a design of one's own does to the one who explores it, there is one message that says what, and an end.

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'
import { endlessDesign } from './endless.ts'

const { folder, write } = scratch()
write('leak.litmus', LEAK)
write(
  'pipe.litmus',
  `test pipe
page x = 0
process parent { pin p = x for read, get; fork child; x = 1; r0 = p }
process child { x = 2 }
`,
)

/** A design that is v5.19 but for one rule, or something else. */
function design(rules: string, before = '', more = ''): string {
  return `import { atomic, call, extend, tail, v5_19 } from 'cowherd'
${before}
export default extend(v5_19, {
  name: 'mine', title: 'mine', belief: 'none', sources: [], because: {}, ${more}
  rules: { ${rules} },
})
`
}

let files = 0

async function check(content: string, test: string, ...args: string[]) {
  const file = `design-${++files}.ts`
  write(file, content)
  const ended = await cowherd(['check', test, '--design', `./${file}`, ...args], { cwd: folder })
  expect(looksLikeStack(ended.stderr)).toBe(false)
  return { ...ended, stderr: ended.stderr.replaceAll(file, 'mine.ts') }
}

/** What is said of a design that cannot be explored. */
async function complaint(content: string, test = 'leak.litmus'): Promise<string> {
  const { code, stdout, stderr } = await check(content, test)
  expect(stderr.match(/^design /gm)).toHaveLength(1)
  expect(stderr.split('\n')).toHaveLength(3)
  expect(stdout).toContain('1 in error')
  expect(stdout).not.toContain('exhaustive')
  expect(code).toBe(2)
  return stderr
}

describe.concurrent('a design of one’s own', () => {
  it('whose step throws', async () => {
    const text = design(
      "*wp_can_reuse() { yield* atomic(broken); return 'copy' }",
      "function broken() { throw new TypeError('no such page') }",
    )
    expect(await complaint(text)).toContain('design ./mine.ts: broken threw: no such page (mine.ts:2:27)')
  })

  it('whose step never ends', async () => {
    const text = design(
      "*wp_can_reuse() { yield* atomic(spin); return 'copy' }",
      'function spin() { for (;;) {} }',
    )
    expect(await complaint(text)).toContain('spin has run for 5 s without')
  })

  it('whose step answers by chance, even if nobody looks at the answer', async () => {
    const text = design(
      "*wp_can_reuse() { yield* atomic(dice); return 'copy' }",
      'function dice() { return Math.floor(Math.random() * 1e9) }',
    )
    expect(await complaint(text)).toContain('dice did something else when it was run again')
  })

  it('whose rule looks at the clock', async () => {
    const text = design(
      "*wp_can_reuse() { yield* atomic(look, Math.floor(performance.now() * 1e3)); return 'copy' }",
      'function look() { return 0 }',
    )
    expect(await complaint(text)).toContain('wp_can_reuse did something else when it was run again')
  })

  it('whose rule yields what is no request', async () => {
    expect(await complaint(design("*wp_can_reuse() { yield 5; return 'copy' }"))).toContain(
      'wp_can_reuse yielded what is no request',
    )
  })

  it('whose rule passes what cannot be compared', async () => {
    const text = design(
      "*wp_can_reuse() { yield* atomic(nothing, new Map()); return 'copy' }",
      'function nothing() { return 0 }',
    )
    expect(await complaint(text)).toContain('wp_can_reuse passes to nothing a Map. Only numbers,')
  })

  it('whose hook never comes back', async () => {
    expect(await complaint(design('hooks: { layout() { for (;;) {} } }'))).toContain('layout has run for 5 s')
  })

  it('whose promises never come back', async () => {
    const text = design('', '', 'promises() { for (;;) {} },')
    expect(await complaint(text, 'pipe.litmus')).toContain('promises has run for 5 s')
  })

  it('that leaves a promise to itself', async () => {
    const { code, stderr } = await check(
      design('', "Promise.reject(new Error('nobody cares'))"),
      'leak.litmus',
    )
    expect(stderr).toContain('nobody cares (mine.ts:2:16), thrown while nobody waited for it')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(2)
  })

  it('that ends its worker in the middle of a rule', async () => {
    expect(await complaint(design('*wp_can_reuse() { process.exit(3) }'))).toContain(
      'wp_can_reuse ended its worker (exit code 3); it must come back instead, or throw',
    )
  })

  it('that fills the memory', async () => {
    const text = design(
      '*wp_can_reuse() { const all = []; for (;;) all.push(Array.from({ length: 1e6 }, (_, i) => [i])) }',
    )
    // Whichever comes first on a machine that is busy.
    expect(await complaint(text)).toMatch(/wp_can_reuse (ran out of memory|has run for 5 s)/)
  })

  it('goes on for ever, and is a livelock', async () => {
    const text = design(
      '*wp_can_reuse() { return yield* tail(again) }',
      'function* again() { yield* atomic(nothing); return yield* tail(again) }\nfunction nothing() { return 0 }',
    )
    const { code, stdout } = await check(text, 'leak.litmus')
    expect(stdout).toContain('livelock  no run comes to an end')
    expect(code).toBe(1)
  })
})

describe('a worker that dies', () => {
  it('is not replaced for those that wait when all is given up', async () => {
    // One worker: the second file waits when the first one kills it, and must not be begun any more.
    write('exits.ts', `process.exit(0)\n${design('')}`)
    write('waits.ts', design('').replace("'mine'", "'waits'"))
    const { code, stderr } = await cowherd(
      ['check', 'leak.litmus', '--jobs', '1', '--design', './exits.ts,./waits.ts'],
      { cwd: folder },
    )
    expect(stderr).toBe('./exits.ts: ended its worker (exit code 0); it must come back instead, or throw\n')
    expect(code).toBe(2)
  })
})

describe('a thread that helps with an exploration', { timeout: 120_000 }, () => {
  const large = fileURLToPath(new URL('../../bench/tests/2-pins-and-forks.litmus', import.meta.url))
  /** A design that does something only in the second worker, which is called when there are many states. */
  const traitor = (deed: string): string =>
    `import { threadId } from 'node:worker_threads'
import { extend, v5_19 } from 'cowherd'
export default extend(v5_19, {
  name: 'mine', title: 'traitor', belief: 'none', sources: [], because: {},
  rules: { *wp_can_reuse(k, vmf, pfn) { if (threadId > 1) { ${deed} } return yield* v5_19.rules.wp_can_reuse(k, vmf, pfn) } },
})
`
  it.each([
    ['dies', 'process.exit(3)', 'wp_can_reuse ended its worker (exit code 3)'],
    ['throws', "throw new Error('no more')", 'wp_can_reuse threw: no more'],
    ['does something else', "return 'copy'", 'did something else in another thread of the exploration'],
    ['does not come back', 'for (;;) ;', 'wp_can_reuse has run for 5 s without performing a step'],
  ])('and %s ends it with one message', async (_what, deed, words) => {
    write('mine.ts', traitor(deed))
    const args = ['show', large, '--design', './mine.ts', '--workers', '2', '--max-states', '300000']
    const { code, stdout, stderr } = await cowherd(args, { cwd: folder })
    expect(stderr).toContain(words)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe.concurrent('a model without end, whatever is asked for', () => {
  it.each([
    ['memory', ['--max-memory', '8'], /bounded by memory/],
    ['memory', ['--max-memory', '8', '--workers', '2'], /bounded by memory/],
    ['states', ['--max-states', '20000', '--workers', '3'], /bounded by states/],
    ['states', ['--max-states', '20000', '--depth-first'], /bounded by states, depth-first/],
    [
      'time',
      ['--max-seconds', '1', '--preemptions', '9'],
      /bounded by time while looking at runs with at most 9/,
    ],
    [
      'runs',
      ['--random', '3', '--runs', '40', '--max-depth', '300'],
      /40 random runs of at most 300 steps, seed 3/,
    ],
  ])('is bounded by %s, and nothing is decided', async (_name, args, words) => {
    const { code, stdout } = await check(endlessDesign('mine'), 'leak.litmus', ...args)
    expect(stdout).toMatch(words)
    expect(stdout).toContain('Condition never child.r0 == 1: not decided')
    expect(stdout).toContain('Verdict right so far')
    expect(stdout).not.toMatch(/exhaustive|: holds/)
    expect(stdout).toContain('1 not explored to the end')
    expect(code).toBe(0)
  })

  it('ends with what random runs have seen, at Ctrl-C', async () => {
    // The yardstick is done when the design lays out its own memory.
    write(
      'endless.ts',
      endlessDesign('mine').replace('layout: (k) => {', "layout: (k) => { console.log('begins');"),
    )
    const { code, stdout } = await cowherd(
      ['check', 'leak.litmus', '--design', './endless.ts', '--random', '1', '--runs', '100000000'],
      {
        cwd: folder,
        whenRunning: (child) => {
          child.stderr!.once('data', () => setTimeout(() => child.kill('SIGINT'), 2_500))
        },
      },
    )
    expect(stdout).toMatch(
      /Outcomes \d+ \([\d,]+ states, [\d,]+ random runs? of at most 1,000 steps, seed 1, interrupted\)/,
    )
    expect(stdout).toContain('not looked at: what any other run does')
    expect(code).toBe(130)
  })
})
