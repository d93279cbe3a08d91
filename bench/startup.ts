/**
 * How long it takes until there is an answer where there is little to explore: `cowherd check` of one small test, `show`
 * of it, and `cowherd --version`, beside `node -e 0`, which does nothing. They take turns, so that whatever else the machine does hits all
 * of them. The ratios are what to look at.
 *
 *   npm run bench:startup -- [--runs 20]
 */
import { parseArgs } from 'node:util'
import { median, type Timed, timed } from './timed.ts'

const TEST = 'suite/leak/vmsplice-child.litmus'
const COWHERD = [process.execPath, 'dist/cli.js']

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': [process.execPath, '-e', '0'],
  'cowherd --version': [...COWHERD, '--version'],
  'cowherd check, one test': [...COWHERD, 'check', TEST, '--design', 'v5.7'],
  'cowherd show': [...COWHERD, 'show', TEST, '--design', 'v5.7'],
}

const NUMBERS: readonly ((times: readonly Timed[]) => number)[] = [
  (times) => Math.min(...times.map(({ wall }) => wall)),
  (times) => median(times.map(({ wall }) => wall)),
  (times) => Math.min(...times.map(({ cpu }) => cpu)),
  (times) => median(times.map(({ cpu }) => cpu)),
]

async function measure(runs: number): Promise<ReadonlyMap<string, readonly Timed[]>> {
  const times = new Map<string, Timed[]>(Object.keys(COMMANDS).map((name) => [name, []]))
  for (let run = 0; run < runs; run++) {
    for (const [name, command] of Object.entries(COMMANDS)) {
      times.get(name)!.push(await timed(command, process.cwd(), 60))
    }
  }
  return times
}

function print(name: string, cells: readonly string[]): void {
  process.stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(18)).join('')}\n`)
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } })
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write('expected --runs, a whole number from 1 up\n')
  process.exitCode = 2
} else {
  const times = await measure(runs)
  const nothing = times.get('node -e 0')!
  process.stdout.write(`seconds, and how many times those of Node alone; ${runs} runs\n`)
  print('', ['least', 'median', 'processors: least', 'median'])
  for (const [name, own] of times) {
    print(
      name,
      NUMBERS.map((number) => `${number(own).toFixed(3)}  ${(number(own) / number(nothing)).toFixed(2)}`),
    )
  }
}
