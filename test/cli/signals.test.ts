/** Ctrl-C and SIGTERM: nothing ends without a word, and what was found until then is printed. */
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SectionReport } from '../../src/report/claims.ts'
import type { HistoryReport } from '../../src/report/history.ts'
import type { CoverageReport } from '../../src/report/unreached.ts'
import { cowherd, LEAK, scratch } from './cowherd.ts'
import { endlessDesign } from './endless.ts'

const { write } = scratch()
const leak = write('leak.litmus', LEAK)
const endless = write('endless.ts', endlessDesign('endless', "console.log('begins')"))
const stuck = write('stuck.ts', `console.log('begins'); for (;;) {}`)

const LARGE = fileURLToPath(new URL('../../bench/tests/3-pins-forks-reads.litmus', import.meta.url))

function claim(id: string, test: string): string {
  return `
  - id: ${id}
    by: me
    when: today
    where: here
    claim: All is well.
    cases:
      - {if: it runs, test: ${test}, design: v5.19, asks: {verdict: [right]}}
    expected: holds
    comment: So it is.
    inverted: {case: 1, with: [copy-never]}
`
}

const TWO_CLAIMS = `section: Mine
about: What I think.
claims:${claim('long', LARGE)}${claim('short', 'both-write')}`

/** Sends signals to a command, so many milliseconds after it has first said something. */
function send(stream: 'stdout' | 'stderr', ...signals: readonly (readonly [NodeJS.Signals, number])[]) {
  return {
    whenRunning: (child: ChildProcess): void => {
      child[stream]!.once('data', () => {
        for (const [signal, after] of signals) setTimeout(() => child.kill(signal), after)
      })
    },
  }
}

describe('at Ctrl-C', () => {
  it('coverage prints what was reached until then', async () => {
    const args = ['coverage', leak, '--design', endless, '--json']
    const { code, stdout, stderr } = await cowherd(args, send('stderr', ['SIGINT', 2_500]))
    const report: CoverageReport = JSON.parse(stdout)
    expect(report).toMatchObject({ interrupted: true, bounded: 1 })
    expect(report.states).toBeGreaterThan(100)
    expect(report.functions.find(({ name }) => name === 'copy_pte_range')).toMatchObject({ called: true })
    expect(stderr).toContain('interrupted after 0 of 1 designs: this is what was found until then\n')
    expect(code).toBe(130)
  })

  it('history prints what it knows of the designs that are done', async () => {
    const args = ['history', leak, '--design', `v5.7,${endless}`, '--jobs', '2', '--json']
    const { code, stdout, stderr } = await cowherd(args, send('stderr', ['SIGINT', 5_000]))
    const report: HistoryReport = JSON.parse(stdout)
    expect(report).toMatchObject({ interrupted: true, cells: 1, bounded: 1, states: 59 })
    expect(stderr).toContain('interrupted after 1 of 2 designs: this is what was found until then\n')
    expect(code).toBe(130)
  })

  it('estimate prints the guesses that have been made', async () => {
    const args = [
      'estimate',
      leak,
      '--design',
      `v5.7,${endless}`,
      '--max-states',
      '200,000,000',
      '--jobs',
      '2',
    ]
    const { code, stdout, stderr } = await cowherd([...args, '--json'], send('stderr', ['SIGINT', 5_000]))
    expect(JSON.parse(stdout)).toEqual({
      interrupted: true,
      explorations: [
        { test: 'leak', file: leak, design: 'v5.7', states: { least: 59, most: 59 }, exact: true },
      ],
    })
    expect(stderr).toContain('interrupted after 1 of 2 explorations: this is what was found until then\n')
    expect(code).toBe(130)
  })

  it('what waits takes nothing with it that was found', async () => {
    const designs = `v5.7,${endless},v5.19`
    const args = ['estimate', leak, '--design', designs, '--max-states', '200,000,000', '--jobs', '1']
    const { code, stdout, stderr } = await cowherd(args, send('stderr', ['SIGINT', 1_500]))
    expect(stdout).toBe('leak  v5.7  59 states\n')
    expect(stderr).toContain('interrupted after 1 of 3 explorations: this is what was found until then\n')
    expect(code).toBe(130)
  })

  it('estimate says that there is nothing to be told yet', async () => {
    const args = ['estimate', leak, '--design', endless, '--max-states', '200,000,000']
    const { code, stdout, stderr } = await cowherd(args, send('stderr', ['SIGINT', 1_500]))
    expect(stdout).toBe('')
    expect(stderr).toMatch(/interrupted after 0 of 1 explorations\n$/)
    expect(code).toBe(130)
  })

  it('claims prints those that are decided', async () => {
    const claims = write('claims.yaml', TWO_CLAIMS)
    const whenRunning = (child: ChildProcess): void => {
      setTimeout(() => child.kill('SIGINT'), 4_000)
    }
    const args = ['claims', '--file', claims, '--jobs', '2', '--json']
    const { code, stdout, stderr } = await cowherd(args, { whenRunning })
    const sections: SectionReport[] = JSON.parse(stdout)
    expect(sections.flatMap(({ claims }) => claims).map(({ id }) => id)).toEqual(['short'])
    expect(stderr).toContain(
      'interrupted after 1 of 2 claims: these are the ones that were decided until then\n',
    )
    expect(code).toBe(130)
  })

  it('a command that has nothing to say of it ends with a word', async () => {
    const { code, stderr } = await cowherd(['start'], send('stdout', ['SIGINT', 0]))
    expect(stderr).toBe('interrupted before the end\n')
    expect(code).toBe(130)
  })

  it('a second time ends without waiting, and says so', async () => {
    const signals = send('stderr', ['SIGINT', 0], ['SIGINT', 700])
    const { code, stdout, stderr } = await cowherd(['show', leak, '--design', stuck], signals)
    expect(stderr).toMatch(/^begins\ninterrupted a second time, so what was found is not printed\n$/)
    expect(stdout).toBe('')
    expect(code).toBe(130)
  })
})

it('when it is asked to end, a command says so', async () => {
  const signals = send('stderr', ['SIGTERM', 500])
  const { code, stdout, stderr } = await cowherd(['check', leak, '--design', endless], signals)
  expect(stderr).toMatch(/^(begins\n)+terminated before the end\n$/)
  expect(stdout).toBe('')
  expect(code).toBe(143)
})
