/**
 * Why an owner had to ask for a page that had been its own: who took its write permission
 * away, other than fork, or the owner itself by mprotect.
 */
import type { RuleName } from '../designs/index.ts'
import type { Step } from '../engine/index.ts'
import { pte_dirty, pte_pfn, pte_write } from '../mm/pte.ts'
import { introduceActor } from './actors.ts'
import { asksForOthers } from './facts_merge.ts'
import { mapsFrame } from './places.ts'
import { decides, findingOf, grabStep, type Prose } from './prose.ts'
import { laterRule, ruleSentences, unstatedSentence } from './rule.ts'
import type { Story } from './story.ts'
import { reclaimBefore, reclaimSentence, slotSharedBefore, swapInBefore } from './why_reclaim.ts'

/** A reference, the frame that it holds, and the step at which it was taken. */
export interface Held {
  readonly ref: number
  readonly pfn: number
  readonly taken: number
}

/** What a reference held at a step, and since when. */
export function heldBy(story: Story, ref: number, step: number): Held | undefined {
  const { location } = story.k.ref[ref]!.page
  const pfn = story.before(step).get(location) - 1
  const noted = story.last(step, ({ changes }) => changes.some((c) => c.location === location))
  return noted === undefined || pfn < 0 ? undefined : { ref, pfn, taken: grabStep(story, noted) }
}

/** What had happened to the page before its owner got another one, and which rule allowed that. */
export function tellProtected(prose: Prose, held: Held, parted: number): void {
  const { story } = prose
  const replaced = story.inside(story.steps[parted]!, 'replace_page')
  const merged = replaced ? parted : mergedAt(story, held.pfn, parted)
  if (merged !== undefined) {
    tellMerged(prose, held, merged)
    return
  }
  const lost = lostAt(story, held, parted)
  if (lost === undefined) return
  const step = story.steps[lost]!
  if (story.inside(step, 'clear_soft_dirty')) tellCleared(prose, held, lost)
  else if (story.inside(step, 'try_to_unmap_one')) tellSwappedOut(prose, held, lost, parted)
}

/** The last step before `before` at which the owner's entry stopped being writable. */
function lostAt(story: Story, { ref }: Held, before: number): number | undefined {
  const { mm, vpn } = story.k.ref[ref]!
  const { location } = story.k.mm[mm]!.pte[vpn]!
  return story.last(before, ({ changes }) =>
    changes.some((c) => c.location === location && pte_write(c.before) && !pte_write(c.after)),
  )
}

function tellCleared(prose: Prose, held: Held, lost: number): void {
  const page = prose.story.names.page(held.pfn)
  prose.say(
    `${page} had been writable until clear_refs, which makes pages read-only so as to notice the next write, took that away${prose.at(lost)}`,
  )
  if (lost > held.taken) tellRule(prose, held, 'clear_refs_may_protect', lost, 'clear_refs')
}

function tellSwappedOut(prose: Prose, held: Held, lost: number, parted: number): void {
  const { story } = prose
  const { k, names } = story
  const { mm, vpn } = k.ref[held.ref]!
  const { location } = k.mm[mm]!.pte[vpn]!
  const frame = pte_pfn(story.steps[lost]!.changes.find((c) => c.location === location)!.before)
  const reclaim = reclaimBefore(story, frame, parted)
  if (reclaim === undefined) return
  const back = swapInBefore(story, mm, held.pfn, parted)
  const owner = story.process(mm)
  const mappedAgain =
    back === undefined
      ? ''
      : `; ${owner} swapped it in again, as ${names.page(held.pfn)}, read-only${prose.at(back)}`
  prose.say(
    `before that, ${reclaimSentence(prose, reclaim)}${mappedAgain.replace(`, as ${names.page(frame)},`, ',')}`,
  )
  if (lost < held.taken) {
    if (slotSharedBefore(story, held.taken) === undefined) prose.say(laterRule('swp_exclusive').trim())
  } else {
    tellRule(prose, held, 'may_add_to_swap', reclaim.entered, 'reclaim')
    const { because } = story.cell.design
    const { flags } = k.ref[held.ref]!
    if (
      flags.pin &&
      because.may_add_to_swap !== undefined &&
      because.page_try_share_anon_rmap === undefined
    ) {
      prose.say(laterRule('page_try_share_anon_rmap').trim())
    }
  }
}

/** The step at which KSM made a page its own that is so still. */
export function mergedAt(story: Story, pfn: number, before: number): number | undefined {
  const { location } = story.k.page[pfn]!.mapping
  if (story.before(before).get(location) !== story.k.KSM) return undefined
  return story.last(before, ({ changes }) =>
    changes.some((c) => c.location === location && c.after === story.k.KSM),
  )
}

/** Who merges pages at a step: `KSM (`merge x with y`)`, or ksmd and what that is. */
export function merger(story: Story, step: number): string {
  const statement = story.statement(step)
  const actor = introduceActor(story, story.steps[step]!.thread)
  return actor ?? (statement === undefined ? 'KSM' : `KSM (\`${story.source(statement)}\`)`)
}

export function tellMerged(prose: Prose, held: Held, merged: number): void {
  const { story } = prose
  const page = story.names.page(held.pfn)
  const { name, mm } = story.k.ref[held.ref]!
  const although = held.taken < merged ? `, although ${name} held it` : ''
  const what = story.inside(story.steps[merged]!, 'replace_page')
    ? `had found a page that holds the same, and replaced ${page} by it`
    : `had made ${page} a KSM page, which may stand for several and is not written in place`
  prose.say(`${merger(story, merged)} ${what}${prose.at(merged)}${although}`)
  if (held.taken > merged) {
    const { flags } = story.k.ref[held.ref]!
    prose.say(`${name} was taken to it later${prose.at(held.taken)}`)
    if (flags.pin && !flags.write) prose.say(ruleSentences(story.cell.design, 'gup_must_unshare'))
    return
  }
  const { thread } = story.steps[merged]!
  const looked = story.last(
    merged,
    (step) => step.thread === thread && asksForOthers(story, step) && looksAt(story, step, held.pfn),
  )
  const entry = story.last(
    merged,
    (step) =>
      step.thread === thread && story.inside(step, 'write_protect_page') && readsClean(story, step, held.pfn),
  )
  if (entry !== undefined) {
    const back = swapInBefore(story, mm, held.pfn, merged)
    const since = back === undefined ? '' : `, as swap-in had left it${prose.at(back)}`
    prose.say(`${story.process(mm)}'s entry was read-only and clean already${prose.at(entry)}${since}`)
  } else if (looked !== undefined && looked < held.taken) {
    prose.say(
      `It had looked before ${name} was taken: ${findingOf(story, looked).replace(/: nobody.*/, '')}${prose.at(looked)}`,
    )
  }
  prose.say(ruleSentences(story.cell.design, 'page_try_share_anon_rmap'))
}

function looksAt(story: Story, { args }: Step, pfn: number): boolean {
  return args[0] === story.k.page[pfn]!.refcount.location
}

function readsClean(story: Story, { reads, changes }: Step, pfn: number): boolean {
  const [entry] = reads
  if (entry === undefined || changes.length > 0 || story.names.place(entry.location).kind !== 'pte')
    return false
  return mapsFrame(entry.value, pfn) && !pte_write(entry.value) && !pte_dirty(entry.value)
}

/** The rule that let a page be taken from its owner which a reference held: that looks for pins, or that does not. */
function tellRule(prose: Prose, { ref, taken }: Held, rule: RuleName, until: number, who: string): void {
  const { story } = prose
  const { design } = story.cell
  const { name, flags } = story.k.ref[ref]!
  if (design.because[rule] === undefined) {
    prose.say(flags.pin ? ruleSentences(design, rule) : unstatedSentence(design, rule))
    return
  }
  if (!flags.pin) {
    prose.say(`In ${design.name} ${who} looks for pins (FOLL_PIN), but ${name} is none`)
    return
  }
  const { thread } = story.steps[until]!
  const looked = story.last(
    until,
    (step) => step.thread === thread && story.ruleOf(step) === rule && decides(story, step),
  )
  if (looked !== undefined) {
    const early = looked < taken ? ` before ${name} was taken` : ''
    prose.say(`It had looked${early}: ${findingOf(story, looked)}${prose.at(looked)}`)
  }
  prose.say(ruleSentences(design, rule))
}
