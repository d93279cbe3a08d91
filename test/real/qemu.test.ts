// Virtual machines, where there is QEMU and a kernel (`cowherd kernels add`): one that works, one that crashes, one that hangs.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from '../../src/litmus/index.ts'
import { build } from '../../src/real/build.ts'
import { emitAll } from '../../src/real/emit.ts'
import { MachineFault } from '../../src/real/fault.ts'
import { listKernels } from '../../src/real/kernels.ts'
import type { RunSettings } from '../../src/real/machine.ts'
import { qemu } from '../../src/real/qemu.ts'

const [kernel] = listKernels()
const available = kernel !== undefined && spawnSync('qemu-system-x86_64', ['--version']).status === 0

const folder = mkdtempSync(join(tmpdir(), 'cowherd-qemu-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SETTINGS: RunSettings = { times: 3, seed: 1, patience: 30, limit: 240, system: false, pages: false }

const SWAP = `test swap
page x = 5
process p { pageout x; r0 = x }
`
const KSM = `test ksm
page x = 5
page y = 5
process p { merge x with y; y = 6; r0 = x }
`
const SHARED = `test shared
page x = 5
process p { fork q; wait s; x = 6; r0 = x }
process q { reclaim x; signal s }
`

/** Prints what a test prints at its start, and then crashes the machine, or waits for ever. */
const FATAL = (end: string): string => `
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **word)
{
	for (int i = 1; i < count; i++) {
		if (word[i][0] == '-' || (word[i][0] >= '0' && word[i][0] <= '9') )
			continue;
		printf("Test %s\\nKernel 6.1.0-x #1\\n", word[i]);
		fflush(stdout);
		usleep(500000);
		if (strcmp(word[i], "fatal") == 0)
			${end};
		printf("1 :>a.r0=1; \\nResult done\\n");
	}
}
`

describe.runIf(available)('a virtual machine', { timeout: 300_000 }, () => {
  let program = ''
  beforeAll(async () => {
    program = await build(emitAll([SWAP, KSM, SHARED].map((source) => parse(source).test)), folder, 'test')
  })

  it('has swap, KSM and control groups of its own', async () => {
    const seen = await qemu(kernel!).run(program, ['swap', 'ksm', 'shared'], folder, SETTINGS)
    expect(seen.map(({ test, ending, skips }) => ({ test, ending, skips }))).toEqual(
      ['swap', 'ksm', 'shared'].map((test) => ({ test, ending: 'done', skips: [] })),
    )
    expect(seen.map(({ seen }) => seen.map(({ key }) => key))).toEqual([
      expect.arrayContaining(['p.r0=5 p.x=5']),
      expect.arrayContaining(['p.r0=5 p.x=5 p.y=6']),
      expect.arrayContaining(['p.r0=6 p.x=6 q.x=5']),
    ])
    for (const { kernel: release } of seen) expect(release).toBe(kernel!.release)
    // At least once each: the page went to swap, the pages were merged.
    for (const { seen: lines } of seen) {
      expect(lines.some(({ effects }) => effects.length > 0)).toBe(true)
    }
    expect(seen[1]!.seen.some(({ effects }) => effects.every(({ done }) => done))).toBe(true)
  })

  it('that crashes is blamed on the test in which it did, and the others are run all the same', async () => {
    const crash = 'write(open("/proc/sysrq-trigger", O_WRONLY), "c", 1), sleep(60)'
    const fatal = await build(FATAL(crash), folder, 'fatal')
    const seen = await qemu(kernel!).run(fatal, ['one', 'fatal', 'three'], folder, SETTINGS)
    expect(seen.map(({ test, ending }) => `${test} ${ending}`)).toEqual([
      'one done',
      'fatal crashed',
      'three done',
    ])
    expect(seen[1]!.message).toMatch(/panic|sysrq/i)
  })

  it('is called with as many words as there are', async () => {
    const told = await build(
      '#include <stdio.h>\nint main(int n, char **word) { for (int i = 1; i < n; i++) printf("Test %s\\nKernel 6.1.0-x #1\\n%d :>a.r0=1;\\nResult done\\n", word[i], n); }\n',
      folder,
      'told',
    )
    const names = Array.from({ length: 700 }, (_, i) => `${i}-${'x'.repeat(150)}`)
    const seen = await qemu(kernel!).run(told, names, folder, SETTINGS)
    const found = seen.filter(({ test }) => names.includes(test))
    expect(found.length).toBe(700)
    // All at once, and not those that were left over in another life.
    expect(found.every(({ runs }) => runs > 700)).toBe(true)
  })

  it('that goes on for ever is ended', async () => {
    const stuck = await build(FATAL('sleep(10000)'), folder, 'stuck')
    const seen = await qemu(kernel!).run(stuck, ['one', 'fatal'], folder, { ...SETTINGS, limit: 45 })
    expect(seen.map(({ test, ending }) => `${test} ${ending}`)).toEqual(['one done', 'fatal stopped'])
    expect(seen[1]!.message).toBe(
      'all tests together have 45 s, and they were over; a higher --limit gives them more',
    )
  })

  it('without a kernel that starts says so', async () => {
    const none = { ...kernel!, image: program }
    await expect(qemu(none).run(program, ['swap'], folder, { ...SETTINGS, limit: 20 })).rejects.toThrow(
      MachineFault,
    )
  })
})
