/**
 * What the README quotes is what the commands print. With UPDATE_README=1 the quotations are
 * written anew instead.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = new URL('..', import.meta.url).pathname
const README = join(ROOT, 'README.md')
const CLI = join(ROOT, 'dist/cli.js')
/** A marked block: what it is, and what stands between its fences. */
const BLOCK = /<!-- (file|output): (.*?) -->\n```\n([\s\S]*?)```/g

const text = readFileSync(README, 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'cowherd-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

for (const [, kind, name, content] of text.matchAll(BLOCK)) {
  if (kind === 'file') writeFileSync(join(folder, name!), content!)
}

/** Times differ from run to run; nothing else does. */
function timeless(output: string): string {
  return output.replace(/\d+\.\d s\b/g, '0.0 s').trimEnd()
}

function run(command: string): string {
  const args = command.split(' ').map((arg) => (arg.startsWith('suite/') ? join(ROOT, arg) : arg))
  const environment = { ...process.env, COLUMNS: '80', NO_COLOR: '1' }
  try {
    return execFileSync(process.execPath, [CLI, ...args], { cwd: folder, env: environment, encoding: 'utf8' })
  } catch (error) {
    // A violation that no test expects ends with exit code 1, and with output.
    return (error as { stdout: string }).stdout
  }
}

const quoted = [...text.matchAll(BLOCK)].filter(([, kind]) => kind === 'output')

test.runIf(process.env.UPDATE_README !== undefined)('the README is written anew', () => {
  const updated = text.replace(BLOCK, (block, kind: string, command: string) =>
    kind === 'output' ? `<!-- output: ${command} -->\n\`\`\`\n${timeless(run(command))}\n\`\`\`` : block,
  )
  writeFileSync(README, updated)
})

test
  .skipIf(process.env.UPDATE_README !== undefined)
  .each(quoted.map(([, , command, content]) => ({ command, content })))(
  'cowherd $command prints what the README says',
  ({ command, content }) => {
    expect(timeless(run(command!))).toBe(content!.trimEnd())
  },
)
