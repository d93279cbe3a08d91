/** What the paragraphs of an explanation are made from: the steps that they cite, and turns of phrase. */
import type { Plain, Step } from '../engine/index.ts'
import type { GupFlags } from '../mm/machine.ts'
import { pte_pfn, pte_write } from '../mm/pte.ts'
import { phraseOf } from './phrase.ts'
import { reuseFinding } from './phrase_swap.ts'
import { isLock, mapsFrame, namesSlot } from './places.ts'
import type { Story } from './story.ts'
import { enumerate } from './wrap.ts'

/** An explanation, and the steps that it speaks of. */
export interface Explanation {
  readonly text: string
  readonly cited: ReadonlySet<number>
  /** What the threads of a deadlock wait for. */
  readonly stuck: readonly Stuck[]
}

/** A thread that waits for ever. */
export interface Stuck {
  readonly thread: number
  /** `wait go`, `lock parent.ptl`. */
  readonly text: string
}

export class Prose {
  readonly cited = new Set<number>()
  stuck: readonly Stuck[] = []
  private readonly sentences: string[] = []

  constructor(readonly story: Story) {}

  /** Adds a sentence, if there is one; without a full stop it gets one. */
  say(sentence: string): void {
    if (sentence === '') return
    // Names keep their case: a sentence may begin with `child` or `v5.9`.
    const text = sentence.replace(
      /^(page|the|after|at|with|before|reclaim) /,
      (word) => word[0]!.toUpperCase() + word.slice(1),
    )
    this.sentences.push(text.endsWith('.') ? text : `${text}.`)
  }

  /** `step 17`, and remembers that it was spoken of. */
  step(step: number): string {
    this.cited.add(step)
    return `step ${step + 1}`
  }

  /** ` (step 17)`, or nothing if there is no such step. */
  at(step: number | undefined): string {
    return step === undefined ? '' : ` (${this.step(step)})`
  }

  get explanation(): Explanation {
    return { text: this.sentences.join(' '), cited: this.cited, stuck: this.stuck }
  }
}

/** `a reference for writing (FOLL_PIN)`. */
export function kindOf(flags: GupFlags): string {
  const longterm = flags.longterm ? ' | FOLL_LONGTERM' : ''
  const flag = flags.pin ? 'FOLL_PIN' : 'FOLL_GET'
  return `a reference for ${flags.write ? 'writing' : 'reading'} (${flag}${longterm})`
}

/** The step that raised the reference count when a reference was taken, given the step that noted it. */
export function grabStep(story: Story, noted: number): number {
  const { thread, changes } = story.steps[noted]!
  const pfn = changes[0]!.after - 1
  const { location } = story.k.page[pfn]!.refcount
  const raises = (step: Step): boolean =>
    step.thread === thread && step.changes.some((c) => c.location === location && c.after > c.before)
  return story.last(noted, raises) ?? noted
}

/** The step at which a frame, mapped by one process, was first mapped by another one too. */
export function sharingStep(story: Story, pfn: number): number | undefined {
  return story.first(0, (step, index) =>
    step.changes.some(({ location, after }) => {
      const place = story.names.place(location)
      if (place.kind !== 'pte' || !mapsFrame(after, pfn)) return false
      return story.k.mm.some((_, mm) => mm !== place.mm && story.mapped(index, mm, place.vpn) === pfn)
    }),
  )
}

/** The last step before `before` that let a process write to a frame through its page table. */
export function permissionStep(story: Story, mm: number, pfn: number, before: number): number | undefined {
  return story.last(before, ({ changes }) =>
    changes.some(({ location, after }) => {
      const place = story.names.place(location)
      return place.kind === 'pte' && place.mm === mm && pte_write(after) && pte_pfn(after) === pfn
    }),
  )
}

/** Where a rule decided, for the last time before a step of the same thread: what it looked at then. */
export function decisionBefore(story: Story, before: number): number | undefined {
  const { thread } = story.steps[before]!
  const found = story.last(before, (step) => step.thread === thread && decides(story, step))
  if (found === undefined) return undefined
  // Not from an earlier fault or fork.
  return story.statementIndex(found) === story.statementIndex(before) ? found : undefined
}

/** What a rule has found at a step, without what it has done at once. */
export function findingPhrase(story: Story, step: number): string {
  return reuseFinding(story, story.steps[step]!) ?? phraseOf(story, step)
}

/** The last of some steps at which a rule of the design looked at something. */
export function lastDecision(story: Story, from: number, to: number): number | undefined {
  const found = story.last(to + 1, (step) => decides(story, step))
  return found !== undefined && found >= from ? found : undefined
}

/** Whether a step is one where a rule of the design looks at something: not at a lock, and, but for one, changing nothing. */
export function decides(story: Story, step: Step): boolean {
  const looks = step.changes.length === 0 || step.effect.name === 'alone_with_swap'
  if (!looks || step.reads.length === 0 || story.ruleOf(step) === undefined) return false
  return step.reads.every(({ location }) => {
    const place = story.names.place(location)
    return !isLock(place) && place.kind !== 'pte'
  })
}

/** Who else used a frame before a step, besides one process through its page table: `p held it`. */
export function othersAt(story: Story, step: number, pfn: number, mm: number): string[] {
  const memory = story.before(step)
  const mms = story.k.mm.flatMap(({ name, pte }, other) => {
    const maps = pte.some(({ location }) => mapsFrame(memory.get(location), pfn))
    return maps && other !== mm ? [`${name} mapped it`] : []
  })
  const refs = story.k.ref.flatMap(({ name, page }) =>
    memory.get(page.location) === pfn + 1 ? [`${name} held it`] : [],
  )
  const cached = story.k.cpu.flatMap(({ name, mm: other, tlb }) => {
    const maps = tlb.some(({ location }) => mapsFrame(memory.get(location), pfn))
    return maps && other !== mm && mms.length === 0 ? [`the TLB of ${name} mapped it`] : []
  })
  const { swap, lru } = story.k.page[pfn]!
  const slot = memory.get(swap.location) - 1
  const naming = story.k.mm.flatMap(({ name, pte }, other) => {
    const names = pte.some(({ location }) => namesSlot(memory.get(location), slot))
    return names && other !== mm ? [`${name} named its place in swap`] : []
  })
  const swapCache = memory.get(swap.location) === 0 ? [] : ['the swap cache held it']
  const reclaim = memory.get(lru.location) === story.k.ISOLATED ? ['reclaim held it'] : []
  return [...mms, ...naming, ...cached, ...refs, ...swapCache, ...reclaim]
}

/** Users of a page in one phrase: `child mapped it`, `child mapped it and p and q held it`. */
export function usersPhrase(others: readonly string[]): string {
  const held = others.filter((other) => other.endsWith(' held it'))
  const holders = held.map((other) => other.slice(0, -' held it'.length))
  const rest = others.filter((other) => !held.includes(other))
  return enumerate(held.length === 0 ? rest : [...rest, `${enumerate(holders)} held it`])
}

/** `page A's mapcount, the number of page-table entries that map it, was 1`. */
export function findingOf(story: Story, step: number): string {
  const found = findingPhrase(story, step).replace(' is ', ' was ')
  const [location] = story.steps[step]!.reads.map((read) => read.location)
  const place = location === undefined ? undefined : story.names.place(location)
  const kind = /^page \w+ mapcount was /.test(found) ? 'mapcount' : place?.kind
  const meaning = kind === undefined ? undefined : MEANINGS[kind]
  const together = /^(page \w+) mapcount \+ swap count was (\d+) \((.*)\)$/.exec(found)
  if (together !== null) {
    const [, page, sum, parts] = together
    return `${page}'s mapcount and swap count, the page-table entries that map it and those that name its place in swap, were ${sum} together, ${parts}`
  }
  if (meaning === undefined) return found
  return found.replace(/^(page \w+) (\w+) /, `$1's $2, ${meaning}, `)
}

const MEANINGS: Readonly<Record<string, string>> = {
  mapcount: 'the number of page-table entries that map it',
  refcount: 'the number of all references to it',
  pins: 'the number of pins among its references',
  exclusive: 'the mark of a page that one process has to itself',
}

/** The arguments of a step as numbers. */
export function numbers(args: readonly Plain[]): number[] {
  return args.map((arg) => (typeof arg === 'number' ? arg : -1))
}
