/** Building anew is harmless to whoever runs `dist` at that moment. */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { CLI } from './cowherd.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DIST = dirname(CLI)

function build(): void {
  execFileSync(process.execPath, ['build.mjs'], { cwd: ROOT })
}

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
  build()
  const after = filesNow()
  expect(after.filter((file) => !before.includes(file))).toEqual([])
  expect(after).toHaveLength(before.length)
})

it('what is not right is replaced, and not written to', () => {
  // Nobody but a debugger reads that one.
  const path = join(DIST, 'live_web.js.map')
  const right = readFileSync(path, 'utf8')
  writeFileSync(path, 'wrong')
  const opened = openSync(path, 'r')
  build()
  expect(readFileSync(path, 'utf8')).toBe(right)
  expect(readFileSync(opened, 'utf8')).toBe('wrong')
  closeSync(opened)
})

it('the command can be run, and what an older build has left is gone', () => {
  const old = join(DIST, 'chunk-OLD.js')
  writeFileSync(old, '')
  chmodSync(CLI, 0o644)
  build()
  expect(statSync(CLI).mode & 0o777).toBe(0o755)
  expect(readdirSync(DIST)).not.toContain('chunk-OLD.js')
})
