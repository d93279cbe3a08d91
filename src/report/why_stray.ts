/** A store that shows up in another page of the same process: KSM has made one page of the two. */
import type { ReadsFrom } from '../check/index.ts'
import { mapsFrame } from './places.ts'
import { numbers, type Prose } from './prose.ts'
import { frameWritten } from './why_missed_cow.ts'
import { heldBy, mergedAt, tellMerged } from './why_protected.ts'

export function tellStray(prose: Prose, read: ReadsFrom, vpn: number): void {
  const { story } = prose
  const { names, k } = story
  const { step, value } = read.write!
  const { effect, args } = story.steps[step]!
  const frame = frameWritten(story, step)
  const device = effect.name === 'device_store'
  const ref = numbers(args)[0]!
  const through = device ? `, through ${k.ref[ref]!.name}` : ''
  const target = k.config.pages[device ? k.ref[ref]!.vpn : numbers(args)[1]!]!.name
  const process = story.process(read.process)
  const name = k.config.pages[vpn]!.name
  const when = read.step === undefined ? 'when all is over' : `at ${prose.step(read.step)}`
  prose.say(
    `${value} was stored to ${process}'s ${target} at ${prose.step(step)}${through}; ${when} ${process}'s ${name} shows it`,
  )
  const mapped = story.last(read.step ?? story.steps.length, (other) =>
    other.changes.some(
      ({ location, after }) => location === k.mm[read.process]!.pte[vpn]!.location && mapsFrame(after, frame),
    ),
  )
  prose.say(`Both were ${names.page(frame)} by then${prose.at(mapped)}`)
  const held = device ? heldBy(story, ref, step) : undefined
  const merged = held === undefined ? undefined : mergedAt(story, held.pfn, step)
  if (held !== undefined && merged !== undefined) tellMerged(prose, held, merged)
}
