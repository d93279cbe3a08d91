/**
 * From a question to its answer: `cowherd check` on each test of the suite under one design, from
 * the shell, beside what SPIN takes for the same program: to generate the verifier (`spin -a`), to
 * compile it (`gcc -O2`), and to run it. Writing the Promela program is not counted.
 *
 *   npm run bench:end-to-end -- [--design v5.19] [--seconds 60] [--runs 3] [--every 1] [--cpu] [part of a name …]
 *
 * Cowherd explores the yardstick besides, decides all conditions and prints outcomes; SPIN counts
 * states. Medians. SPIN is cut off after so many seconds: then the ratio is larger than it is shown.
 * --every 8 takes one test in eight.
 * --cpu takes the time of all their threads on processors in place of the time that passes, for a
 * machine that has other things to do. It flatters SPIN: Cowherd uses several threads to start.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runTest } from '../src/check/index.ts'
import { designNamed } from '../src/designs/index.ts'
import { exportPromela, type Litmus } from '../src/litmus/index.ts'
import { spinAvailable } from '../test/spin.ts'
import { corpus } from '../test/suite/corpus.ts'
import { median, type Timed, timed } from './timed.ts'

// 1 is an answer, too: something is not as the test expects.
function cowherd(file: string, design: string): Promise<Timed> {
  return timed(
    [process.execPath, 'dist/cli.js', 'check', file, '--design', design],
    process.cwd(),
    600,
    [0, 1],
  )
}

interface Verified extends Timed {
  readonly compiling: Timed
}

async function spin(promela: string, states: number, atMost: number): Promise<Verified> {
  const directory = mkdtempSync(join(tmpdir(), 'cowherd-end-to-end-'))
  try {
    writeFileSync(join(directory, 'x.pml'), promela)
    // A table of as many entries as states is what SPIN's manual advises.
    const table = Math.max(10, Math.ceil(Math.log2(states)))
    const total = { wall: 0, cpu: 0, whole: true }
    let compiling: Timed = total
    for (const command of [
      ['spin', '-a', '-o1', '-o2', 'x.pml'],
      ['gcc', '-O2', '-w', '-DSAFETY', '-DNOREDUCE', '-DVECTORSZ=4096', '-o', 'pan', 'pan.c'],
      ['./pan', '-c0', '-n', '-m1000000', `-w${table}`],
    ]) {
      const step = await timed(command, directory, atMost - total.cpu)
      total.wall += step.wall
      total.cpu += step.cpu
      total.whole &&= step.whole
      if (command[0] === 'gcc') compiling = step
      if (!step.whole) break
    }
    return { ...total, compiling }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function programOf(test: Litmus, design: string): { promela: string; states: number } {
  const { program, explorer, exploration } = runTest(test, designNamed(design)!.rules)
  return { promela: exportPromela(test, program.kernel, explorer), states: exploration.states }
}

interface Row {
  readonly name: string
  readonly states: number
  readonly ours: number
  readonly theirs: number
  readonly compiling: number
  readonly whole: boolean
}

interface Options {
  readonly design: string
  readonly seconds: number
  readonly runs: number
  readonly time: (timed: Timed) => number
}

async function compare(file: string, test: Litmus, { design, seconds, runs, time }: Options): Promise<Row> {
  const { promela, states } = programOf(test, design)
  const ours: Timed[] = []
  const theirs: Verified[] = []
  for (let run = 0; run < runs; run++) {
    ours.push(await cowherd(file, design))
    theirs.push(await spin(promela, states, seconds))
  }
  return {
    ...{ name: test.name, states },
    ours: median(ours.map(time)),
    theirs: median(theirs.map(time)),
    compiling: median(theirs.map(({ compiling }) => time(compiling))),
    whole: theirs.every(({ whole }) => whole),
  }
}

function print(row: readonly string[]): void {
  const [name, ...numbers] = row
  process.stdout.write(`${name!.padEnd(36)} ${numbers.map((cell) => cell.padStart(10)).join(' ')}\n`)
}

const ratioOf = ({ ours, theirs }: Row): number => theirs / ours

function summary(rows: readonly Row[]): string {
  const ratios = rows.map(ratioOf)
  const ours = rows.map((row) => row.ours)
  const least = rows.reduce((a, b) => (ratioOf(a) < ratioOf(b) ? a : b))
  const small = rows.filter(({ states }) => states <= 1000).map((row) => row.ours)
  const below = rows.filter((row) => ratioOf(row) < 5).map(({ name }) => name)
  return [
    `${rows.length} tests; SPIN was cut off in ${rows.filter(({ whole }) => !whole).length} of them, whose ratios are larger than they are shown`,
    `ratio: median ${median(ratios).toFixed(1)}, least ${ratioOf(least).toFixed(1)} (${least.name}); below 5: ${below.join(', ') || 'none'}`,
    `cowherd: median ${median(ours).toFixed(2)} s, most ${Math.max(...ours).toFixed(2)} s` +
      (small.length === 0
        ? ''
        : `; of the ${small.length} tests with at most 1,000 states median ${median(small).toFixed(2)} s, least ${Math.min(...small).toFixed(2)} s`),
    `gcc takes ${Math.round(100 * median(rows.map((row) => row.compiling / row.theirs)))} % of SPIN's time (median)`,
    '',
  ].join('\n')
}

const { values, positionals } = parseArgs({
  options: {
    design: { type: 'string', default: 'v5.19' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '3' },
    every: { type: 'string', default: '1' },
    cpu: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const options: Options = {
  design: values.design,
  seconds: Number(values.seconds),
  runs: Number(values.runs),
  time: values.cpu ? ({ cpu }) => cpu : ({ wall }) => wall,
}
const every = Number(values.every)
const chosen = corpus('suite')
  .filter(({ file }) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .filter((_, i) => i % every === 0)
if (
  designNamed(options.design) === undefined ||
  !(options.seconds > 0) ||
  !(options.runs >= 1) ||
  !Number.isInteger(every) ||
  chosen.length === 0
) {
  process.stderr.write('expected --design, --seconds, --runs, --every, --cpu, and parts of names of tests\n')
  process.exitCode = 2
} else if (!spinAvailable()) {
  process.stdout.write('SPIN or gcc is not installed: nothing to compare with.\n')
} else {
  print(['test', 'states', 'cowherd s', 'SPIN s', 'gcc s', 'ratio'])
  const rows: Row[] = []
  for (const { file, test } of chosen) {
    const row = await compare(file, test, options)
    rows.push(row)
    print([
      row.name,
      String(row.states),
      row.ours.toFixed(2),
      row.theirs.toFixed(2),
      row.compiling.toFixed(2),
      `${row.whole ? '' : '> '}${ratioOf(row).toFixed(1)}`,
    ])
  }
  process.stdout.write(summary(rows))
}
