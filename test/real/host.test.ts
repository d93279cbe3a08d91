// Emitted programs on the machine that the tests run on. What it cannot do is skipped there, with a reason.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from '../../src/litmus/index.ts'
import { build } from '../../src/real/build.ts'
import { emit, emitAll } from '../../src/real/emit.ts'
import { HOST, type RunSettings } from '../../src/real/machine.ts'
import { type Observed, readObserved } from '../../src/real/observed.ts'

const onLinux = process.platform === 'linux'
const folder = mkdtempSync(join(tmpdir(), 'cowherd-host-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SOURCES = {
  segv: `test segv
page x = 5
process p { r0 = x; mprotect x read; x = 6; r1 = x; mprotect x read-write; x = 7; r2 = x; unmap x; x = 8; r3 = x }
`,
  words: `test words
page buf: a = 1, b = 2
zero page z
process p { b = 3; z = 4; dontneed buf; r0 = b; r1 = z }
`,
  family: `test family
page x = 0
process p { thread one { fork q; waitpid q; x = 1; signal s }  thread two { wait s; r0 = x } }
process q { x = 2; fork g; wait done; exit }
process g { r0 = x; signal done }
`,
  pipe: `test pipe
page x = 3
process p { pin r = x for read, get; x = 4; r0 = r; r1 = r; release r; r2 = r }
`,
  ring: `test ring
page x: a = 3, b = 5
process p { pin r = x for write, pin, longterm; r.b = 4; r0 = x.b; a = 6; r1 = r.a; fork q; b = 7; r2 = r.b }
process q { r0 = b }
`,
  looks: `test looks
page x = 3
process p { pin r = x for read, pin; r0 = r; x = 4; r1 = r }
`,
  exact: `test exact
page x: a = 3, b = 5
process p { pin r = x for read, pin, longterm; fork q; r0 = r.b; b = 6; r1 = r.b; r2 = r.a; release r; r3 = r.b }
process q { r0 = b }
`,
  poke: `test poke
page x: a = 3, b = 5
process p { fork q; waitpid q; pin r = x for write, pin; a = 4; r.b = 6 }
process q { r0 = b; exit }
`,
  unpoked: `test unpoked
page x = 3
process p { pin r = x for write, pin; fork q; release r; x = 4; r0 = x }
process q { r0 = x }
`,
  copies: `test copies
page x = 0
page y = 0
process p { fork q; x = 1; x = 2; signal done; y = 1 }
process q { wait done; r0 = x; r1 = y }
`,
  threads: `test threads
page x = 0
process p { thread one { fork q; x = 1; signal done }  thread two { wait done; x = 2 } }
process q { wait done; r0 = x }
`,
  mem: `test mem
page x: a = 3, b = 5
process p { fork q; wait s; pin r = x for write, get; r.b = 6; release r; pin t = x for read, get; r0 = t.b; release t; unmap x; pin u = x for read, get; r1 = u.a; release u; pin v = x for write, get; v.a = 9; release v }
process q { r0 = b; signal s }
`,
  direct: `test direct
page x: a = 3, b = 5
process p { pin r = x for write, get; r.b = 4; r0 = b; a = 6; r1 = r.a; release r; r.b = 9; r2 = b }
`,
  refused: `test refused
page x = 3
process p { mprotect x read; pin r = x for write, pin; r0 = r; unmap x; pin s = x for read, get; r1 = s }
`,
  registers: `test registers
page x = 5
process p {
  thread one { ${loads(0, 50)} }
  thread two { ${loads(50, 100)} }
}
`,
  names: `test names
page ${'n'.repeat(5000)} = 1
process ${'m'.repeat(5000)} { r0 = ${'n'.repeat(5000)} }
`,
  waits: `test waits
page x = 0
process p { fork q; x = 1; wait never_sent }
process q { wait never_sent; x = 2 }
`,
} as const

/** Loads into so many registers. */
function loads(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `r${from + i} = x`).join('; ')
}

let program = ''
beforeAll(async () => {
  if (!onLinux) return
  program = await build(emitAll(Object.values(SOURCES).map((source) => parse(source).test)), folder, 'host')
}, 240_000)

function run(name: keyof typeof SOURCES, ...args: string[]): Observed & { code: number | null } {
  const { stdout, status } = spawnSync(program, ['--times', '5', ...args, name], { encoding: 'utf8' })
  const [observed] = readObserved(stdout)
  return { ...observed!, code: status }
}

/** The only outcome that was seen; skips the test, with the machine's reason, if nothing was run. */
function outcome(name: keyof typeof SOURCES, skip: (reason: string) => void): string | undefined {
  const { ending, skips, seen, message, code } = run(name)
  if (ending === 'skipped') {
    expect(code).toBe(77)
    expect(skips.length).toBeGreaterThan(0)
    skip(skips[0]!.reason)
    return undefined
  }
  expect(message).toBe('')
  expect(code).toBe(0)
  expect(seen.length, JSON.stringify(seen)).toBe(1)
  expect(seen[0]!.times).toBe(5)
  return seen[0]!.key
}

describe.runIf(onLinux)('an emitted program', () => {
  it('loads and stores, and notes SIGSEGV', ({ skip }) => {
    expect(outcome('segv', skip)).toBe('p.r0=5 p.r1=5 p.r2=7 p.r3=segv')
  })
  it('tells words and pages apart', ({ skip }) => {
    expect(outcome('words', skip)).toBe('p.r0=0 p.r1=4 p.buf.a=0 p.buf.b=0 p.z=4')
  })
  it('has processes and threads, and waits for them', ({ skip }) => {
    expect(outcome('family', skip)).toBe('p.r0=1 g.r0=2 p.x=1 g.x=2')
  })
  it('holds a page in a pipe', ({ skip }) => {
    expect(outcome('pipe', skip)).toMatch(/^p\.r0=[34] p\.r1=[34] p\.r2=segv p\.x=4$/)
  })
  it('writes and reads through a buffer of io_uring', ({ skip }) => {
    expect(outcome('ring', skip)).toBe(
      'p.r0=4 p.r1=6 p.r2=7 q.r0=4 p.x.a=6 p.x.b=7 q.x.a=6 q.x.b=4 p.r.a=6 p.r.b=7',
    )
  })
  it('looks at a pinned page more than once', ({ skip }) => {
    expect(outcome('looks', skip)).toBe('p.r0=3 p.r1=4 p.x=4 p.r=4')
  })
  it('takes a long-term pin as it stands only where the kernel’s file for tests may be used', ({ skip }) => {
    const key = 'p.r0=5 p.r1=6 p.r2=3 p.r3=segv q.r0=5 p.x.a=3 p.x.b=6 q.x.a=3 q.x.b=5'
    expect(outcome('exact', skip)).toBe(key)
    expect(run('exact').exact).toEqual([])
    const { seen, exact } = run('exact', '--system')
    expect(seen.map((one) => one.key)).toEqual([key])
    const root = process.getuid?.() === 0
    expect(exact.length).toBe(root && existsSync('/sys/kernel/debug/gup_test') ? 1 : 0)
  })
  it('stores through a pin that is held by process_vm_writev', ({ skip }) => {
    expect(outcome('poke', skip)).toBe('q.r0=5 p.x.a=4 p.x.b=6')
  })
  it('gives such a pin back without a store', ({ skip }) => {
    expect(outcome('unpoked', skip)).toBe('p.r0=4 q.r0=3 p.x=4 q.x=3')
  })
  it('writes and reads /proc/self/mem', ({ skip }) => {
    expect(outcome('mem', skip)).toBe('p.r0=6 p.r1=segv q.r0=5 q.x.a=3 q.x.b=5')
  })
  it('writes and reads by direct I/O', ({ skip }) => {
    expect(outcome('direct', skip)).toBe('p.r0=4 p.r1=6 p.r2=4 p.x.a=6 p.x.b=4')
  })
  it('gets no reference to what is not mapped so', ({ skip }) => {
    expect(outcome('refused', skip)).toBe('p.r0=segv p.r1=segv')
  })

  // Every other run is counted. The first store after fork copies; a page that is looked at is not copied, and a pinned one by fork.
  it.each([
    ['looks', 0],
    ['poke', 0],
    ['unpoked', 1],
    ['ring', 1],
    ['copies', 2],
  ] as const)('counts copies: %s makes %i', (name, number) => {
    const { uncounted, seen, runs } = run(name)
    if (uncounted !== undefined) return
    expect(runs).toBe(5)
    expect(seen.map(({ copies }) => copies)).toEqual([[{ least: number, most: number, times: 3 }]])
  })

  it('counts no fewer copies than there are where threads make them', () => {
    const { uncounted, seen } = run('threads')
    if (uncounted !== undefined) return
    const counts = seen.flatMap(({ copies }) => copies)
    expect(counts).toEqual([{ least: 1, most: Number.POSITIVE_INFINITY, times: 3 }])
  })

  it('tells what pages are made of', () => {
    const { seen, untold } = run('unpoked', '--pages')
    if (untold.some((what) => what.startsWith('not shown'))) return
    const facts = seen.flatMap(({ pages }) => pages.map(({ facts }) => facts))
    for (const [p, q] of facts) {
      expect(p).toMatch(/^p\.x: A, mapcount 1, anon/)
      expect(q).toMatch(/^q\.x: B, mapcount 1, anon/)
    }
    expect(facts.length).toBeGreaterThan(0)
  })

  it('has room for as many registers, and names as long, as the language has', ({ skip }) => {
    const registers = Array.from({ length: 100 }, (_, i) => `p.r${i}=5`)
    expect(outcome('registers', skip)).toBe(`${registers.join(' ')} p.x=5`)
    const [m, n] = ['m'.repeat(5000), 'n'.repeat(5000)]
    expect(outcome('names', skip)).toBe(`${m}.r0=1 ${m}.${n}=1`)
  })

  it('says where it hangs', () => {
    const { ending, message, code } = run('waits', '--timeout', '300')
    expect(ending).toBe('hung')
    expect(message).toBe('p at line 3; q at line 4')
    expect(code).toBe(3)
  })

  it('does not take what it does not know', () => {
    const { status, stderr } = spawnSync(program, ['--nonsense'], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain('usage:')
  })

  it('prints what it has seen when it is told to end', async () => {
    const child = spawn(program, ['--times', '1000000', 'segv'])
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
    const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
    expect(text).toMatch(/^Result interrupted$/m)
    const [observed] = readObserved(text)
    expect(observed).toMatchObject({ ending: 'crashed', message: '' })
    expect(observed!.runs).toBeGreaterThan(0)
  })

  it('is ended when its time is over, which is why it saw no more', async () => {
    const settings: RunSettings = { times: 1e6, seed: 1, patience: 20, limit: 1, system: false, pages: false }
    const [observed] = await HOST.run(program, ['segv'], folder, settings)
    expect(observed).toMatchObject({ ending: 'stopped', message: expect.stringContaining('--limit') })
    expect(observed!.runs).toBeGreaterThan(0)
  })

  // What no privilege can be had for is a reason to skip, and no failure.
  it('skips what root may not do either', ({ skip }) => {
    const without = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin']
    if (spawnSync('setpriv', [...without, 'true']).status !== 0) skip('setpriv is for root')
    if (!existsSync('/dev/fuse')) skip('there is no /dev/fuse')
    const words = [...without, program, '--times', '2', 'direct']
    const { stdout, status } = spawnSync('setpriv', words, { encoding: 'utf8' })
    expect(readObserved(stdout)[0]!.skips).toEqual([
      expect.objectContaining({ line: 3, reason: expect.stringContaining('Operation not permitted') }),
    ])
    expect(status).toBe(77)
  })

  // A signal that it can answer, one that it cannot, and both for each of the two processes that could clean up.
  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
    for (const name of ['waits', 'ring', 'looks', 'direct'] as const) {
      const mounts = readFileSync('/proc/self/mounts', 'utf8')
      const child = spawn(program, ['--times', '1000000', '--timeout', '60000', name], {
        stdio: 'ignore',
      })
      const ended = new Promise((resolve) => child.on('exit', resolve))
      await new Promise((resolve) => setTimeout(resolve, 300))
      child.kill(signal)
      await ended
      await expect.poll(() => processesOf(program), { timeout: 10_000 }).toEqual([])
      expect(readFileSync('/proc/self/mounts', 'utf8')).toBe(mounts)
    }
  })

  it('cleans up when the process that watches its runs is killed', async () => {
    const child = spawn(program, ['--times', '1000000', '--timeout', '60000', 'waits'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const watcher = execFileSync('ps', ['-o', 'pid=', '--ppid', `${child.pid}`], { encoding: 'utf8' }).trim()
    process.kill(Number(watcher), 'SIGKILL')
    expect(await ended).toBe(2)
    expect(text).toContain('Broken the process that watched the runs was ended by signal 9')
    await expect.poll(() => processesOf(program), { timeout: 10_000 }).toEqual([])
  })
})

describe.runIf(onLinux)('an emitted program in which something breaks', { timeout: 60_000 }, () => {
  const PART = 'static const struct part vmsplice_part = { .probe = vmsplice_probe };'
  const MADE_READY = `
static void ready(void) { puts("Ready"); }
static void undo(void) { puts("Undone"); }
static const struct part vmsplice_part = { vmsplice_probe, ready, undo };
`

  /** What it prints if its parts can be told to fail. */
  async function run(
    name: string,
    ...changes: (readonly [string, string])[]
  ): Promise<[string, number | null]> {
    const wrong = [[PART, MADE_READY] as const, ...changes].reduce(
      (text, [from, to]) => {
        expect(text.split(from).length).toBe(2)
        return text.replace(from, () => to)
      },
      emit(parse(SOURCES.pipe).test),
    )
    const file = await build(wrong, folder, name)
    const { stdout, status } = spawnSync(file, ['--times', '5'], { encoding: 'utf8' })
    return [stdout, status]
  }

  it('undoes what it did if nobody can watch its runs', async () => {
    const [text, code] = await run('alone', ['watching = fork();', 'errno = EAGAIN, watching = -1;'])
    expect(text).toMatch(
      /Ready\n(Copies.*\n)?Broken fork: Resource temporarily unavailable\nUndone\nResult broken\n$/,
    )
    expect(code).toBe(2)
  })

  it('undoes what it did if not all can be made ready', async () => {
    const [text, code] = await run('unready', ['puts("Ready");', 'broken("not %s", "today");'])
    expect(text).toMatch(/Broken not today\nUndone\nResult broken\n$/)
    expect(code).toBe(2)
  })

  it('tells what it has seen if the process that watches breaks', async () => {
    const prepare = 'static void vmsplice_prepare(int ref)\n{\n'
    const count = 'static int prepared;\n\tif (prepared++ == 3)\n\t\tbroken("enough");\n'
    const [text, code] = await run('enough', [prepare, `${prepare}\t${count}`])
    expect(text).toMatch(/Broken enough\nHistogram [\s\S]*\nUndone\nResult broken\n$/)
    expect(readObserved(text)[0]).toMatchObject({ ending: 'broken', message: 'enough', runs: 3 })
    expect(code).toBe(2)
  })

  it('says that it has seen too many outcomes', async () => {
    const [text, code] = await run('many', ['MOST_OUTCOMES = 4096', 'MOST_OUTCOMES = 0'])
    expect(text).toMatch(/Broken more than 0 outcomes\nHistogram [\s\S]*\nUndone\nResult broken\n$/)
    expect(code).toBe(2)
  })
})

/** The numbers of all processes that run a program. */
function processesOf(program: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] === program
    } catch {
      return false
    }
  })
}
