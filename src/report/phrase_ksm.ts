/** Steps of KSM and soft-dirty in words, by the names of their effects. */
import type { Step } from '../engine/index.ts'
import { pte_pfn, pte_present } from '../mm/pte.ts'
import type { Phrase } from './changes.ts'
import type { Story } from './story.ts'

export const KSM_PHRASES: Readonly<Record<string, Phrase>> = {
  choose_two: (story, step) => {
    const chosen = chosenSpots(step)
    if (chosen === undefined) return 'takes no pages, and is done'
    return `${chosen.map((spot) => spotName(story, spot)).join(' and ')} hold the same`
  },

  get_mapped: (story, { reads: [entry], changes }) => {
    if (entry === undefined || changes.length > 0) return undefined
    return `${story.names.fact(entry.location, entry.value)}: no page to merge`
  },

  which_is_stable: (story, step) => {
    const merging = step.stackAfter.find(({ procedure }) => procedure.name === 'merge_with_stable')
    if (merging === undefined) return 'neither page is a KSM page'
    const [scanned, stable] = merging.args as unknown as [Spot, Spot]
    return `${spotName(story, stable)} is a KSM page, so ${spotName(story, scanned)} is scanned`
  },

  find_node: (story, { args }, index) => {
    const [spot] = args as unknown as [Spot]
    const memory = story.before(index)
    const entry = memory.get(story.k.mm[spot.mm]!.pte[spot.vpn]!.location)
    const found = pte_present(entry) ? story.names.page(pte_pfn(entry)) : undefined
    const isKsm =
      found !== undefined && memory.get(story.k.page[pte_pfn(entry)]!.mapping.location) === story.k.KSM
    return isKsm ? `finds ${found} in the stable tree` : 'finds no such page in the stable tree'
  },

  get_page_unless_zero: (story, { args, changes }) =>
    changes.length > 0 ? undefined : `${story.names.page(args[0] as number)} is about to be freed`,

  compare_pages: (story, { args }, index) => {
    const memory = story.before(index)
    const [a, b] = (args as number[]).map((pfn) => ({
      page: story.names.page(pfn),
      holds: story.k.page[pfn]?.word.map(({ location }) => memory.get(location)).join(', '),
    }))
    if (a === undefined || b === undefined) return undefined
    return a.holds === b.holds
      ? `${a.page} and ${b.page} hold the same: ${a.holds}`
      : `${a.page} and ${b.page} differ: ${a.holds}; ${b.holds}`
  },

  is_mergeable: (story, { args, reads }) => {
    const last = reads.at(-1)
    if (last === undefined) return undefined
    const isArea = story.names.place(last.location).kind === 'vma'
    return isArea
      ? story.names.fact(last.location, last.value)
      : `${story.process(args[0] as number)} is ${story.names.value(last.location, last.value)}`
  },

  rehome: (story, { args, reads, changes }) => {
    const page = story.names.page(args[2] as number)
    if (changes.length > 0)
      return `${page} is no KSM page any more, but ${story.process(args[0] as number)}'s own`
    const last = reads.at(-1)
    if (last === undefined) return undefined
    const found = story.names.fact(last.location, last.value)
    return story.names.place(last.location).kind === 'refcount' ? `${found}, not 1` : found
  },

  move_anon_rmap: (story, { args, changes }) =>
    changes.length > 0
      ? undefined
      : `${story.names.page(args[1] as number)} belongs to ${story.process(args[0] as number)} alone, as before`,

  watch: (story, { args }) => `from now on writes of ${story.process(args[0] as number)} are to be noticed`,

  fits: (story, { args, reads }) => {
    const [vpn, pfn] = args as [number, number]
    const { names, k } = story
    const page = names.page(pfn)
    const [mapping, index] = reads
    if (mapping === undefined) return undefined
    const found = names.fact(mapping.location, mapping.value)
    if (index === undefined) return `${found}: it can be mapped`
    const name = k.config.pages[vpn]?.name
    const own = names.value(index.location, index.value)
    return own === name
      ? `${page} is ${name}: it can be mapped`
      : `${page} is ${own} by now, so ${name} needs a copy`
  },
}

/** A virtual page of a process, as ksmd has it. */
export interface Spot {
  readonly mm: number
  readonly vpn: number
}

/** What ksmd has chosen: it shows in what it goes on with. */
export function chosenSpots({ stackAfter }: Step): Spot[] | undefined {
  const merging = stackAfter.find(({ procedure }) => procedure.name === 'cmp_and_merge')
  return merging?.args as Spot[] | undefined
}

/** `parent's x`. */
export function spotName({ k }: Story, { mm, vpn }: Spot): string {
  return `${k.mm[mm]!.name}'s ${k.config.pages[vpn]!.name}`
}
