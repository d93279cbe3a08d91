import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CLI, cowherd, LARGE, LEAK, looksLikeStack, scratch } from './cowherd.ts'
import { endlessDesign } from './endless.ts'

const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)
const known = write(
  'known.litmus',
  `${LEAK.replace('test leak', 'test known')}expect v5.7: missed-cow, violated "the mapcount is blind"\n`,
)

const ENDLESS = endlessDesign('endless', "console.log('loaded')")

describe('cowherd check', () => {
  it('prints a block in herd7’s words for each cell, and the table', async () => {
    const { code, stdout, stderr } = await cowherd(['check', known, '--design', 'v5.7,v5.8'])
    expect(stdout.replace(/\d+\.\d s/, '0.1 s')).toMatchInlineSnapshot(`
      "Test known  v5.7
      Outcomes 1 (59 states, exhaustive)
      * missed COW  child.r0=1 parent.x=1 child.p=1
      Condition never child.r0 == 1: violated
      Observation child.r0 == 1 Always 1 0 (59 states, exhaustive)
      Verdict missed COW (known, reproduced: "the mapcount is blind")

      Test known  v5.8
      Outcomes 1 (82 states, exhaustive)
        right  child.r0=0 parent.x=1 child.p=0
      Condition never child.r0 == 1: holds
      Observation child.r0 == 1 Never 0 1 (82 states, exhaustive)
      Verdict right

                   5.7    5.8
        known      MISSED ok

      ok = right: no outcome that eager forbids
      MISSED = missed COW: somebody sees another process’s later write

      2 cells, 141 states, 0.1 s, no surprises.
      "
    `)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('tells of a violation that nobody expects, and how to see it', async () => {
    const { code, stdout } = await cowherd(['check', 'leak.litmus', '-d', 'v5.7', '-d', 'eager'], {
      cwd: folder,
    })
    expect(stdout).toContain('MISSED!')
    expect(stdout).toContain('1 surprise:')
    expect(stdout).toContain('cowherd show leak.litmus --design v5.7')
    expect(code).toBe(1)
  })

  it('tells of an expectation that is not met', async () => {
    const wrong = write('wrong.litmus', `${LEAK}expect v5.8: missed-cow "so they say"\n`)
    const { code, stdout } = await cowherd(['check', wrong, '--design', 'v5.8'])
    expect(stdout).toContain('expected missed COW ("so they say"), found right')
    expect(code).toBe(1)
  })

  it('takes tests by the names that show takes', async () => {
    const { code, stdout } = await cowherd(['check', 'protect/write-pin', 'both-write', '--design', 'v5.19'])
    expect(stdout).toContain('Test write-pin  v5.19')
    expect(stdout).toContain('Test both-write  v5.19')
    expect(code).toBe(0)
  })

  it('gives the same answers with one job at a time and with three', async () => {
    const results = await Promise.all(
      ['1', '3'].map((jobs) => cowherd(['check', leak, known, '--json', '--jobs', jobs])),
    )
    const [one, three] = results.map(({ stdout }) => stdout.replaceAll(/"milliseconds": \d+/g, ''))
    expect(one).toBe(three)
  })

  it('finds the same with three threads at one thing', async () => {
    const large = fileURLToPath(new URL('../../bench/tests/1-shared-page.litmus', import.meta.url))
    const args = ['check', large, '--design', 'v5.9', '--json', '--jobs', '1', '--workers']
    const results = await Promise.all(['1', '3'].map((workers) => cowherd([...args, workers])))
    const [one, three] = results.map(({ stdout }) => {
      const [cell] = JSON.parse(stdout).tests[0].cells
      const keys = cell.outcomes.map(({ key }: { readonly key: string }) => key)
      return { states: cell.states, transitions: cell.transitions, verdict: cell.verdict, keys: keys.sort() }
    })
    expect(one?.states).toBe(63_669)
    expect(three).toEqual(one)
  }, 120_000)

  it('prints JSON with everything in it, and nothing else', async () => {
    const { code, stdout } = await cowherd(['check', leak, '--design', 'v5.7', '--json', '--copies'])
    const { version, tests, summary } = JSON.parse(stdout)
    expect(version).toBe(1)
    expect(tests[0].cells[0]).toMatchObject({
      design: 'v5.7',
      status: 'done',
      verdict: 'missed-cow',
      verdictSoFar: false,
      surprise: true,
      exhaustive: true,
      outcomes: [{ key: 'child.r0=1 parent.x=1 child.p=1', verdict: 'missed-cow', needs: null }],
      conditions: [{ quantifier: 'never', holds: false, observation: 'Always', positive: 1, negative: 0 }],
      copies: { exhaustive: true },
    })
    expect(summary).toMatchObject({ cells: 1, surprises: 1, interrupted: false })
    expect(code).toBe(1)
  })

  it('fits the table of all designs into 80 columns', async () => {
    const { stdout } = await cowherd(['check', leak, known, '--design', 'all'])
    const table = stdout
      .split('\n')
      .filter((line) => /^ {2}(leak|known) |^ +(eager|torv) /.test(line))
      .slice(-6)
    // Twice a head and two rows: there are more designs than fit.
    expect(table).toHaveLength(6)
    expect(table.every((line) => line.length <= 80)).toBe(true)
  })

  it('says that a bounded exploration proves nothing', async () => {
    const { code, stdout } = await cowherd(['check', leak, '--design', 'v5.8', '--max-depth', '20'])
    expect(stdout).toMatch(/Observation child.r0 == 1 not found in \d+ states \(bounded by depth/)
    expect(stdout).toContain('Condition never child.r0 == 1: not decided')
    expect(stdout).toContain('1 not explored to the end')
    expect(code).toBe(0)
  })

  it('says in JSON beside a verdict that it is one so far', async () => {
    const args = ['check', leak, '--design', 'v5.7', '--max-states', '10', '--json']
    const [cell] = JSON.parse((await cowherd(args)).stdout).tests[0].cells
    expect(cell).toMatchObject({ verdict: 'right', verdictSoFar: true, bounded: 'states', outcomes: [] })
  })

  it('reports a signal that nobody sends as a deadlock', async () => {
    const test = 'test stuck\npage x = 0\nprocess p { thread a { wait go }\n thread b { x = 1 } }\n'
    const { code, stdout } = await cowherd(['check', write('stuck.litmus', test), '--design', 'v5.19'])
    expect(stdout).toContain('deadlock  no thread can go on')
    expect(code).toBe(1)
  })

  it('warns about an expectation for a design that nobody knows', async () => {
    const test = write('typo.litmus', `${LEAK}expect v5.88: right\n`)
    const { stderr } = await cowherd(['check', test, '--design', 'eager'])
    expect(stderr).toContain('typo.litmus:6:8: warning: unknown design "v5.88"')
    expect(stderr).toContain('did you mean "v5.8"?')
  })
})

describe('cowherd check, given what is no test', () => {
  const random = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256))

  it.each([
    ['an empty file', '', 'this file has no test'],
    ['random bytes', random, 'error:'],
    ['ten thousand lines', 'x = 1\n'.repeat(10_000), 'expected'],
    [
      'ten thousand statements',
      `test t\npage x = 0\nprocess p {\n${'x=1\n'.repeat(10_000)}}\n`,
      'expected at most 64',
    ],
    ['megabytes', 'x'.repeat(3_000_000), 'far too long'],
    ['no process', 'test t\npage x = 0\n', 'this test has no process'],
    ['an undeclared page', 'test t\nprocess p { y = 1 }\n', '"y"'],
  ])('%s', async (name, content, message) => {
    const file = write(`${name.replaceAll(' ', '-')}.litmus`, content)
    const { code, stderr } = await cowherd(['check', file, '--design', 'eager'])
    expect(stderr).toContain(message)
    expect(looksLikeStack(stderr)).toBe(false)
    expect(code).toBe(2)
  })

  it('a name that is neither a test of the suite nor a file', async () => {
    const { code, stderr } = await cowherd(['check', 'both-writes', 'both-write', '--design', 'eager'])
    expect(stderr).toBe('both-writes: there is no such file or folder\n')
    expect(code).toBe(2)
  })

  it('a name that several tests have', async () => {
    const { code, stderr } = await cowherd(['check', 'write-pin', '--design', 'eager'])
    expect(stderr).toMatch(/^several tests are called "write-pin"; say which: /)
    expect(code).toBe(2)
  })

  it('a file and a folder that are not there, beside a test that is', async () => {
    const { code, stdout, stderr } = await cowherd(
      ['check', 'nowhere.litmus', 'leak.litmus', 'nowhere', '--design', 'eager'],
      { cwd: folder },
    )
    expect(stderr).toBe(
      'nowhere.litmus: there is no such file or folder\nnowhere: there is no such file or folder\n',
    )
    expect(stdout).toContain('Test leak')
    expect(stdout).toContain('2 in error')
    expect(code).toBe(2)
  })

  it('a folder without tests', async () => {
    mkdirSync(join(folder, 'empty'))
    const { code, stderr } = await cowherd(['check', 'empty'], { cwd: folder })
    expect(stderr).toBe('empty: there is no .litmus file in this folder\n')
    expect(code).toBe(2)
  })
})

describe('cowherd check, when somebody does not wait for the end', () => {
  const endless = write('endless.ts', ENDLESS)

  /** Ctrl-C, some time after the design has said that it is loaded. */
  function pressCtrlC(child: ChildProcess): void {
    child.stderr!.once('data', () => setTimeout(() => child.kill('SIGINT'), 2_500))
  }

  it('prints what is known at Ctrl-C, and marks what is not', async () => {
    const large = write('large.litmus', LARGE)
    const { code, stdout, stderr } = await cowherd(['check', leak, large, '-d', `v5.7,v5.8,${endless}`], {
      whenRunning: pressCtrlC,
    })
    expect(stdout).toContain('Interrupted.')
    expect(stdout).toMatch(/^ {2}large +- +- +-$/m)
    expect(stdout).toContain('large: interrupted while its yardstick was explored')
    expect(looksLikeStack(stderr)).toBe(false)
    expect(code).toBe(130)
  })

  it('prints the part of a cell that was explored', async () => {
    const { code, stdout } = await cowherd(['check', leak, '--design', endless], { whenRunning: pressCtrlC })
    expect(stdout).toMatch(/Outcomes \d+ \([\d,]+ states, interrupted/)
    expect(stdout).toContain('Interrupted. 1 cell')
    expect(code).toBe(130)
  })

  it('says nothing when its reader goes away', async () => {
    const script = '{ sleep 1; "$1" "$2" designs; } | true'
    const shell = spawn('sh', ['-c', script, 'sh', process.execPath, CLI])
    let complaints = ''
    shell.stderr.on('data', (data) => {
      complaints += data
    })
    await new Promise((resolve) => shell.on('close', resolve))
    expect(complaints).toBe('')
  })
})
