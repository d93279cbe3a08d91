import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import { spinAvailable } from '../spin.ts'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)
const packageVersion = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version

describe.concurrent('cowherd', () => {
  it('tells its version', async () => {
    expect(await cowherd(['--version'])).toEqual({ code: 0, stdout: `${packageVersion}\n`, stderr: '' })
  })

  it('helps, with examples', async () => {
    const { code, stdout } = await cowherd(['--help'])
    expect(stdout).toContain('Examples:')
    expect(code).toBe(0)
  })

  it('suggests the command that was probably meant', async () => {
    const { code, stderr } = await cowherd(['chekc'])
    expect(stderr).toContain('Did you mean check?')
    expect(code).toBe(2)
  })

  it('suggests the design that was probably meant', async () => {
    const { code, stderr } = await cowherd(['check', leak, '--design', 'v5.20,torvlads'])
    expect(stderr).toMatch(/unknown design "v5.20"; did you mean "v5.\d+"\?/)
    expect(stderr).toContain('unknown design "torvlads"; did you mean "torvalds"?')
    expect(code).toBe(2)
  })

  it.each([
    [['check', '--max-states', 'many']],
    [['check', '--max-states', '0']],
    [['check', '--max-seconds', '-1']],
    [['check', '--workers', '1.5']],
    [['check', '--nonsense']],
    [['check', '--design', ',']],
    [['check', '--typecheck', '--design', 'v5.7']],
    [['show']],
    [['show', leak]],
    [['show', 'no-such-test', '--design', 'v5.7']],
    [['show', leak, '--design', 'v5.7,v5.8']],
    [['show', leak, '--design', 'v5.7', '--outcome', 'child.r0']],
    [['export', leak, '--design', 'v5.7', '--to', 'tla']],
    [['export', leak, '--design', 'v5.7', '--to', 'promela', '--max-states', '10']],
    [['export', leak, '--design', 'v5.7', '--to', 'promela', '-o', join(folder, 'no', 'such', 'folder')]],
    [['designs', 'v5.6']],
  ])('does not take %j', async (args) => {
    const { code, stdout, stderr } = await cowherd(args)
    expect(stderr).not.toBe('')
    expect(looksLikeStack(stderr)).toBe(false)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe.concurrent('cowherd show', () => {
  it('shows the run to the worst outcome', async () => {
    const { code, stdout, stderr } = await cowherd(['show', leak, '--design', 'v5.7'])
    expect(stdout).toContain('leak under v5.7')
    expect(stdout).toContain('missed COW')
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('folds it to a few lines', async () => {
    const { stdout } = await cowherd(['show', leak, '--design', 'v5.7', '--fold', '12'])
    expect(stdout.split('\n').length).toBeLessThan(40)
  })

  it('shows a right run where nothing is wrong, and says so', async () => {
    const { code, stdout } = await cowherd(['show', leak, '--design', 'v5.8', '--copies'])
    expect(stdout).toContain('This run is right: in this test nothing goes wrong (82 states, exhaustive).')
    expect(stdout).toContain('Copies: ')
    expect(code).toBe(0)
  })

  it('shows the outcome that is asked for, or tells which there are', async () => {
    const found = await cowherd([
      'show',
      leak,
      '--design',
      'v5.7',
      '--outcome',
      'child.r0 == 1 and parent.x=1',
    ])
    expect(found.code).toBe(0)
    const { code, stderr } = await cowherd(['show', leak, '--design', 'v5.7', '--outcome', 'child.r0=0'])
    expect(stderr).toBe('no outcome has child.r0=0; there are:\n  child.r0=1 parent.x=1 child.p=1\n')
    expect(code).toBe(2)
  })

  it('finds tests of the suite by name', async () => {
    const { code, stdout } = await cowherd(['show', 'vmsplice-child', '--design', 'v5.7'], { cwd: folder })
    expect(stdout).toContain('vmsplice-child under v5.7')
    expect(code).toBe(0)
  })
})

describe.concurrent('cowherd designs', () => {
  it('tells of all designs and variants within the width', async () => {
    const { code, stdout } = await cowherd(['designs'])
    for (const name of [
      'eager',
      'v5.7',
      'hildenbrand-v1',
      'torvalds',
      'torvalds+get',
      'v5.19',
      'v6.1',
      'v7.3',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${name.replace('+', '\\+')} `, 'm'))
    }
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(code).toBe(0)
  })

  it('tells of one', async () => {
    const { stdout } = await cowherd(['designs', 'v5.19'])
    expect(stdout).toContain('gup_must_unshare')
    expect(stdout).toContain('6c287605fd56')
  })
})

describe.concurrent('cowherd export', () => {
  it('writes Promela', async () => {
    const file = join(folder, 'leak.pml')
    const { code } = await cowherd(['export', leak, '--design', 'v5.7', '--to', 'promela', '-o', file])
    expect(readFileSync(file, 'utf8')).toContain('active proctype')
    expect(code).toBe(0)
  })

  it.runIf(spinAvailable())('prints commands that work as they are', async () => {
    const cwd = join(folder, 'spin')
    mkdirSync(cwd)
    const name = "the -leak's.pml"
    await cowherd(['export', leak, '--design', 'v5.7', '--to', 'promela', '-o', join(cwd, name)])
    const printed = readFileSync(join(cwd, name), 'utf8').matchAll(/^ {2}(spin .*)$/gm)
    const said = [...printed].map(([, command]) => {
      const { status, stdout } = spawnSync('sh', ['-c', command!], { cwd, encoding: 'utf8' })
      expect([command, status]).toEqual([command, 0])
      return stdout
    })
    expect(said).toEqual([
      expect.stringContaining('errors: 0'),
      expect.stringContaining('end state in claim reached'),
      expect.stringContaining('v_child_r0 = 1'),
    ])
  })
})

describe('cowherd new', () => {
  it('writes a test that runs as it is, with no surprise under any design', async () => {
    const written = await cowherd(['new', 'my test.litmus'], { cwd: folder })
    expect(written.stdout).toContain("cowherd check 'my test.litmus'")
    expect(written.code).toBe(0)
    const { code, stdout, stderr } = await cowherd(['check', 'my test.litmus'], { cwd: folder })
    expect(stdout).toContain(`${DESIGNS.length} cells`)
    expect(stdout).toContain('no surprises')
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('never overwrites', async () => {
    const { code, stderr } = await cowherd(['new', 'leak.litmus'], { cwd: folder })
    expect(stderr).toBe('leak.litmus: there is such a file already; it was left as it is\n')
    expect(readFileSync(leak, 'utf8')).toBe(LEAK)
    expect(code).toBe(2)
  })

  it('says why it cannot write', async () => {
    const missing = await cowherd(['new', 'no/such/folder.litmus'], { cwd: folder })
    expect(missing.stderr).toBe('no/such/folder.litmus: there is no such file or folder\n')
    const within = await cowherd(['new', 'leak.litmus/x.litmus'], { cwd: folder })
    expect(within.stderr).toBe('leak.litmus/x.litmus: a part of this path is a file, not a folder\n')
    expect([missing.code, within.code]).toEqual([2, 2])
  })
})
