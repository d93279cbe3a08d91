// What a stranger gets: the package as npm packs it, in a folder where nothing else is installed.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DESIGNS } from '../src/designs/index.ts'
import { corpus } from './suite/corpus.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = Boolean(process.env.CI || process.env.FRESH_CLONE)

describe.skipIf(!wanted)('the package', () => {
  it('installs and runs', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'cowherd-package-'))
    const inFolder = { cwd: folder, encoding: 'utf8' } as const
    try {
      execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: root, stdio: 'pipe' })
      const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
      writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
      execFileSync(
        'npm',
        ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`],
        inFolder,
      )

      // The whole suite is there. That it ends as expected under every design is for test/suite/expectations.test.ts.
      const checked = execFileSync('npx', ['cowherd', 'check', '--design', 'v5.19'], inFolder)
      expect(checked).toMatch(new RegExp(`^${corpus().length} cells, .* no surprises`, 'm'))
      const claim = ['cowherd', 'claims', 'mapcount-rises-only-by-fork']
      expect(execFileSync('npx', claim, inFolder)).toContain('holds only if no page is swapped out or merged')

      writeFileSync(
        join(folder, 'design.ts'),
        "import { v5_7 } from 'cowherd'\nexport default { ...v5_7, name: 'seven' }\n",
      )
      const shown = execFileSync(
        'npx',
        ['cowherd', 'show', 'vmsplice-child', '--design', './design.ts'],
        inFolder,
      )
      expect(shown).toContain('missed COW')

      const typecheck = ['cowherd', 'check', '--design', './design.ts', '--typecheck']
      const { status, stderr } = spawnSync('npx', typecheck, inFolder)
      expect(stderr).toContain('npm install --save-dev typescript')
      expect(status).toBe(2)

      writeFileSync(
        join(folder, 'use.js'),
        "import { DESIGNS } from 'cowherd'\nconsole.log(DESIGNS.length)\n",
      )
      expect(execFileSync(process.execPath, ['use.js'], inFolder)).toBe(`${DESIGNS.length}\n`)

      expect(
        execFileSync('npx', ['cowherd', 'live', 'fast-pin', '--design', 'v5.11', '--runs', '20'], inFolder),
      ).toContain('Engine 1 of the 1 allowed outcomes seen')
      writeFileSync(
        join(folder, 'live.js'),
        "import { Memory } from 'cowherd/live'\nconst memory = Memory.create({ design: 'v5.19', frames: 4 })\nconsole.log(memory.freeFrames)\n",
      )
      expect(execFileSync(process.execPath, ['live.js'], inFolder)).toBe('4\n')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
