/** docs/claims.md is what `cowherd claims --markdown` prints. With UPDATE_CLAIMS=1 it is written anew instead. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../..', import.meta.url).pathname
const PAGE = `${ROOT}docs/claims.md`

test('docs/claims.md is current', { timeout: 400_000 }, () => {
  const page = execFileSync(process.execPath, [`${ROOT}dist/cli.js`, 'claims', '--markdown'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' },
  })
  if (process.env.UPDATE_CLAIMS !== undefined) writeFileSync(PAGE, page)
  expect(readFileSync(PAGE, 'utf8')).toBe(page)
})
