/** Building anew is harmless to whoever runs `dist` at that moment. */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { CLI } from './cowherd.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DIST = dirname(CLI)

/** Which file each name stands for, and when it was last written. */
function filesNow(): string[] {
  const files = readdirSync(DIST, { withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ name }) => {
    const { ino, mtimeMs } = statSync(join(DIST, name))
    return `${name} is ${ino} of ${mtimeMs}`
  })
}

it('what is built already is left alone', () => {
  const before = filesNow()
  execFileSync(process.execPath, ['build.mjs'], { cwd: ROOT })
  const after = filesNow()
  expect(after.filter((file) => !before.includes(file))).toEqual([])
  expect(after).toHaveLength(before.length)
})
