/** Steps of swap and reclaim in words, by the names of their effects. */
import type { Step } from '../engine/index.ts'
import { pte_none } from '../mm/pte.ts'
import { changesPhrase, type Phrase, withoutPage } from './changes.ts'
import { isLock, type Place } from './places.ts'
import type { Story } from './story.ts'

export const SWAP_PHRASES: Readonly<Record<string, Phrase>> = {
  isolate_some: (story, step) => takenOff(story, step) ?? 'takes no page, and is done',

  isolate_lru_page: (story, step) => takenOff(story, step) ?? offAlready(story, step.args[0] as number),

  isolate_mapped: (story, step) => {
    const taken = takenOff(story, step)
    if (taken !== undefined) return taken
    const [entry, ...rest] = step.reads
    if (entry === undefined) return undefined
    const page = rest.map(({ location }) => story.names.place(location)).find((place) => 'pfn' in place)
    if (page !== undefined) return offAlready(story, page.pfn)
    const found = story.names.fact(entry.location, entry.value)
    return pte_none(entry.value) ? found : `${found}: no page in memory`
  },

  enter_swap_cache: (story, { changes }) =>
    changes.length > 0 ? ordered(story, changes, 'swap') : 'no place in swap is free',

  find_get_page: (story, { reads: [cache], changes }) => {
    if (cache === undefined) return undefined
    const { names } = story
    const found = names.fact(cache.location, cache.value)
    if (changes.length === 0) return found
    return `${found}: ${withoutPage(changesPhrase(story, changes), names.page(cache.value - 1))}`
  },

  swapcache_prepare: (story, { args, reads: [cache], changes }) => {
    const [slot, pfn] = args as [number, number]
    if (cache === undefined) return undefined
    if (changes.length === 0) {
      return cache.value === 0
        ? `nobody names swap ${slot} any more`
        : story.names.fact(cache.location, cache.value)
    }
    const told = changes.filter(({ location }) => !isLock(story.names.place(location)))
    const page = story.names.page(pfn)
    return `lock ${page}; it ${withoutPage(ordered(story, told, 'swap'), page)}`
  },

  swap_readpage: (story, { args }, index) => {
    const [pfn, slot] = args as [number, number]
    const memory = story.before(index)
    const values = story.k.slot[slot]?.word.map(({ location }) => memory.get(location))
    return values && `read ${story.names.page(pfn)} from swap ${slot}: ${values.join(', ')}`
  },

  write_swap_word: (story, { args }, index) => {
    const [slot, pfn, word] = args as [number, number, number]
    const cell = story.k.page[pfn]?.word[word]
    if (cell === undefined) return undefined
    const { names } = story
    return `write ${names.word(pfn, word)} to ${names.slotWord(slot, word)}: ${story.before(index).get(cell.location)}`
  },

  free_entry: (story, { args, changes, reads }) => {
    const slot = args[0] as number
    const count = changes.find(({ location }) => story.names.place(location).kind === 'slot_count')
    if (count === undefined) return undefined
    const cached = reads.some(
      ({ location, value }) => story.names.place(location).kind === 'slot_cache' && value !== 0,
    )
    const left = count.after > 0 ? '' : cached ? ': only the swap cache keeps it' : ': free now'
    return `swap ${slot} count ${count.before} → ${count.after}${left}`
  },

  free_if_unnamed: (story, step) => {
    const { args, reads, changes } = step
    const page = story.names.page(args[0] as number)
    if (changes.length > 0) return `nobody names its place in swap: ${leaving(story, step)}`
    const last = reads.at(-1)
    if (last === undefined) return undefined
    const place = story.names.place(last.location)
    if (place.kind === 'slot_count') return `swap ${place.slot} is still named: its count is ${last.value}`
    if (place.kind === 'writeback' && last.value === 1) return `${page} is being written`
    return story.names.fact(last.location, last.value)
  },

  alone_with_swap: (story, step) => {
    const page = story.names.page(step.args[0] as number)
    const left = step.changes.length === 0 ? '' : `; it ${withoutPage(leaving(story, step), page)}`
    return usersPhrase(story, step) + left
  },

  delete_frozen: (story, step) => leaving(story, step),

  free_isolated: (story, { args }) => `${story.names.page(args[0] as number)} is free now`,

  compareAndSwap: (story, { args, reads: [at], changes }) => {
    if (at === undefined) return undefined
    const { names } = story
    const place = names.place(at.location)
    if (place.kind !== 'refcount') return undefined
    if (changes.length > 0) return `freeze ${changesPhrase(story, changes).replace(': free now', '')}`
    return `cannot freeze ${names.location(at.location)}: it is ${at.value}, not ${args[1]}`
  },

  read_rmap: (story, { args, reads }) => {
    const [mapping, index] = reads
    if (mapping === undefined || index === undefined) return undefined
    const { names, k } = story
    const page = names.page(args[0] as number)
    if (mapping.value === 0) return `${page} is not anonymous: nobody can be found who maps it`
    if (mapping.value === k.KSM) return `${page} is a KSM page: look at every page of every process`
    const who = k.mm[mapping.value - 1]!.descendants.map((mm) => story.process(mm))
    return `${page} is in ${names.value(mapping.location, mapping.value)}: look at ${names.value(index.location, index.value)} of ${who.join(', ')}`
  },
}

/** `page A mapcount + swap count is 1 (0 + 1)`. */
function usersPhrase(story: Story, { args, reads }: Step): string {
  const [pfn, mapped] = args as [number, number]
  const count = swapCountIn(story, reads)
  if (count === undefined) return `${story.names.page(pfn)} mapcount is ${mapped}`
  return `${story.names.page(pfn)} mapcount + swap count is ${mapped + count} (${mapped} + ${count})`
}

function swapCountIn(story: Story, reads: Step['reads']): number | undefined {
  return reads.find(({ location }) => story.names.place(location).kind === 'slot_count')?.value
}

/** What reuse_swap_page has found, and not what it has done then; undefined for any other step. */
export function reuseFinding(story: Story, step: Step): string | undefined {
  return step.effect.name === 'alone_with_swap' ? usersPhrase(story, step) : undefined
}

/** `page A off the LRU list, refcount 2 → 3`. */
function takenOff(story: Story, { changes }: Step): string | undefined {
  return changes.length === 0 ? undefined : ordered(story, changes, 'lru')
}

function offAlready(story: Story, pfn: number): string {
  return `${story.names.page(pfn)} is off the LRU list already`
}

/** What happens to a page that leaves the swap cache; that it then counts as dirty goes without saying. */
function leaving(story: Story, { changes }: Step): string {
  const told = changes.filter(({ location }) => story.names.place(location).kind !== 'dirty')
  return ordered(story, told, 'swap')
}

/** Some changes, one kind of them before the others. */
function ordered(story: Story, changes: Step['changes'], first: Place['kind']): string {
  const isFirst = ({ location }: { location: number }): boolean => story.names.place(location).kind === first
  return changesPhrase(story, [...changes.filter(isFirst), ...changes.filter((change) => !isFirst(change))])
}
