/** Wrong COW: a reference and its owner stop seeing the same page, or somebody else sees it too. */
import type { OutcomeReport } from '../check/index.ts'
import { type Circumstance, type Relaxation, type RuleName, sameReference } from '../designs/index.ts'
import { ZERO_PFN } from '../mm/machine.ts'
import { mapsFrame } from './places.ts'
import {
  decides,
  decisionBefore,
  type Explanation,
  findingOf,
  grabStep,
  kindOf,
  numbers,
  othersAt,
  Prose,
  sharingStep,
  usersPhrase,
} from './prose.ts'
import { laterRule, ruleSentences } from './rule.ts'
import type { Story } from './story.ts'
import { frameWritten } from './why_missed_cow.ts'
import { tellProtected } from './why_protected.ts'
import { isSwapIn, slotSharedBefore } from './why_reclaim.ts'
import { enumerate } from './wrap.ts'

/** What became of a reference: when it was taken, the frame that it holds, and where things went wrong. */
interface Fate {
  readonly ref: number
  readonly relaxation: Relaxation
  readonly taken: number
  readonly pfn: number
  /** The step at which its owner's page-table entry came to map another frame, if it did. */
  readonly parted: number | undefined
  /** The step at which its frame came to be mapped by another process, if it did so later. */
  readonly shared: number | undefined
}

export function explainWrongCow(story: Story, outcome: OutcomeReport): Explanation {
  const prose = new Prose(story)
  const fates = fatesOf(story, outcome.needs ?? [])
  const fate =
    fates.find(({ parted }) => parted !== undefined) ?? fates.find(({ shared }) => shared !== undefined)
  if (fate === undefined) {
    prose.say(
      'No run in which references always show their owner’s page has this outcome, but no single step of this run is where the two part',
    )
    return prose.explanation
  }
  introduce(prose, fate, outcome)
  if (fate.parted !== undefined) tellParting(prose, fate, fate.parted)
  else tellSharing(prose, fate, fate.shared!)
  return prose.explanation
}

function fatesOf(story: Story, needs: readonly Relaxation[]): Fate[] {
  return needs.flatMap((relaxation) =>
    story.k.ref.flatMap((reference, ref) => {
      if (!sameReference(reference.flags, relaxation.reference)) return []
      const { location } = reference.page
      const noted = story.first(0, ({ changes }) =>
        changes.some((c) => c.location === location && c.after > 0),
      )
      if (noted === undefined) return []
      const pfn = story.after(noted).get(location) - 1
      const taken = grabStep(story, noted)
      const released = story.first(noted + 1, ({ changes }) => changes.some((c) => c.location === location))
      const until = released ?? story.steps.length
      const within = (step: number | undefined): number | undefined =>
        step === undefined || step >= until ? undefined : step
      const parted = story.first(taken, (_, step) => {
        const mapped = story.mapped(step + 1, reference.mm, reference.vpn)
        return mapped !== undefined && mapped !== pfn
      })
      const shared = story.first(taken, ({ changes }) =>
        changes.some((c) => {
          const place = story.names.place(c.location)
          return place.kind === 'pte' && place.mm !== reference.mm && mapsFrame(c.after, pfn)
        }),
      )
      return [{ ref, relaxation, taken, pfn, parted: within(parted), shared: within(shared) }]
    }),
  )
}

const CIRCUMSTANCE: Readonly<Record<Circumstance, (owner: string) => string>> = {
  'later-fork': (owner) => `taken before ${owner} forked`,
  'earlier-fork': () => 'taken after a fork',
  protected: (owner) => `whose page ${owner} write-protected`,
  any: () => 'with no fork in the way',
}

function introduce(prose: Prose, { ref, relaxation, taken }: Fate, { verdict }: OutcomeReport): void {
  const { k, cell } = prose.story
  const { name, flags, mm, vpn } = k.ref[ref]!
  const owner = prose.story.process(mm)
  const page = k.config.pages[vpn]!.name
  prose.say(
    `${name} is ${kindOf(flags)} to ${owner}'s ${page}, ${CIRCUMSTANCE[relaxation.circumstance](owner)} (${prose.step(taken)})`,
  )
  prose.say(
    verdict === 'not-promised'
      ? `${cell.design.name} does not promise that such a reference and its owner go on seeing the same page, and here they do not`
      : `${cell.design.name} promises that such a reference and its owner go on seeing the same page, but here they do not`,
  )
}

/** The owner was given another page than the one that its reference holds. */
function tellParting(prose: Prose, fate: Fate, parted: number): void {
  const { story } = prose
  const { mm, vpn } = story.k.ref[fate.ref]!
  const moved = story.mapped(parted + 1, mm, vpn)!
  if (fate.pfn === ZERO_PFN) {
    prose.say(zeroSentence(prose, fate, parted, moved))
    prose.say(consequence(prose, fate, parted, moved))
    const { flags } = story.k.ref[fate.ref]!
    // What 84209e87c696 does about references for reading, it does about those that are meant to last.
    if (flags.pin && !flags.write) {
      const such = flags.longterm ? 'such a reference' : 'a reference for a long time (FOLL_LONGTERM)'
      prose.say(`From v6.2 on ${such} is given a page of its own instead (84209e87c696, 8d6a0ac09a16)`)
    }
    return
  }
  prose.say(partingSentence(prose, fate, parted, moved))
  if (story.inside(story.steps[parted]!, 'do_wp_page')) prose.say(copyRule(story, fate, parted))
  prose.say(consequence(prose, fate, parted, moved))
  tellProtected(prose, fate, parted)
  const shared = sharingStep(story, fate.pfn)
  if (shared === undefined || shared > parted || isSwapIn(story, story.steps[shared]!)) {
    const forked = slotSharedBefore(story, fate.taken)
    if (forked !== undefined && isShared(story, fate)) tellSharedBefore(prose, fate, forked)
    return
  }
  if (shared < fate.taken) tellSharedBefore(prose, fate, shared)
  else {
    prose.say(sharedLate(prose, fate, shared))
    prose.say(lateRule(story, fate, shared))
  }
}

/** The rule by which a write fault copied; a KSM page has one of its own. */
function copyRule(story: Story, { pfn }: Fate, parted: number): string {
  const found = decisionBefore(story, parted)
  const isKsm =
    found !== undefined && story.before(found).get(story.k.page[pfn]!.mapping.location) === story.k.KSM
  if (!isKsm) return ruleSentences(story.cell.design, 'wp_can_reuse')
  const looked = story.steps[found]!.reads.map(({ location }) => story.names.place(location).kind)
  return looked.includes('mapping')
    ? 'A write fault copies such a page whoever holds it'
    : 'A write fault keeps a KSM page only if nothing else holds it, the swap cache included'
}

function zeroSentence(prose: Prose, { ref }: Fate, parted: number, moved: number): string {
  const { name, mm } = prose.story.k.ref[ref]!
  const owner = prose.story.process(mm)
  return `${name} holds the zero page, which all untouched memory shares and which nobody may write; at ${prose.step(parted)} a write fault gives ${owner} ${prose.story.names.page(moved)} in its place`
}

function partingSentence(prose: Prose, fate: Fate, parted: number, moved: number): string {
  const { story } = prose
  const { names } = story
  const { name, mm } = story.k.ref[fate.ref]!
  const owner = story.process(mm)
  const page = names.page(fate.pfn)
  if (!story.inside(story.steps[parted]!, 'do_wp_page')) {
    return `${name} holds ${page}, but at ${prose.step(parted)} ${owner} comes to map ${names.page(moved)} instead`
  }
  const copied = `${name} holds ${page}, but at ${prose.step(parted)} ${owner} gets a copy of it, ${names.page(moved)}`
  const found = decisionBefore(story, parted)
  if (found === undefined) return copied
  const counted = story.steps[found]!.reads.map(({ location }) => names.place(location).kind)
  const others = counted.every((kind) => NOT_COUNTS.has(kind))
    ? []
    : othersAt(story, found, fate.pfn, mm).filter(
        (other) => !counted.includes('mapcount') || other.endsWith('mapped it'),
      )
  const who = others.length === 0 ? '' : `, for ${usersPhrase(others)}`
  return `${copied}: its write fault (do_wp_page) had found that ${findingOf(story, found)}${prose.at(found)}${who}`
}

/** What a rule can find of a page that is not about how many use it. */
const NOT_COUNTS: ReadonlySet<string> = new Set(['mapping', 'swap', 'lru'])

/** Whether another process mapped the page, or had its place in swap, when a reference to it was taken. */
function isShared(story: Story, { taken, pfn, ref }: Fate): boolean {
  return othersAt(story, taken, pfn, story.k.ref[ref]!.mm).some(
    (other) => other.endsWith(' mapped it') || other.endsWith(' named its place in swap'),
  )
}

/** The page was shared already when the reference was taken, and the design let it be so. */
function tellSharedBefore(prose: Prose, { ref, pfn, relaxation }: Fate, shared: number): void {
  const { story } = prose
  const { design } = story.cell
  if (design.because.gup_must_unshare !== undefined || design.because.gup_flags !== undefined) return
  const { name, mm } = story.k.ref[ref]!
  prose.say(
    `${story.names.page(pfn)} was shared when ${name} was taken, since ${prose.step(shared)}, and ${design.name} does not give ${story.process(mm)} a page of its own first`,
  )
  if (relaxation.reference.pin) prose.say(laterRule('gup_must_unshare').trim())
}

/** What the owner and its reference see differently from then on. */
function consequence(prose: Prose, fate: Fate, parted: number, moved: number): string {
  const { story } = prose
  const { names, k } = story
  const { name, mm, vpn } = k.ref[fate.ref]!
  const owner = story.process(mm)
  const after = (effect: string, condition: (args: number[], step: number) => boolean): number | undefined =>
    story.first(parted, (step, index) => {
      if (step.effect.name !== effect || !condition(numbers(step.args), index)) return false
      return step.changes.length > 0
    })
  const own = (cpu: number): boolean => story.processOf(cpu) === mm
  const written = after('store', ([cpu], step) => own(cpu!) && frameWritten(story, step) === moved)
  const read = after('device_load', ([ref]) => ref === fate.ref)
  const device = after('device_store', ([ref]) => ref === fate.ref)
  const loaded = after('load', ([cpu, page]) => own(cpu!) && page === vpn)
  const parts: string[] = []
  if (written !== undefined) {
    parts.push(`what ${owner} stores at ${prose.step(written)} goes to ${names.page(moved)}`)
  }
  if (read !== undefined) {
    const { value, register } = registerRead(story, read)
    parts.push(`${register} = ${name} at ${prose.step(read)} reads ${value} from ${names.page(fate.pfn)}`)
  }
  if (device !== undefined) {
    parts.push(`what is written through ${name} at ${prose.step(device)} goes to ${names.page(fate.pfn)}`)
  }
  if (loaded !== undefined) {
    const { value } = registerRead(story, loaded)
    parts.push(`${owner} reads ${value} at ${prose.step(loaded)}`)
  }
  if (read === undefined && loaded === undefined) {
    const end = story.before(story.steps.length)
    const of = (pfn: number): string => k.page[pfn]!.word.map(({ location }) => end.get(location)).join(', ')
    parts.push(`when all is over ${owner} has ${of(moved)} and ${name} shows ${of(fate.pfn)}`)
  }
  return `From then on they differ: ${enumerate(parts)}`
}

function registerRead(story: Story, step: number): { value: string; register: string } {
  const change = story.steps[step]!.changes[0]!
  return {
    value: story.names.value(change.location, change.after),
    register: story.names.location(change.location).split('.').at(-1)!,
  }
}

/** The frame that the reference holds came to be another process's page too. */
function tellSharing(prose: Prose, fate: Fate, shared: number): void {
  const { story } = prose
  const { names, k } = story
  const { name } = k.ref[fate.ref]!
  prose.say(sharedLate(prose, fate, shared))
  const device = story.first(shared, ({ effect, args }) => {
    return effect.name === 'device_store' && numbers(args)[0] === fate.ref
  })
  const place = story.names.place(story.steps[shared]!.changes[0]!.location)
  const other = 'mm' in place ? story.process(place.mm) : 'another process'
  if (device !== undefined) {
    const seen = story.first(device, ({ effect, args, changes }) => {
      const cpu = numbers(args)[0]!
      return (
        effect.name === 'load' && changes.length > 0 && story.process(story.processOf(cpu) ?? 0) === other
      )
    })
    const value = numbers(story.steps[device]!.args)[2]
    const where = seen === undefined ? `which is ${other}'s too` : `where ${other} reads it${prose.at(seen)}`
    prose.say(
      `So the ${value} that is written through ${name} at ${prose.step(device)} goes to ${names.page(fate.pfn)}, ${where}`,
    )
  }
  prose.say(lateRule(story, fate, shared))
}

/** That fork shared the page although it was held, and what fork had looked at. */
function sharedLate(prose: Prose, fate: Fate, shared: number): string {
  const { story } = prose
  const { names, k } = story
  const { name, flags } = k.ref[fate.ref]!
  const fact = `Fork shared ${names.page(fate.pfn)} at ${prose.step(shared)} although ${name} held it`
  if (!flags.pin) {
    return `${fact}: fork may look for pins (FOLL_PIN), but ${name} is none`
  }
  const { thread } = story.steps[shared]!
  const statement = story.statementIndex(shared)
  const looked = story.steps.flatMap((step, index) =>
    step.thread === thread &&
    index < shared &&
    story.statementIndex(index) === statement &&
    story.ruleOf(step) === 'page_try_dup_rmap' &&
    decides(story, step)
      ? [index]
      : [],
  )
  const early = looked.at(-1)
  const since =
    early === undefined
      ? ''
      : `: it had looked${early < fate.taken ? ` before ${name} was taken` : ''}, and ${findingOf(story, early)}${prose.at(early)}`
  return fact + since
}

/** The rule that let fork share a page that was pinned; other references have none. */
function lateRule(story: Story, fate: Fate, shared: number): string {
  if (!story.k.ref[fate.ref]!.flags.pin) return ''
  return ruleSentences(story.cell.design, sharingRule(story, fate, shared))
}

/** The rule to blame for sharing a held page: that fork looks, or that nothing keeps a pin out meanwhile. */
function sharingRule(story: Story, { taken }: Fate, shared: number): RuleName {
  const { because } = story.cell.design
  if (because.page_try_dup_rmap === undefined || because.write_protect_seq !== undefined) {
    return 'page_try_dup_rmap'
  }
  const { thread } = story.steps[shared]!
  const began = story.first(0, (step) => step.thread === thread && story.inside(step, 'copy_pte_range'))
  return began !== undefined && began < taken ? 'write_protect_seq' : 'page_try_dup_rmap'
}
