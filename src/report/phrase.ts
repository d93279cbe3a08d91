/**
 * One step in words: what it looked at, if that decides something, and what it changed.
 *
 * Nothing here is needed to understand a step: whatever is not known is told by the
 * locations that it read or changed, so that a user's own effects read well enough.
 */
import type { Change, Step } from '../engine/index.ts'
import { EXITING, RUNNING } from '../mm/machine.ts'
import { pte_dirty, pte_none, pte_pfn, pte_write } from '../mm/pte.ts'
import { changesPhrase, type Phrase } from './changes.ts'
import { KSM_PHRASES } from './phrase_ksm.ts'
import { SWAP_PHRASES } from './phrase_swap.ts'
import type { Place } from './places.ts'
import type { Story } from './story.ts'

/** What happens in a step: `page A refcount 1 → 2`, `page A mapcount is 2, not 1`. */
export function phraseOf(story: Story, index: number): string {
  const step = story.steps[index]!
  if (step.failure !== undefined) return step.failure
  const { name } = step.effect
  const special = Object.hasOwn(SPECIAL, name) ? SPECIAL[name]!(story, step, index) : undefined
  if (special !== undefined) return special
  return step.changes.length > 0 ? changesPhrase(story, step.changes) : lookedAt(story, step)
}

/** By the names of effects: those whose reads and changes do not tell it all. */
const SPECIAL: Readonly<Record<string, Phrase>> = {
  ...SWAP_PHRASES,
  ...KSM_PHRASES,

  read: ({ names }, { reads: [at] }) => at && names.fact(at.location, at.value),

  test: (story, step) => {
    const { reads, args } = step
    const [at] = reads
    if (at === undefined) return undefined
    const { names } = story
    const expected = args[1] as number
    const name = names.location(at.location)
    const value = names.value(at.location, at.value)
    const place = names.place(at.location)
    const { kind } = place
    if (kind === 'mapping' && expected === story.k.KSM && at.value !== expected) {
      return `${names.page(place.pfn)} is no KSM page`
    }
    const comparable = kind === 'pte' || COUNTERS.has(kind)
    if (!comparable) return names.fact(at.location, at.value)
    if (kind === 'pte' && at.value === expected) return `${name} is ${expected === 0 ? '' : 'still '}${value}`
    if (kind === 'refcount' && story.inside(step, 'write_protect_page')) {
      return at.value === expected
        ? `${name} is ${value}: nobody else holds it`
        : `${name} is ${value}, not ${expected}: somebody else holds it`
    }
    if (at.value === expected) return `${name} is ${value}`
    return `${name} is ${value}${kind === 'pte' ? ', no longer' : ', not'} ${names.value(at.location, expected)}`
  },

  exceeds: (story, { reads: [at], args }) => {
    if (at === undefined) return undefined
    const threshold = args[1] as number
    const name = story.names.location(at.location)
    if (threshold === 0) return story.names.fact(at.location, at.value)
    return `${name} is ${at.value}, ${at.value > threshold ? '' : 'not '}more than ${threshold}`
  },

  write: (story, step) => {
    const { names } = story
    const [location, value] = step.args as [number, number]
    const place = names.place(location)
    const [change] = step.changes
    switch (place.kind) {
      case 'tlb': {
        if (value !== 0) return undefined
        const was = change === undefined ? 'empty' : names.value(location, change.before)
        return `flush ${names.location(location)}: was ${was}`
      }
      case 'ref':
        return value === 0 ? undefined : `${names.location(location)} = ${names.value(location, value)}`
      case 'state':
        return value === RUNNING
          ? `${story.process(place.mm)} begins to run`
          : `${story.process(place.mm)} ${value === EXITING ? 'is about to exit' : 'has exited'}`
      case 'ended':
        return 'the thread ends'
      case 'signal':
        return `signal ${nameOfSignal(story, place.signal)}`
      case 'register':
        return `${story.k.config.registers[place.register]} = ${names.value(location, value)}`
      case 'refcount':
        // Reclaim, after all: nothing else sets a reference count.
        return change && `unfreeze ${changesPhrase(story, [change])}`
      default:
        return change === undefined
          ? `${names.location(location)} stays ${names.value(location, value)}`
          : undefined
    }
  },

  waitFor: (story, { args }) => waited(story, story.names.place(args[0] as number)),

  tryLock: (story, { reads: [at], changes }) => {
    if (at === undefined) return undefined
    const name = lockName(story, at.location)
    if (changes.length > 0) return `lock ${name}`
    return `cannot lock ${name}: it is ${story.names.value(at.location, at.value)}`
  },

  lock: (story, { args }) => `lock ${lockName(story, args[0] as number)}`,
  unlock: (story, { args }) => `unlock ${lockName(story, args[0] as number)}`,
  readLock: (story, { args }) => `lock ${lockName(story, args[0] as number)} for reading`,
  writeLock: (story, { args }) => `lock ${lockName(story, args[0] as number)} for writing`,
  try_read_vma: (story, { args, changes }) => {
    const [mm, vpn] = args as [number, number]
    const { vma, vma_lock } = story.k.mm[mm]!
    const name = story.names.location(vma_lock[vpn]!.location)
    if (changes.length > 0) return `lock ${name} for reading`
    const area = story.names.location(vma[vpn]!.location)
    return `cannot lock ${name}: ${area} is being changed, or there is none`
  },
  write_vma: (story, { changes: [change] }) =>
    change && `lock ${story.names.location(change.location)} for writing`,
  end_write_all: (story, { changes }) =>
    changes.length === 0
      ? 'no area is locked'
      : `unlock ${changes.map(({ location }) => story.names.location(location)).join(', ')}`,
  readUnlock: (story, { args }) => `unlock ${lockName(story, args[0] as number)}`,
  writeUnlock: (story, { args }) => `unlock ${lockName(story, args[0] as number)}`,
  downgrade: (story, { args }) => `${lockName(story, args[0] as number)}: writing → reading`,

  load: (story, step) => {
    const [cpu, vpn, word, register] = step.args as [number, number, number, number]
    const entry = entryRead(story, step, cpu, vpn)
    if (entry === undefined) return undefined
    if (pte_none(entry)) return `${story.k.cpu[cpu]!.name}.tlb${bracket(story, vpn)} is empty`
    const value = registerValue(story, step, register)
    return `load from ${story.names.word(pte_pfn(entry), word)}: ${registerName(story, register)} = ${value}`
  },

  store: (story, step) => {
    const [cpu, vpn, word, value] = step.args as [number, number, number, number]
    const entry = entryRead(story, step, cpu, vpn)
    if (entry === undefined) return undefined
    const dropped = step.changes.find(({ location }) => story.names.place(location).kind === 'tlb')
    if (dropped !== undefined) return `${story.names.change(dropped)}: the processor drops it`
    if (pte_write(entry) && !pte_dirty(entry)) {
      return `${story.k.cpu[cpu]!.name}.tlb${bracket(story, vpn)} is clean: its dirty bit must be set first`
    }
    if (!pte_write(entry)) {
      return `${story.k.cpu[cpu]!.name}.tlb${bracket(story, vpn)} is ${story.names.cached(entry)}`
    }
    return `store to ${stored(story, step, pte_pfn(entry), word, value)}`
  },

  walk: (story, step) => {
    const [cpu, vpn] = step.args as [number, number]
    const processor = story.k.cpu[cpu]
    if (processor === undefined) return undefined
    const { mm, tlb } = processor
    const pte = step.reads.find(({ location }) => location === story.k.mm[mm]!.pte[vpn]?.location)
    if (pte === undefined) return undefined
    const { names } = story
    const found = `${names.location(pte.location)} is ${names.value(pte.location, pte.value)}`
    if (step.changes.some(({ location }) => location === tlb[vpn]!.location)) {
      const filled = `page walk fills ${names.location(tlb[vpn]!.location)}: ${names.cached(pte.value)}`
      const dirtied = step.changes.some(({ location }) => location === pte.location)
      return dirtied ? `${filled}; the entry's dirty bit is set` : filled
    }
    return `page walk: ${found}: page fault`
  },

  device_load: (story, step) => {
    const [ref, word, register] = step.args as [number, number, number]
    const held = heldBy(story, step, ref)
    if (held === undefined) return undefined
    const value = registerValue(story, step, register)
    const name = story.k.ref[ref]!.name
    if (held === 0) return `${name} holds no page: ${registerName(story, register)} = ${value}`
    const page = story.names.word(held - 1, word)
    return `read ${page} through ${name}: ${registerName(story, register)} = ${value}`
  },

  device_store: (story, step) => {
    const [ref, word, value] = step.args as [number, number, number]
    const held = heldBy(story, step, ref)
    if (held === undefined) return undefined
    const name = story.k.ref[ref]!.name
    if (held === 0) return `${name} holds no page: nothing is written`
    return `write through ${name} to ${stored(story, step, held - 1, word, value)}`
  },

  copy_user_word: (story, step, index) => {
    const [to, from, word] = step.args as [number, number, number]
    const { names, k } = story
    const cell = k.page[from]?.word[word]
    if (cell === undefined) return undefined
    const value = story.before(index).get(cell.location)
    return `copy ${names.word(from, word)} to ${names.word(to, word)}: ${value}`
  },

  allocate: (story, { changes }) => {
    const page = changes.map(({ location }) => story.names.place(location)).find((p) => p.kind === 'refcount')
    return page === undefined || !('pfn' in page) ? undefined : `allocate ${story.names.page(page.pfn)}`
  },

  forked: (story, { args }) => {
    const [parent, child] = args as [number, number]
    const { mm } = story.k
    return mm[child] && mm[parent] && `${mm[child].name} gets the areas of ${mm[parent].name}`
  },

  flush_all: (story, { args, changes }) => {
    const cpu = story.k.cpu[args[0] as number]
    if (cpu === undefined) return undefined
    const { names } = story
    const was = changes.map(
      ({ location, before }) => `${pageOf(story, location)} was ${names.cached(before)}`,
    )
    return `flush the TLB of ${cpu.name}: ${was.length === 0 ? 'it was empty' : was.join(', ')}`
  },

  release: (story, step) => {
    const ref = story.k.ref[step.args[0] as number]
    if (ref === undefined) return undefined
    const name = ref.name
    if (step.changes.length === 0) return `${name} holds no page`
    const rest = step.changes.filter(({ location }) => location !== ref.page.location)
    return `${name} lets go: ${changesPhrase(story, rest)}`
  },

  grab_unless_free: (story, { reads: [at], changes }) =>
    at === undefined || changes.length > 0 ? undefined : `${story.names.location(at.location)} is 0: free`,

  addUnless: (story, { reads: [at], changes }) =>
    at === undefined || changes.length > 0
      ? undefined
      : `${story.names.location(at.location)} is ${at.value}`,
}

const COUNTERS: ReadonlySet<string> = new Set(['refcount', 'mapcount', 'pins', 'write_protect_seq'])

/** What a step that changes nothing has read, or at least what it is called. */
function lookedAt(story: Story, { reads, effect }: Step): string {
  const { names } = story
  if (reads.length === 0) return effect.name.replaceAll('_', ' ')
  return reads.map(({ location, value }) => names.fact(location, value)).join(', ')
}

function waited(story: Story, place: Place): string | undefined {
  switch (place.kind) {
    case 'state':
      return `${story.process(place.mm)} has exited`
    case 'signal':
      return `wait ${nameOfSignal(story, place.signal)}`
    case 'ended':
      return `thread ${story.k.cpu[place.cpu]!.name} has ended`
    default:
      return undefined
  }
}

function nameOfSignal(story: Story, signal: number): string {
  return story.test.signals[signal] ?? String(signal)
}

function lockName(story: Story, location: number): string {
  const place = story.names.place(location)
  return place.kind === 'page_lock' ? story.names.page(place.pfn) : story.names.location(location)
}

/** `[x]`. */
function bracket(story: Story, vpn: number): string {
  return `[${story.k.config.pages[vpn]!.name}]`
}

/** The name of the virtual page that a PTE or TLB entry is for. */
function pageOf(story: Story, location: number): string {
  const place = story.names.place(location)
  return 'vpn' in place ? story.k.config.pages[place.vpn]!.name : story.names.location(location)
}

function entryRead(story: Story, step: Step, cpu: number, vpn: number): number | undefined {
  const location = story.k.cpu[cpu]?.tlb[vpn]?.location
  return step.reads.find((read) => read.location === location)?.value
}

function heldBy(story: Story, step: Step, ref: number): number | undefined {
  const location = story.k.ref[ref]?.page.location
  return step.reads.find((read) => read.location === location)?.value
}

function registerName(story: Story, register: number): string {
  return story.k.config.registers[register]!.split('.').at(-1)!
}

/** What a register holds after a step that assigns it. */
function registerValue(story: Story, step: Step, register: number): string {
  const location = story.k.register[register]!.location
  const change: Change | undefined = step.changes.find((c) => c.location === location)
  const value = change?.after ?? story.before(story.steps.indexOf(step)).get(location)
  return story.names.value(location, value)
}

/** `page A: 0 → 1`. */
function stored(story: Story, step: Step, pfn: number, word: number, value: number): string {
  const location = story.k.page[pfn]!.word[word]!.location
  const change = step.changes.find((c) => c.location === location)
  return `${story.names.word(pfn, word)}: ${change === undefined ? `${value} again` : `${change.before} → ${value}`}`
}
