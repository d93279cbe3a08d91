/** Lost write: a process does not see what it stored itself, and nobody else's value either. */
import { isStray, type ReadsFrom, readsFrom } from '../check/index.ts'
import { pte_none, pte_write } from '../mm/pte.ts'
import { mapsFrame } from './places.ts'
import { type Explanation, numbers, Prose } from './prose.ts'
import { ruleSentences } from './rule.ts'
import type { Story } from './story.ts'
import { frameWritten } from './why_missed_cow.ts'
import { reclaimer } from './why_reclaim.ts'
import { tellStray } from './why_stray.ts'
import { hopPhrase, hopsFrom, whereabouts } from './why_travel.ts'
import { enumerate } from './wrap.ts'

/** A store of a process to its own memory that a later observation of its own does not show. */
interface Loss {
  readonly store: number
  readonly read: ReadsFrom
}

export function explainLostWrite(story: Story): Explanation {
  const prose = new Prose(story)
  const reads = readsFrom(story.k, story.test, story.trace)
  const loss = lossOf(story, reads)
  const vanished = reads.find((read) => hasVanished(story, read))
  const stray = reads.find(isStray)
  if (stray !== undefined) tellStray(prose, stray, stray.vpn!)
  else if (loss !== undefined) tellLoss(prose, loss)
  else if (vanished !== undefined) tellVanished(prose, vanished)
  else {
    prose.say(
      'No run of the yardstick, in which fork copies every page at once, has this outcome; each value was stored by somebody entitled to, but never are all of them seen together',
    )
  }
  return prose.explanation
}

function tellLoss(prose: Prose, { store, read }: Loss): void {
  const { story } = prose
  const { names } = story
  const process = story.process(read.process)
  const frame = frameWritten(story, store)
  const value = numbers(story.steps[store]!.args)[3]
  prose.say(`${process} stored ${value} at ${prose.step(store)}, to ${names.page(frame)}`)
  tellStale(prose, store, frame)
  if (tellStaleRead(prose, read)) return
  const when = read.step === undefined ? 'When all is over' : `At ${prose.step(read.step)}`
  const hops = hopsFrom(story, frame, read)
  if (read.pfn === frame) {
    prose.say(`${when} it finds another value in the same page`)
  } else {
    const copied = hops.find(({ step }) => step < store)
    const isCopy =
      copied !== undefined && 'pfn' in copied.from && copied.from.pfn === frame && hops.length === 1
    const copy = isCopy
      ? `, a copy of ${names.page(frame)} made before the store${prose.at(copied.step)}`
      : hops.length === 0
        ? ''
        : `, which has what ${names.page(frame)} held before the store: ${enumerate(hops.map((hop) => hopPhrase(story, hop) + prose.at(hop.step)))}`
    const mapped = entryStep(story, read, (after) => mapsFrame(after, read.pfn))
    const since = mapped === undefined ? 'the start' : prose.step(mapped)
    prose.say(
      `${when} it looks at ${whereabouts(story, read)}${copy}, ${read.pfn < 0 ? '' : `which it maps since ${since}, `}and the ${value} is not there`,
    )
  }
  prose.say('The store is lost: nothing that a program can rely on explains it')
}

/** That a load went through a TLB entry for a page that the page table no longer maps, if so. */
function tellStaleRead(prose: Prose, { step, pfn }: ReadsFrom): boolean {
  const { story } = prose
  if (step === undefined || story.steps[step]!.effect.name !== 'load') return false
  const [cpu, vpn] = numbers(story.steps[step]!.args)
  const { name, mm } = story.k.cpu[cpu!]!
  const { location } = story.k.mm[mm]!.pte[vpn!]!
  if (mapsFrame(story.before(step).get(location), pfn)) return false
  const emptied = story.last(step, ({ changes }) =>
    changes.some((c) => c.location === location && mapsFrame(c.before, pfn) && pte_none(c.after)),
  )
  prose.say(
    `At ${prose.step(step)} ${name} looks at ${story.names.page(pfn)} through its TLB, the processor's cache of the page table, which still has an entry for it although the page table has none any more${prose.at(emptied)}`,
  )
  if (emptied !== undefined && story.inside(story.steps[emptied]!, 'try_to_unmap_one')) {
    prose.say(`${reclaimer(story, emptied)} had put off the flush`)
    prose.say(ruleSentences(story.cell.design, 'flushes_exclusive_at_once'))
  }
  prose.say('What was stored is not in that page')
  return true
}

/** That a store went through a TLB entry that permitted more than the page table, and why there was one. */
function tellStale(prose: Prose, store: number, frame: number): void {
  const { story } = prose
  const [cpu, vpn] = numbers(story.steps[store]!.args)
  const { location } = story.k.mm[story.processOf(cpu!)!]!.pte[vpn!]!
  const entry = story.before(store).get(location)
  if (mapsFrame(entry, frame) && pte_write(entry)) return
  const lost = story.last(store, ({ changes }) =>
    changes.some((c) => c.location === location && pte_write(c.before) && !pte_write(c.after)),
  )
  prose.say(
    `It went through a TLB entry, the processor's cached copy of the page table, that still said writable when the page table no longer did${prose.at(lost)}`,
  )
  if (lost !== undefined && story.inside(story.steps[lost]!, 'clear_soft_dirty')) {
    prose.say(ruleSentences(story.cell.design, 'clear_refs_flushes'))
  }
}

/** The process finds zeros where its memory had a value that nobody has overwritten. */
function tellVanished(prose: Prose, read: ReadsFrom): void {
  const { story } = prose
  const process = story.process(read.process)
  const page = whereabouts(story, read)
  const name = story.test.pages[read.vpn!]!.name
  const when = read.step === undefined ? 'When all is over' : `At ${prose.step(read.step)}`
  prose.say(
    `${when} ${process} finds 0 in ${name}, which held something else at the start; nobody stored that 0`,
  )
  const emptied = entryStep(story, read, pte_none)
  const where = emptied === undefined ? '' : story.nameOf(story.steps[emptied]!.stack.at(-1)!.procedure)
  const since =
    emptied === undefined ? '' : `: its page-table entry was emptied at ${prose.step(emptied)}, in ${where}()`
  prose.say(`It looks at ${page}, a fresh page of zeros${since}`)
}

function hasVanished(story: Story, read: ReadsFrom): boolean {
  const vpn = read.vpn
  if (vpn === undefined || read.write !== undefined) return false
  const initial = story.k.config.pages[vpn]!.words[read.what.word] ?? 0
  if (read.pfn < 0) return false
  const at = read.step ?? story.steps.length
  return initial !== story.before(at).get(story.k.page[read.pfn]!.word[read.what.word]!.location)
}

/** The last step before an observation at which the observer's page-table entry became such. */
function entryStep(story: Story, read: ReadsFrom, such: (after: number) => boolean): number | undefined {
  return story.last(read.step ?? story.steps.length, ({ changes }) =>
    changes.some(({ location, after }) => {
      const place = story.names.place(location)
      return place.kind === 'pte' && place.mm === read.process && such(after)
    }),
  )
}

function lossOf(story: Story, reads: readonly ReadsFrom[]): Loss | undefined {
  for (const read of reads) {
    if (read.what.kind === 'reference') continue
    const vpn = read.vpn
    const latest = story.last(read.step ?? story.steps.length, (step, index) => {
      const [cpu, page, word] = numbers(step.args)
      const hit = step.effect.name === 'store' && step.reads.length > 1
      if (!hit || page !== vpn || word !== read.what.word) return false
      return story.processOf(cpu!) === read.process && frameWritten(story, index) > 0
    })
    if (latest !== undefined && read.write?.step !== latest && (read.write?.step ?? -1) < latest) {
      return { store: latest, read }
    }
  }
  return undefined
}
