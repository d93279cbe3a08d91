/**
 * Soaks live memory for so many minutes: random programs under every design that shares pages, in turns, each time with
 * other numbers; or under one design. Ends at the first wrong byte, count or frame, and says how to repeat what led to it.
 */
import { DESIGNS, type Design } from '../src/designs/index.ts'
import {
  keepsStores,
  type Soak,
  type Soaked,
  soakProcesses,
  soakTerminated,
  soakThreads,
} from '../test/live/soak.ts'

/** How long one memory lives, in milliseconds. */
const ROUND = 15_000
const SHARING = DESIGNS.filter(({ rules }) => !rules.shares_nothing)

interface Total {
  operations: number
  outOfMemory: number
  readonly statistics: Record<string, number>
}

async function soak(minutes: number, firstSeed: number, designs: readonly Design[]): Promise<void> {
  const began = Date.now()
  const total: Total = { operations: 0, outOfMemory: 0, statistics: {} }
  const memories = { processes: 0, threads: 0, whole: 0, broken: 0 }
  for (let seed = firstSeed; Date.now() - began < 60_000 * minutes; seed++) {
    for (const { name: design } of designs) {
      if (Date.now() - began >= 60_000 * minutes) break
      const round: Soak = { design, seed, milliseconds: ROUND, least: 150 }
      const kind = seed % 2 === 1 && keepsStores(design) ? 'threads' : 'processes'
      const soaked = await (kind === 'threads' ? soakThreads : soakProcesses)(round)
      memories[kind]++
      add(total, soaked)
      const terminated = await soakTerminated({ ...round, milliseconds: 1_500 }, 300 + ((seed * 37) % 1_000))
      memories[terminated.whole ? 'whole' : 'broken']++
      const wrong = [...soaked.wrong, ...terminated.wrong]
      const minute = ((Date.now() - began) / 60_000).toFixed(1)
      process.stdout.write(
        `${minute} min  ${design}  ${kind}  seed ${seed}  ${soaked.operations} operations\n`,
      )
      if (wrong.length === 0) continue
      process.stdout.write(`WRONG under ${design} (${kind}, seed ${seed}):\n${wrong.join('\n')}\n`)
      process.stdout.write(`To try again: npm run soak -- ${minutes} ${seed} ${design}\n`)
      process.exitCode = 1
      return
    }
  }
  process.stdout.write(
    [
      `${((Date.now() - began) / 60_000).toFixed(0)} minutes, nothing wrong.`,
      `${memories.processes} memories with processes for each worker, ${memories.threads} with all workers in one process,`,
      `${memories.whole + memories.broken} in which a worker was terminated: ${memories.whole} whole, ${memories.broken} that said that they were broken.`,
      `${total.operations} operations, ${total.outOfMemory} of them out of memory.`,
      Object.entries(total.statistics)
        .map(([what, count]) => `${what} ${count}`)
        .join(', '),
      '',
    ].join('\n'),
  )
}

function add(total: Total, { operations, outOfMemory, statistics }: Soaked): void {
  total.operations += operations
  total.outOfMemory += outOfMemory
  for (const [what, count] of Object.entries(statistics))
    total.statistics[what] = (total.statistics[what] ?? 0) + count
}

const [minutes = '60', seed = '1', only] = process.argv.slice(2)
const designs = SHARING.filter(({ name }) => only === undefined || name === only)
if (!(Number(minutes) > 0 && Number.isSafeInteger(Number(seed)))) {
  process.stderr.write(
    `"${minutes} ${seed}" is no number of minutes and no seed; expected such as 60, or 60 1\n`,
  )
  process.exitCode = 2
} else if (designs.length === 0) {
  const names = SHARING.map(({ name }) => name).join(', ')
  process.stderr.write(`there is no design "${only}" that shares pages; expected one of ${names}\n`)
  process.exitCode = 2
} else await soak(Number(minutes), Number(seed), designs)
