/**
 * How states, time and memory grow with the size of a test: writes docs/scaling.md and
 * docs/scaling.svg.
 *
 *   node bench/run.mjs scaling [--seconds 60]   measures, and writes both
 *   node bench/run.mjs scaling --draw           writes both of what was measured last
 *
 * Each size is explored without and with reductions, each in a fresh process, within the limits
 * below. What is larger than something that came to a limit is not begun. Where both came to
 * their end they must have the same outcomes, or the benchmark fails.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runTest } from '../src/check/index.ts'
import { designNamed } from '../src/designs/index.ts'
import { REDUCTIONS } from '../src/engine/index.ts'
import { parse } from '../src/litmus/index.ts'
import { drawScaling } from './scaling_chart.ts'
import { BEYOND, type Measured, type ScalingRow, scalingPage } from './scaling_page.ts'
import { SIZES, type Size, testOf } from './scaling_tests.ts'

const DESIGN = 'v5.19'
const STATES = 100_000_000
const BYTES = 2 ** 31
const MEASURED = 'reports/scaling.json'

interface Series {
  readonly design: string
  readonly seconds: number
  readonly states: number
  readonly bytes: number
  readonly rows: readonly ScalingRow[]
}

/** What a child process prints. */
interface Answer {
  readonly measured: Measured | undefined
  readonly outcomes: string
}

function measure(size: Size, reduced: boolean, seconds: number): Answer {
  const { test } = parse(testOf(size), 'scaling.litmus')
  const began = performance.now()
  const { exploration, ends } = runTest(test, designNamed(DESIGN)!.rules, {
    search: { mode: 'breadth-first', reductions: reduced ? REDUCTIONS : [] },
    limits: { states: STATES, bytes: BYTES, milliseconds: 1000 * seconds },
  })
  const measured = {
    states: exploration.states,
    seconds: (performance.now() - began) / 1000,
    // In kilobytes.
    bytes: 1024 * process.resourceUsage().maxRSS,
  }
  return {
    measured: exploration.bounded === undefined ? measured : undefined,
    outcomes: ends
      .map(({ outcome }) => outcome.key)
      .sort()
      .join('; '),
  }
}

function measureInChild({ processes, pages, operations }: Size, reduced: boolean, seconds: number): Answer {
  const size = [processes, pages, operations].join()
  const args = [fileURLToPath(import.meta.url), '--measure', size, '--seconds', String(seconds)]
  if (reduced) args.push('--reduced')
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

/** Whether a size can only be larger: the same and more processes, or the same and more operations. */
function isBeyond(size: Size, rows: readonly ScalingRow[], which: 'full' | 'reduced'): boolean {
  return rows.some(
    (row) =>
      row[which] === BEYOND &&
      row.pages === size.pages &&
      row.processes <= size.processes &&
      row.operations <= size.operations,
  )
}

function series(seconds: number): Series {
  const rows: ScalingRow[] = []
  for (const size of SIZES) {
    const name = `${size.processes} processes, ${size.pages} pages, ${size.operations} operations`
    const answers = (['full', 'reduced'] as const).map((which) =>
      isBeyond(size, rows, which) ? undefined : measureInChild(size, which === 'reduced', seconds),
    )
    const [full, reduced] = answers
    if (full?.measured && reduced?.measured && full.outcomes !== reduced.outcomes) {
      throw new Error(`${name}: other outcomes with reductions`)
    }
    rows.push({ ...size, full: full?.measured ?? BEYOND, reduced: reduced?.measured ?? BEYOND })
    const told = answers.map((answer) => answer?.measured?.states ?? BEYOND)
    process.stdout.write(`${name}: ${told.join(' states, with reductions ')}\n`)
  }
  return { design: DESIGN, seconds, states: STATES, bytes: BYTES, rows }
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    draw: { type: 'boolean', default: false },
    measure: { type: 'string' },
    reduced: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
if (!(seconds > 0)) {
  process.stderr.write('expected --seconds and a number, or --draw\n')
  process.exitCode = 2
} else if (values.measure !== undefined) {
  const [processes, pages, operations] = values.measure.split(',').map(Number) as [number, number, number]
  process.stdout.write(JSON.stringify(measure({ processes, pages, operations }, values.reduced, seconds)))
} else {
  if (!values.draw) {
    const measured = series(seconds)
    mkdirSync('reports', { recursive: true })
    writeFileSync(MEASURED, JSON.stringify(measured, null, 1))
  }
  const { rows, ...limits }: Series = JSON.parse(readFileSync(MEASURED, 'utf8'))
  writeFileSync('docs/scaling.svg', drawScaling(rows))
  writeFileSync('docs/scaling.md', scalingPage(rows, limits))
}
