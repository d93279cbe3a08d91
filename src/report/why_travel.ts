/** How a value came from the page that it was stored to to where it is read: by copies, and by way of swap. */
import type { ReadsFrom } from '../check/index.ts'
import { is_swap_pte, pte_swp_slot } from '../mm/pte.ts'
import { numbers, type Prose } from './prose.ts'
import type { Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** Where words are: a frame, or a place in swap. */
type Holder = { readonly pfn: number } | { readonly slot: number }

/** One copying of a word: `page A was written to swap 0`. */
export interface Hop {
  readonly step: number
  readonly from: Holder
  readonly to: Holder
}

/** `page A`, or `swap 0` for what is in swap when all is over. */
export function whereabouts(story: Story, read: ReadsFrom): string {
  return nameOf(story, holderRead(story, read))
}

/** The value was copied from the page where it was stored to the one where it was read. */
export function travelSentence(prose: Prose, frame: number, hops: readonly Hop[], read: ReadsFrom): string {
  const { story } = prose
  const page = story.names.page(frame)
  const [only] = hops
  if (hops.length === 1 && 'pfn' in only!.to && 'pfn' in only!.from) {
    return `It was stored to ${page}, and ${whereabouts(story, read)}, where it is read, is a copy of that page made afterwards${prose.at(only!.step)}`
  }
  if (hops.length === 0) return `It was stored to ${page}, and is read from ${whereabouts(story, read)}`
  const told = hops.map((hop) => `${hopPhrase(story, hop)}${prose.at(hop.step)}`)
  return `It was stored to ${page}; ${enumerate(told)}, where it is read`
}

/** The copyings after some step by which what is read got to where it is read, the earliest first. */
export function hopsAfter(story: Story, step: number, read: ReadsFrom): Hop[] {
  return hopsUntil(story, read, (hop) => hop.step < step)
}

/** Those by which what a frame held got there. */
export function hopsFrom(story: Story, frame: number, read: ReadsFrom): Hop[] {
  return hopsUntil(story, read, ({ to }) => 'pfn' in to && to.pfn === frame)
}

function hopsUntil(story: Story, read: ReadsFrom, isTooEarly: (hop: Hop) => boolean): Hop[] {
  const hops: Hop[] = []
  let at = holderRead(story, read)
  let before = read.step ?? story.steps.length
  for (;;) {
    const hop = lastFilling(story, at, before)
    if (hop === undefined || isTooEarly(hop)) return hops
    hops.unshift(hop)
    at = hop.from
    before = hop.step
  }
}

function lastFilling(story: Story, to: Holder, before: number): Hop | undefined {
  const step = story.last(before, ({ effect, args }) => {
    const [a, b] = numbers(args)
    if ('slot' in to) return effect.name === 'write_swap_word' && a === to.slot
    return (effect.name === 'copy_user_word' || (effect.name === 'swap_readpage' && b! >= 0)) && a === to.pfn
  })
  if (step === undefined) return undefined
  const source = numbers(story.steps[step]!.args)[1]!
  const from = story.steps[step]!.effect.name === 'swap_readpage' ? { slot: source } : { pfn: source }
  return { step, from, to }
}

/** `page A was copied to page B`, `page A was written to swap 0`, `swap 0 was read into page B`. */
export function hopPhrase(story: Story, { from, to }: Hop): string {
  const [source, target] = [nameOf(story, from), nameOf(story, to)]
  if ('slot' in to) return `${source} was written to ${target}`
  return 'slot' in from ? `${source} was read into ${target}` : `${source} was copied to ${target}`
}

function nameOf(story: Story, holder: Holder): string {
  return 'pfn' in holder ? story.names.page(holder.pfn) : `swap ${holder.slot}`
}

function holderRead(story: Story, { pfn, what, process }: ReadsFrom): Holder {
  if (pfn >= 0 || what.kind !== 'memory') return { pfn }
  const entry = story.before(story.steps.length).get(story.k.mm[process]!.pte[what.index]!.location)
  return is_swap_pte(entry) ? { slot: pte_swp_slot(entry) } : { pfn }
}
