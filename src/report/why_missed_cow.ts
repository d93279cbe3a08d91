/** Missed COW: a process sees what another one stored after fork had separated them. */
import type { ReadsFrom, Write } from '../check/index.ts'
import { RUNNING } from '../mm/machine.ts'
import { pte_pfn } from '../mm/pte.ts'
import { mapsFrame } from './places.ts'
import { type Explanation, grabStep, kindOf, numbers, Prose, sharingStep } from './prose.ts'
import type { Story } from './story.ts'
import { isSwapIn, slotSharedBefore, swapInBefore } from './why_reclaim.ts'
import { hopsAfter, travelSentence, whereabouts } from './why_travel.ts'
import { tellWriting } from './why_written.ts'
import { enumerate } from './wrap.ts'

export function explainMissedCow(story: Story, read: ReadsFrom): Explanation {
  const prose = new Prose(story)
  const write = read.write!
  const reader = story.process(read.process)
  const writer = story.process(write.process)
  prose.say(readSentence(prose, read, write.value))
  prose.say(writeSentence(prose, read, write, reader, writer))
  const frame = frameWritten(story, write.step)
  const hops = hopsAfter(story, write.step, read)
  const same = frame === read.pfn && hops.length === 0
  prose.say(same ? sharedSentence(prose, read, write) : travelSentence(prose, frame, hops, read))
  tellWriting(prose, write, frame)
  return prose.explanation
}

/** `child reads 1 through p at step 58`. */
export function readSentence(prose: Prose, read: ReadsFrom, value: number): string {
  const { story } = prose
  const { process, what, step } = read
  const name = story.process(process)
  const page = whereabouts(story, read)
  if (step === undefined) {
    const { ref, config } = story.k
    return what.kind === 'reference'
      ? `When all is over, ${name}'s reference ${ref[what.index]!.name} shows ${value}, in ${page}`
      : `When all is over, ${name}'s ${config.pages[what.index]!.name} holds ${value}, in ${page}`
  }
  const { effect, args } = story.steps[step]!
  const through = effect.name === 'device_load' ? ` through ${story.k.ref[numbers(args)[0]!]!.name}` : ''
  return `${name} reads ${value}${through} at ${prose.step(step)}`
}

function writeSentence(prose: Prose, read: ReadsFrom, write: Write, reader: string, writer: string): string {
  const { story } = prose
  const { effect, args } = story.steps[write.step]!
  const statement = story.statement(write.step)
  const how = statement === undefined ? '' : ` (\`${story.source(statement)}\`)`
  const stored =
    effect.name === 'device_store'
      ? `It was stored through ${writer}'s reference ${story.k.ref[numbers(args)[0]!]!.name}`
      : `${writer} stored it`
  const born = birthBetween(story, read.process, write.process)
  const separated =
    born === undefined
      ? `, and what ${writer} stores is its own`
      : `, after fork had separated ${writer} and ${reader}${prose.at(born)}`
  return `${stored}${how} at ${prose.step(write.step)}${separated}: ${reader} should never see it`
}

/** The step at which fork separated two processes of which one descends from the other. */
function birthBetween(story: Story, a: number, b: number): number | undefined {
  const { processes } = story.test
  const parentOf = (mm: number): number => processes.findIndex(({ name }) => name === processes[mm]!.parent)
  const towards = (from: number, to: number): number | undefined => {
    for (let mm = to; mm > 0; mm = parentOf(mm)) if (parentOf(mm) === from) return mm
    return undefined
  }
  const born = towards(a, b) ?? towards(b, a)
  if (born === undefined) return undefined
  const { location } = story.k.mm[born]!.state
  return story.first(0, ({ changes }) => changes.some((c) => c.location === location && c.after === RUNNING))
}

/** How the reader comes to use the page that was written, in the order in which it happened. */
function sharedSentence(prose: Prose, read: ReadsFrom, write: Write): string {
  const { story } = prose
  const reader = story.process(read.process)
  const events: { step: number; text: string }[] = []
  const shared = sharingStep(story, read.pfn)
  if (shared !== undefined) events.push({ step: shared, text: sharingPhrase(story, shared) })
  const handedOn = shared === undefined || isSwapIn(story, story.steps[shared]!)
  const forked = handedOn ? slotSharedBefore(story, write.step) : undefined
  if (forked !== undefined) events.push({ step: forked, text: 'fork shared its place in swap' })
  const ref = refRead(story, read)
  if (ref !== undefined) {
    const { name, flags, page } = story.k.ref[ref]!
    const noted = story.last(write.step, ({ changes }) =>
      changes.some(({ location, after }) => location === page.location && after === read.pfn + 1),
    )
    if (noted !== undefined) {
      events.push({ step: grabStep(story, noted), text: `${reader} took ${name}, ${kindOf(flags)}, to it` })
    }
  }
  const left = unmapStep(story, read, write)
  if (left !== undefined) {
    events.push({ step: left, text: leavingPhrase(story, left, reader) })
  }
  const again =
    left === undefined
      ? undefined
      : swapInBefore(story, read.process, read.pfn, read.step ?? story.steps.length)
  if (again !== undefined && again > left!)
    events.push({ step: again, text: `${reader} swapped it in again` })
  const replaced = replacedBefore(story, read)
  if (replaced !== undefined) {
    events.push({ step: replaced, text: `KSM made ${reader} map it in place of another that held the same` })
  }
  const told = events
    .sort((a, b) => a.step - b.step)
    .map(({ step, text }, i) => `${i > 0 && i === events.length - 1 ? 'then ' : ''}${text}${prose.at(step)}`)
  const how = told.length === 0 ? '' : `: ${enumerate(told)}`
  return `Both use ${story.names.page(read.pfn)}${how}.${cachedSentence(prose, read, left)}`
}

/** How a page came to be mapped by a second process. */
function sharingPhrase(story: Story, step: number): string {
  const taker = story.steps[step]!
  if (isSwapIn(story, taker)) return 'both swapped it in'
  return story.inside(taker, 'replace_page') ? 'KSM made them share it' : 'fork made them share it'
}

/** The step at which KSM made a reader map the page that it reads, for the last time. */
function replacedBefore(story: Story, { process, pfn, step }: ReadsFrom): number | undefined {
  return story.last(
    step ?? story.steps.length,
    (other) =>
      story.inside(other, 'replace_page') &&
      other.changes.some(({ location, after }) => {
        const place = story.names.place(location)
        return place.kind === 'pte' && place.mm === process && mapsFrame(after, pfn)
      }),
  )
}

function leavingPhrase(story: Story, step: number, reader: string): string {
  const leaver = story.steps[step]!
  if (story.inside(leaver, 'wp_page_copy')) return `${reader} moved on to a copy`
  if (story.inside(leaver, 'try_to_unmap_one')) return `reclaim unmapped it from ${reader}`
  return `${reader} unmapped it`
}

/** The last step before a store at which the reader's page-table entry stopped mapping the page that it reads. */
function unmapStep(story: Story, read: ReadsFrom, write: Write): number | undefined {
  return story.last(write.step, ({ changes }) =>
    changes.some(({ location, before, after }) => {
      const place = story.names.place(location)
      return place.kind === 'pte' && place.mm === read.process && after === 0 && mapsFrame(before, read.pfn)
    }),
  )
}

/** That the reader went through its TLB, although its page table no longer maps the page. */
function cachedSentence(prose: Prose, { step, pfn }: ReadsFrom, left: number | undefined): string {
  const { story } = prose
  if (step === undefined || left === undefined || story.steps[step]!.effect.name !== 'load') return ''
  const [cpu, vpn] = numbers(story.steps[step]!.args)
  const { name, mm, tlb } = story.k.cpu[cpu!]!
  if (story.mapped(step, mm, vpn!) === pfn) return ''
  const filled = story.last(step, ({ changes }) =>
    changes.some((c) => c.location === tlb[vpn!]!.location && mapsFrame(c.after, pfn)),
  )
  return ` ${name} still reaches it through its TLB, the processor's cache of the page table${prose.at(filled)}, which has not been flushed yet.`
}

/** The frame that a store went to. */
export function frameWritten(story: Story, step: number): number {
  const { effect, args } = story.steps[step]!
  const [a, b] = numbers(args)
  const memory = story.before(step)
  if (effect.name === 'device_store') return memory.get(story.k.ref[a!]!.page.location) - 1
  return pte_pfn(memory.get(story.k.cpu[a!]!.tlb[b!]!.location))
}

/** The reference through which a value was read, if any. */
function refRead(story: Story, { what, step }: ReadsFrom): number | undefined {
  if (what.kind === 'reference') return what.index
  if (step === undefined) return undefined
  const { effect, args } = story.steps[step]!
  return effect.name === 'device_load' ? numbers(args)[0] : undefined
}
