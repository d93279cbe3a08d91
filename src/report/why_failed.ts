/** Runs that the machine itself ends: deadlocks, use after free, leaks, broken invariants. */
import type { FailureReport } from '../check/index.ts'
import { pendingIn } from '../engine/index.ts'
import { isLock, mapsFrame } from './places.ts'
import { type Explanation, Prose } from './prose.ts'
import type { Story } from './story.ts'
import { explainDeadlock } from './why_deadlock.ts'
import { enumerate } from './wrap.ts'

export function explainFailure(story: Story, report: FailureReport): Explanation {
  const prose = new Prose(story)
  switch (report.failure) {
    case 'deadlock':
      explainDeadlock(prose, pendingIn(story.cell.run.explorer, report.run.state))
      break
    case 'livelock':
      prose.say(
        'no run of this test comes to an end, and none of them gets stuck: somebody tries again for ever',
      )
      prose.say('This is one of them, up to a state from which nothing new is reached')
      break
    case 'use-after-free':
      explainUseAfterFree(prose, report)
      break
    case 'leak':
      explainLeak(prose, report)
      break
    case 'broken-invariant':
      explainInvariant(prose, report)
  }
  return prose.explanation
}

function explainUseAfterFree(prose: Prose, { message, run }: FailureReport): void {
  const { story } = prose
  const { names, k } = story
  const end = story.steps.length - 1
  const step = story.steps[end]
  const what = message.replace(/^use after free: /, '')
  if (step === undefined || run.step === undefined) {
    prose.say(what)
    return
  }
  const pfns = step.reads.flatMap(({ location }) => {
    const place = names.place(location)
    return place.kind === 'refcount' ? [place.pfn] : []
  })
  const pfn = pfns[0]
  const thread = names.thread(step.thread)
  const statement = story.statement(end)
  const doing = statement === undefined ? '' : `, in \`${story.source(statement)}\`,`
  prose.say(`at ${prose.step(end)}${doing} ${thread} does what no kernel may let happen: ${what}`)
  if (pfn === undefined) return
  const freed = story.last(end, ({ changes }) =>
    changes.some((c) => c.location === k.page[pfn]!.refcount.location && c.after === 0),
  )
  if (freed !== undefined) {
    const by = names.thread(story.steps[freed]!.thread)
    prose.say(`${names.page(pfn)} was freed at ${prose.step(freed)}, when ${by} dropped its last reference`)
  }
  const entry = step.reads.find(({ location }) => names.place(location).kind === 'tlb')
  if (entry !== undefined) {
    const filled = story.last(end, ({ changes }) =>
      changes.some(({ location }) => location === entry.location),
    )
    prose.say(
      `the TLB of ${thread}, a cache of the page table, still had an entry for it${prose.at(filled)}: no flush had removed it`,
    )
  }
  prose.say(usersSentence(story, pfn, end))
}

/** `it is still used by child's x and the reference p`, or nothing. */
function usersSentence(story: Story, pfn: number, step: number): string {
  const users = usersOf(story, pfn, step)
  return users.length === 0 ? '' : `${story.names.page(pfn)} is still used by ${enumerate(users)}`
}

/** The page-table entries and references that use a frame. */
function usersOf(story: Story, pfn: number, step: number): string[] {
  const memory = story.before(step)
  const { k } = story
  const entries = k.mm.flatMap(({ name, pte }) =>
    pte.flatMap(({ location }, vpn) =>
      mapsFrame(memory.get(location), pfn) ? [`${name}'s ${k.config.pages[vpn]!.name}`] : [],
    ),
  )
  const refs = k.ref.flatMap(({ name, page }) =>
    memory.get(page.location) === pfn + 1 ? [`the reference ${name}`] : [],
  )
  const cached = memory.get(k.page[pfn]!.swap.location) === 0 ? [] : ['the swap cache']
  return [...entries, ...refs, ...cached]
}

function explainLeak(prose: Prose, { message }: FailureReport): void {
  const { story } = prose
  const pfn = Number(/page (\d+)/.exec(message)?.[1] ?? -1)
  if (pfn < 0) {
    prose.say(message)
    return
  }
  const { location } = story.k.page[pfn]!.refcount
  const end = story.steps.length
  const count = story.before(end).get(location)
  const users = usersOf(story, pfn, end)
  prose.say(
    `${story.names.page(pfn)} has a reference count of ${count}, but ${users.length === 0 ? 'nobody uses it' : `only ${enumerate(users)} ${users.length === 1 ? 'uses' : 'use'} it`}: the rest will never be dropped, and the page never freed`,
  )
  const raised = story.last(end, ({ changes }) =>
    changes.some((c) => c.location === location && c.after > c.before),
  )
  if (raised !== undefined) {
    const where = story.nameOf(story.steps[raised]!.stack.at(-1)!.procedure)
    prose.say(`the last to raise the count was ${where}() at ${prose.step(raised)}`)
  }
}

function explainInvariant(prose: Prose, { message, run }: FailureReport): void {
  const { story } = prose
  const end = story.steps.length - 1
  const what = readableMessage(story, message)
  const step = story.steps[end]
  if (step === undefined || run.step === undefined) {
    prose.say(`with no thread in the kernel, ${what}`)
  } else {
    const where = story.nameOf(step.stack.at(-1)!.procedure)
    prose.say(`after ${prose.step(end)}, in ${where}(), something holds that must never hold: ${what}`)
  }
  prose.say(circumstances(prose, message))
}

/** Who uses the page, who took the lock or what filled the TLB that a broken invariant is about. */
function circumstances(prose: Prose, message: string): string {
  const { story } = prose
  const { names, k } = story
  const end = story.steps.length
  const pfn = Number(/page (\d+)/.exec(message)?.[1] ?? -1)
  if (message.endsWith('left locked')) {
    const taken = story.last(end, ({ changes }) =>
      changes.some(({ location, after }) => {
        const place = names.place(location)
        return isLock(place) && after !== 0 && (pfn < 0 || ('pfn' in place && place.pfn === pfn))
      }),
    )
    return taken === undefined
      ? ''
      : `${names.thread(story.steps[taken]!.thread)} took the lock${prose.at(taken)}`
  }
  if (pfn >= 0) {
    const users = usersOf(story, pfn, end)
    if (users.length === 0) return `Nobody uses ${names.page(pfn)} any more`
    return `${names.page(pfn)} is used by ${enumerate(users)}`
  }
  const cpu = k.cpu.findIndex(({ name }) => message.includes(`the TLB of ${name} `))
  const filled = story.last(end, ({ changes }) =>
    changes.some(({ location, after }) => {
      const place = names.place(location)
      return place.kind === 'tlb' && place.cpu === cpu && after !== 0
    }),
  )
  return filled === undefined ? '' : `It was filled at ${prose.step(filled)}`
}

/** A message of the machine with its frame numbers replaced by the letters of this report. */
export function readableMessage(story: Story, message: string): string {
  return message.replace(/\bpage (\d+)/g, (_, pfn: string) => story.names.page(Number(pfn)))
}
