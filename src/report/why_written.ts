/** What let the writer of a missed COW write to a page that others can see, and which rule decided that. */
import type { Write } from '../check/index.ts'
import type { RuleName } from '../designs/index.ts'
import { pte_write } from '../mm/pte.ts'
import { mapsFrame } from './places.ts'
import {
  decisionBefore,
  findingOf,
  numbers,
  othersAt,
  type Prose,
  permissionStep,
  sharingStep,
  usersPhrase,
} from './prose.ts'
import { ruleSentences } from './rule.ts'
import type { Story } from './story.ts'
import { heldBy, mergedAt, tellMerged } from './why_protected.ts'
import { isSwapIn, reclaimBefore, reclaimSentence, slotSharedBefore } from './why_reclaim.ts'

export function tellWriting(prose: Prose, write: Write, frame: number): void {
  const device = prose.story.steps[write.step]!.effect.name === 'device_store'
  if (device) tellDevice(prose, write, frame)
  else prose.say(ruleSentences(prose.story.cell.design, storeSentence(prose, write, frame)))
}

/** Through a reference that was taken when the page was shared already, or that was overlooked when it was shared. */
function tellDevice(prose: Prose, write: Write, frame: number): void {
  const { story } = prose
  const { design } = story.cell
  const ref = numbers(story.steps[write.step]!.args)[0]!
  const { name } = story.k.ref[ref]!
  const page = story.names.page(frame)
  const held = heldBy(story, ref, write.step)
  const merged = mergedAt(story, frame, write.step)
  if (held !== undefined && merged !== undefined) {
    tellMerged(prose, held, merged)
    return
  }
  const taken = held?.taken
  const shared = sharingStep(story, frame)
  const handedOn = shared !== undefined && isSwapIn(story, story.steps[shared]!)
  const forked = handedOn ? slotSharedBefore(story, shared) : shared
  const late = taken !== undefined && forked !== undefined && taken < forked
  if (!late) {
    prose.say(`${name} was taken to ${page} as it was, shared${prose.at(taken)}`)
    prose.say(ruleSentences(design, 'gup_must_unshare'))
    return
  }
  const reclaim = handedOn ? reclaimBefore(story, frame, forked) : undefined
  if (reclaim !== undefined) prose.say(reclaimSentence(prose, reclaim))
  const what = handedOn ? 'its place in swap' : 'the page'
  prose.say(
    `${name} was taken when ${page} was ${story.process(write.process)}'s alone${prose.at(taken)}; fork shared ${what} all the same${prose.at(forked)}`,
  )
  prose.say(ruleSentences(design, handedOn ? 'may_add_to_swap' : 'page_try_dup_rmap'))
}

function storeSentence(prose: Prose, write: Write, frame: number): RuleName {
  const { story } = prose
  const page = story.names.page(frame)
  const writer = story.process(write.process)
  const { args } = story.steps[write.step]!
  const permitted = permissionStep(story, write.process, frame, write.step)
  const bySwapIn = permitted !== undefined && isSwapIn(story, story.steps[permitted]!)
  if (permitted === undefined || !(bySwapIn || story.inside(story.steps[permitted]!, 'do_wp_page'))) {
    const entry = story.before(write.step).get(story.k.mm[write.process]!.pte[numbers(args)[1]!]!.location)
    const stale = !mapsFrame(entry, frame) || !pte_write(entry)
    const putOff = story.before(write.step).get(story.k.mm[write.process]!.tlb_flush_batched.location) === 1
    prose.say(
      stale
        ? `${writer} wrote through a cached page-table entry (TLB) that still said writable when the page table no longer did${putOff ? ', since reclaim had put off the flush' : ''}`
        : `${writer} could write to ${page} without a fault, since its page-table entry was writable${prose.at(permitted)}`,
    )
    return 'page_try_dup_rmap'
  }
  const found = decisionBefore(story, permitted)
  const others = othersAt(story, permitted, frame, write.process).filter(
    (other) => !/^(the swap cache|reclaim) held it$/.test(other),
  )
  const although =
    others.length === 0
      ? ''
      : `, although ${usersPhrase(others).replaceAll(/ (held it|mapped it|named)/g, ' still $1')}`
  const since =
    found === undefined ? '' : ` It had found that ${findingOf(story, found)}${prose.at(found)}${although}.`
  const reclaim = reclaimBefore(story, frame, permitted)
  if (reclaim !== undefined) prose.say(reclaimSentence(prose, reclaim))
  const fault = bySwapIn
    ? `write fault (do_swap_page) swapped ${swappedIn(story, permitted)} in,`
    : 'write fault (do_wp_page)'
  prose.say(
    `At ${prose.step(permitted)}, ${writer}'s ${fault} made ${page} writable in place and did not copy it${found === undefined ? although : ''}.${since}`,
  )
  return bySwapIn ? 'swap_in_exclusive' : 'wp_can_reuse'
}

/** The virtual page that a swap-in mapped. */
function swappedIn(story: Story, step: number): string {
  for (const { location } of story.steps[step]!.changes) {
    const place = story.names.place(location)
    if (place.kind === 'pte') return story.k.config.pages[place.vpn]!.name
  }
  return 'the page'
}
