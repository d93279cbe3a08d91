/** Deadlock: who waits for what, and why it never comes. */
import type { Pending } from '../engine/index.ts'
import type { Statement } from '../litmus/ast.ts'
import { EXITED, RUNNING } from '../mm/machine.ts'
import type { Prose } from './prose.ts'
import type { Story } from './story.ts'
import { enumerate } from './wrap.ts'

export function explainDeadlock(prose: Prose, pending: readonly Pending[]): void {
  const { story } = prose
  const waiting = pending.filter(
    ({ thread }) => story.cell.run.program.system.threads[thread]?.daemon !== true,
  )
  prose.say('No thread can go on')
  for (const one of waiting) {
    prose.say(`${story.names.thread(one.thread)} ${waitsFor(prose, one, waiting)}`)
  }
  prose.stuck = waiting.map((one) => ({ thread: one.thread, text: pendingPhrase(story, one) }))
}

/** `wait go`, or `lock parent.ptl, in do_wp_page()`. */
function pendingPhrase(story: Story, one: Pending): string {
  const location = one.args[0] as number
  const place = story.names.place(location)
  const statement = statementAt(story, one)
  switch (place.kind) {
    case 'mmap_lock':
    case 'vma_lock':
    case 'ptl':
    case 'page_lock':
    case 'anon_vma':
    case 'ksm_thread_mutex':
      return `lock ${story.names.location(location)}, in ${story.nameOf(one.stack.at(-1)!.procedure)}()`
    default:
      return statement === undefined ? 'has not begun' : story.source(statement)
  }
}

/** `waits at `wait go` for child, which …`. */
function waitsFor(prose: Prose, one: Pending, waiting: readonly Pending[]): string {
  const { story } = prose
  const [location, value] = one.args as [number, number]
  const place = story.names.place(location)
  const at = quoted(story, statementAt(story, one))
  switch (place.kind) {
    case 'signal':
      return `waits${at} ${senders(story, story.test.signals[place.signal]!, waiting)}`
    case 'state':
      if (value === RUNNING)
        return `has not begun, since ${parentOf(story, place.mm)} never comes to its fork`
      return value === EXITED
        ? `waits${at} for ${story.process(place.mm)} to exit, ${exits(story, place.mm)}`
        : `waits${at}`
    case 'ended':
      return `waits${at} for the thread ${story.k.cpu[place.cpu]!.name} to end`
    case 'mmap_lock':
    case 'vma_lock':
    case 'ptl':
    case 'page_lock':
    case 'anon_vma':
    case 'ksm_thread_mutex': {
      const holders = holdersOf(story, location)
      const held = holders.map(({ name, since }) => `${name} took at ${prose.step(since)}`)
      const by = held.length === 0 ? '' : `, which ${enumerate(held)} and has not given back`
      const what = place.kind === 'page_lock' || place.kind === 'anon_vma' ? 'the ' : ''
      return `waits${at}, in ${story.nameOf(one.stack.at(-1)!.procedure)}(), for ${what}${story.names.location(location)}${by}`
    }
    default:
      return `waits${at} for ${story.names.location(location)}`
  }
}

/** Who would send a signal, and why it does not. */
function senders(story: Story, signal: string, waiting: readonly Pending[]): string {
  const found = waiting.flatMap((one) => {
    const statements = story.statementsOf(one.thread)
    const here = story.indexAt(one.thread, one.stack[0]!.position)
    const sends = statements.findIndex(
      (statement, index) => index >= here && statement.kind === 'signal' && statement.name === signal,
    )
    if (sends < 0) return []
    const self = quoted(story, statementAt(story, one))
    return [
      `${story.names.thread(one.thread)}, which would send that signal at \`${story.source(statements[sends]!)}\`, but itself waits${self} before`,
    ]
  })
  return found.length === 0 ? 'for a signal that nobody sends' : `for ${enumerate(found, 'or')}`
}

function statementAt(story: Story, { thread, stack }: Pending): Statement | undefined {
  return story.statementsOf(thread)[story.indexAt(thread, stack[0]!.position)]
}

function quoted(story: Story, statement: Statement | undefined): string {
  return statement === undefined ? '' : ` at \`${story.source(statement)}\``
}

function parentOf(story: Story, mm: number): string {
  return story.test.processes[mm]?.parent ?? 'its parent'
}

function exits(story: Story, mm: number): string {
  const { name, threads } = story.test.processes[mm]!
  const exit = threads.some(({ statements }) => statements.some(({ kind }) => kind === 'exit'))
  return exit ? `which waits itself` : `but ${name} has no \`exit\``
}

/** The threads that hold a lock at the end, and since when. */
function holdersOf(story: Story, location: number): { name: string; since: number }[] {
  const last = new Map<number, number>()
  story.steps.forEach(({ thread }, step) => {
    last.set(thread, step)
  })
  return [...last].flatMap(([thread, step]) => {
    if (!story.locksAfter(step).some((lock) => lock.location === location)) return []
    const took = story.last(
      step + 1,
      (s) => s.thread === thread && s.changes.some((change) => change.location === location),
    )
    return [{ name: story.names.thread(thread), since: took! }]
  })
}
