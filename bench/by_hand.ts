/**
 * One test as a user of SPIN would write it by hand (`hand/cow.pml`), beside the same test here: the time to the same
 * verdict, from the shell and of the search alone. Under v5.9 both end with what goes wrong, under v5.11 with
 * all states. Both take turns, each run is a fresh process, medians of five.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const RUNS = 5
const TEST = 'suite/fork-race/fast-pin.litmus'
const HAND = resolve('bench/hand/cow.pml')
const CLI = resolve('dist/cli.js')

interface Measured {
  readonly states: number
  /** Whether something goes wrong. */
  readonly wrong: boolean
  /** Seconds: from the shell, and of the search alone. */
  readonly all: number
  readonly search: number
}

const KERNELS: Readonly<Record<string, readonly string[]>> = { 'v5.9': [], 'v5.11': ['-DSEQ'] }

function byHand(flags: readonly string[]): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'cowherd-hand-'))
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
  try {
    const began = performance.now()
    run('spin', ['-a', ...flags, HAND])
    run('gcc', ['-O2', '-w', '-DSAFETY', '-o', 'pan', 'pan.c'])
    const compiled = performance.now()
    const said = run('./pan', ['-m100000', '-n'])
    const ended = performance.now()
    return {
      states: Number(/(\d+) states, stored/.exec(said)![1]),
      wrong: !/errors: 0/.test(said),
      all: (ended - began) / 1000,
      search: (ended - compiled) / 1000,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function here(design: string): Measured {
  const began = performance.now()
  const { stdout } = spawnSync(process.execPath, [CLI, 'check', TEST, '--design', design, '--json'], {
    encoding: 'utf8',
  })
  const all = (performance.now() - began) / 1000
  const [cell] = JSON.parse(stdout).tests[0].cells
  return { states: cell.states, wrong: cell.verdict !== 'right', all, search: cell.milliseconds / 1000 }
}

function median(runs: readonly Measured[], of: (run: Measured) => number): number {
  return runs.map(of).sort((a, b) => a - b)[runs.length >> 1]!
}

const row = (cells: readonly string[]): void => {
  process.stdout.write(
    `${cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(12))).join('')}\n`,
  )
}
row(['', 'states', 'search, s', 'all, s'])
for (const [design, flags] of Object.entries(KERNELS)) {
  const runs: readonly [Measured, Measured][] = Array.from({ length: RUNS }, () => [
    byHand(flags),
    here(design),
  ])
  const [hand, ours] = [runs.map(([one]) => one), runs.map(([, one]) => one)]
  if (runs.some(([one, other]) => one.wrong !== other.wrong)) throw new Error(`${design}: two verdicts`)
  for (const [name, list] of [
    ['by hand, SPIN', hand],
    ['cowherd check', ours],
  ] as const) {
    const seconds = [median(list, (run) => run.search), median(list, (run) => run.all)]
    row([`${design} ${name}`, String(list[0]!.states), ...seconds.map((s) => s.toFixed(3))])
  }
}
