/** What the commands about a single cell have in common. */
import { designNamed } from '../designs/index.ts'
import { count } from '../report/count.ts'
import { forecast } from '../report/forecast.ts'
import { chooseDesigns } from './choices.ts'
import { factsOf as designFacts } from './design_facts.ts'
import { UsageError } from './exit.ts'
import { interruptible } from './interruptible.ts'
import { type Activity, JobError, Pool } from './pool.ts'
import type { DesignFacts, DesignSource } from './protocol.ts'
import { isProgressShown, ProgressLine } from './terminal.ts'

/** Above this it takes long enough that a person wants to see something move. */
const PATIENCE_MS = 1_000

/**
 * Does one thing with a pool, and says what is wrong in words if it fails.
 * @param workers threads that explore together
 * @throws UsageError
 */
export async function withPool<T>(about: string, work: (pool: Pool) => Promise<T>, workers = 1): Promise<T> {
  const progress = new ProgressLine()
  const began = Date.now()
  const tick = ({ states, depth, frontier, largest }: Activity): void => {
    if (Date.now() - began < PATIENCE_MS || states === 0) return
    const guess = largest === undefined ? '' : forecast(largest)
    progress.show(
      `${count(states)} states  ${guess === '' ? `depth ${depth}  frontier ${count(frontier)}` : guess}`,
    )
  }
  const pool = new Pool(1, tick, { workers, foresees: isProgressShown() })
  return interruptible(pool, progress, () => work(pool), {
    interruption: () => `${about}: interrupted before there was anything to show`,
    failure: (message) => (message.startsWith(about) ? message : `${about}: ${message}`),
  })
}

/** The one design that a command is about. */
export async function chooseOneDesign(values: readonly string[]): Promise<DesignSource> {
  const sources = await chooseDesigns(values)
  if (sources.length > 1) throw new UsageError('expected a single design')
  return sources[0]!
}

/** What a person calls a design. */
export function called(source: DesignSource): string {
  return source.kind === 'file' ? source.file : source.name
}

/** What there is to know of a design before anything is explored. */
export async function factsOf(pool: Pool, source: DesignSource): Promise<DesignFacts> {
  if (source.kind === 'built-in') return designFacts(designNamed(source.name)!)
  try {
    return await pool.run('design', { design: source }, Number.POSITIVE_INFINITY)
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    const { message } = error
    throw new UsageError(message.startsWith(source.file) ? message : `${source.file}: ${message}`)
  }
}
