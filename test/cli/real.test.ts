// `cowherd emit`, `run`, `kernels` and `conform`, as a person would call them, with what can go wrong.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CLI, looksLikeStack, scratch } from './cowherd.ts'

const { folder, write } = scratch()
const cache = join(folder, 'cache')

const PLAIN = write('plain.litmus', 'test plain\npage x = 0\nprocess p { x = 1; r0 = x }\nalways p.r0 == 1\n')
// On a machine of others it is not done.
const GROUP = write('group.litmus', 'test group\npage x = 0\nprocess p { reclaim x }\n')
const ACTOR = write('actor.litmus', 'test actor\npage x = 0\nactor kswapd\nprocess p { x = 1 }\n')

function cowherd(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '80', XDG_CACHE_HOME: cache, ...more }
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  expect(looksLikeStack(stderr)).toBe(false)
  return { code: status, stdout, stderr }
}

/** Bytes that begin as a kernel does, and end there. */
function image(release: string): Buffer {
  const bytes = Buffer.alloc(0x4000)
  bytes.write('HdrS', 0x202)
  bytes.writeUInt16LE(0x3000, 0x20e)
  bytes.write(`${release} (nobody) #1\0`, 0x3200)
  return bytes
}

describe('cowherd emit', () => {
  it('prints a program, or writes it', () => {
    expect(cowherd(['emit', PLAIN]).stdout).toContain('int main(int count, char **word)')
    const written = cowherd(['emit', 'vmsplice-child', '-o', join(folder, 'v.c')])
    expect(written).toMatchObject({ code: 0, stdout: '' })
    expect(written.stderr).toContain('gcc -O1 -pthread -static')
  })

  it('says what has no C form, and where', () => {
    const { code, stderr } = cowherd(['emit', ACTOR])
    expect(code).toBe(2)
    expect(stderr).toContain('actor.litmus:3:1: error: no program can have kswapd act at any moment')
  })

  it.each([
    [['emit', 'no-such-test']],
    [['emit', PLAIN, '--to', 'rust']],
    [['emit', PLAIN, '-o', '/no/such/folder/x.c']],
  ])('does not take %j', (args) => expect(cowherd(args)).toMatchObject({ code: 2, stdout: '' }))
})

describe('cowherd run', () => {
  it.runIf(process.platform === 'linux')('runs a test here, and compares', () => {
    const { code, stdout } = cowherd(['run', PLAIN, '--on', 'host', '--times', '3'])
    expect(stdout).toMatch(
      /Runs 3\n +3 {2}p\.r0=1 p\.x=1( \[0 copies\])?\n(Copies not counted.*\n)?Verdict agrees/,
    )
    expect(code).toBe(0)
  })

  it.runIf(process.platform === 'linux')('ends with another code if something was skipped', () => {
    expect(cowherd(['run', PLAIN, ACTOR, '--on', 'host', '--times', '3']).code).toBe(77)
    const { code, stdout } = cowherd(['run', PLAIN, GROUP, '--on', 'host', '--times', '3'])
    expect(stdout).toMatch(/Skipped line 3, reclaim x: /)
    expect(stdout).toContain('Verdict agrees')
    expect(code).toBe(77)
  })

  it('says that there is no compiler', () => {
    const { code, stderr } = cowherd(['run', PLAIN, '--on', 'host'], { PATH: folder })
    expect(stderr).toMatch(/^there is no gcc; install gcc and libc6-dev/)
    expect(code).toBe(2)
  })

  // A compiler whose program is a script, which prints an outcome and is done: then the model is explored, for long.
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends at %s while it compares', async (signal) => {
    const stores = (word: string): string =>
      Array.from({ length: 8 }, (_, i) => `${word} = ${i + 1}`).join('; ')
    const loads = (first: number): string =>
      Array.from({ length: 6 }, (_, i) => `r${first + i} = ${i % 2 === 0 ? 'a' : 'b'}`).join('; ')
    const large = write(
      'large.litmus',
      `test large\npage x: a = 0, b = 0\nprocess p { thread one { ${stores('a')} } thread two { ${stores('b')} } thread three { ${loads(0)} } thread four { ${loads(6)} } }\n`,
    )
    const bin = join(folder, `bin-${signal}`)
    const ran = join(folder, `ran-${signal}`)
    mkdirSync(bin, { recursive: true })
    const gcc = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
cat > "$2" <<'end'
#!/bin/sh
for name; do :; done
echo "Test $name"
echo "Kernel 6.12.1 #1"
echo "1 :>p.x.a=8;"
echo "Result done"
: > ${ran}
end
chmod +x "$2"
`
    writeFileSync(join(bin, 'gcc'), gcc, { mode: 0o755 })
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
    const child = spawn(process.execPath, [CLI, 'run', large, '--on', 'host'], { env })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    await expect.poll(() => existsSync(ran), { timeout: 20_000 }).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    child.kill(signal)
    const began = Date.now()
    expect(await ended).toBe(130)
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(stderr).toBe('host: interrupted before all that it did was compared with the model\n')
  })

  it.each([
    [['run', PLAIN], 'required option'],
    [['run', PLAIN, '--on', 'moon'], '"moon" is no machine'],
    [['run', PLAIN, '--on', 'qemu:6.1'], 'there is no kernel "6.1": none was added yet'],
    [['run', PLAIN, '--on', 'host', '--times', '0'], 'Expected a whole number'],
    [['run', PLAIN, '--on', 'host', '--limit', '1_000_001'], 'from 1 to 1,000,000'],
    [['run', PLAIN, '--on', 'host', '--patience', '100001'], 'from 1 to 100,000'],
    [['conform', PLAIN, '--kernels', 'host', '--times', '1e300'], 'from 1 to 1,000,000,000'],
    [['run', ACTOR, '--on', 'host'], 'none of these tests has a C form'],
    [['conform', PLAIN], 'no kernel was added yet'],
    [['conform', PLAIN, '--kernels', 'host', '-o', 'none/page.md'], 'none/page.md: '],
    [['conform', PLAIN, '--kernels', 'host', '-o', '.'], '.: it is a folder'],
    [['conform', PLAIN, '--kernels', ','], '--kernels names no kernel'],
    [['kernels', 'add'], 'missing required argument'],
  ])('does not take %j', (args, message) => {
    const { code, stdout, stderr } = cowherd(args)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe('cowherd kernels', () => {
  it('adds an image, lists and removes it', () => {
    const file = write('bzImage', image('6.99.1-test'))
    expect(cowherd(['kernels', 'add', file])).toMatchObject({ code: 0, stdout: '' })
    expect(cowherd(['kernels']).stdout).toBe('6.99.1-test  (bzImage)\n')
    const other = write('bzImage2', image('6.99.2-test'))
    cowherd(['kernels', 'add', other])
    expect(cowherd(['kernels', 'remove', '6.99']).stderr).toContain('several kernels begin with "6.99"')
    expect(cowherd(['kernels', 'remove', '6.99.1']).code).toBe(0)
    expect(cowherd(['kernels', 'list']).stdout).toBe('6.99.2-test  (bzImage2)\n')
    // A number is not part of a longer one, and the name that Debian's kernels are added by is known, too.
    expect(cowherd(['kernels', 'remove', '6.9']).stderr).toContain(
      'there is no kernel "6.9": there are 6.99.2-test',
    )
    cowherd(['kernels', 'add', write('bzImage5', image('6.9.1-test'))])
    expect(cowherd(['kernels', 'remove', 'debian-6.9']).stderr).toContain('Removed 6.9.1-test')
    expect(cowherd(['kernels', 'remove', '6.99.2-test']).code).toBe(0)
  })

  it('says that there is no QEMU', () => {
    cowherd(['kernels', 'add', write('bzImage3', image('6.99.3-test'))])
    // A compiler, and nothing else.
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'gcc'), '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n: > "$2"\n', {
      mode: 0o755,
    })
    const { code, stderr } = cowherd(['run', PLAIN, '--on', 'qemu:6.99.3'], { PATH: bin })
    expect(stderr).toMatch(/^there is no qemu-system-x86_64; install qemu-system-x86/)
    expect(code).toBe(2)
    cowherd(['kernels', 'remove', '6.99.3'])
  })

  it.each([
    [[PLAIN], 'plain.litmus: this is not a kernel image for x86'],
    [['./none.deb'], './none.deb: there is no such file'],
    [['./none'], './none: there is no such file'],
  ])('does not add %j', (files, message) => {
    const { code, stderr } = cowherd(['kernels', 'add', ...files])
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(cowherd(['kernels']).stdout).toBe('')
  })

  it('says that there is nowhere to keep one', () => {
    const file = write('bzImage4', image('6.99.4-test'))
    const { code, stderr } = cowherd(['kernels', 'add', file], { XDG_CACHE_HOME: PLAIN })
    expect(stderr).toContain('plain.litmus/cowherd/kernels/6.99.4-test: ')
    expect(code).toBe(2)
  })
})
