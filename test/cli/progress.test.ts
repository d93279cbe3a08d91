/** What somebody at a terminal sees while a command is at work. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CLI } from './cowherd.ts'

/** 7,417,064 states under v5.19. */
const LARGE = fileURLToPath(new URL('../../bench/tests/3-pins-forks-reads.litmus', import.meta.url))

const hasTerminals = spawnSync('script', ['--version']).status === 0

/** The lines that come after each other in one place. */
function onTerminal(args: readonly string[]): string[] {
  const command = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ')
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return stdout.split(/[\r\n]+/)
}

describe.skipIf(!hasTerminals)('on a terminal', () => {
  it('a long search says early how many states there will be', () => {
    const lines = onTerminal(['check', LARGE, '--design', 'v5.19', '--max-states', '4,000,000'])
    const guesses = lines.filter((line) =>
      /^0\/1 cells {2}[\d,]+ of about [\d.]+–[\d.]+ million, [\d–]+ s left/.test(line),
    )
    expect(guesses.length).toBeGreaterThan(0)
    // Its levels alone would say `4–35 million` then.
    const [, most] = /–([\d.]+) million/.exec(guesses[0]!)!
    expect(Number(most)).toBeLessThan(12)
  })

  it('a survey says how far it is', () => {
    const lines = onTerminal(['estimate', 'suite/leak', '--design', 'v5.19', '--jobs', '1'])
    expect(lines.some((line) => /\d+ of \d+ explorations/.test(line))).toBe(true)
  })
})
