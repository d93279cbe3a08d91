/**
 * A run as a table: one row for each step, one column for each thread. Kernel functions are
 * named when they are entered and indented under their callers; a statement of the test
 * stands above the steps that it takes.
 */
import pc from 'picocolors'
import type { Step } from '../engine/index.ts'
import { run_thread } from '../litmus/program.ts'
import { user_load, user_store } from '../mm/fault.ts'
import { kernel_wait } from '../mm/fork.ts'
import { device_read, device_write } from '../mm/gup.ts'
import { phraseOf } from './phrase.ts'
import { isLock } from './places.ts'
import type { Explanation, Stuck } from './prose.ts'
import type { HeldLock, Story } from './story.ts'
import { wrap } from './wrap.ts'

export interface ScheduleOptions {
  readonly width: number
  readonly colour: boolean
  /** What the explanation speaks of: these steps are marked, and threads that are stuck are shown. */
  readonly explanation?: Explanation
}

/** The whole run, each step once. No line is longer than the width. */
export function scheduleOf(story: Story, options: ScheduleOptions): string {
  return new Schedule(story, options).render()
}

/** What the letters in the lock column mean, for those locks that the run takes. */
export function lockLegend(story: Story): string | undefined {
  const kinds = new Set(story.steps.flatMap((_, step) => story.locksAfter(step).map(({ kind }) => kind)))
  const meanings = LOCKS.filter(({ kind }) => kinds.has(kind))
  if (meanings.length === 0) return undefined
  return meanings.map(({ letter, meaning }) => `${letter} ${meaning}`).join(', ')
}

const LOCKS: readonly {
  readonly kind: HeldLock['kind']
  readonly letter: string
  readonly meaning: string
}[] = [
  { kind: 'written', letter: 'W', meaning: 'mmap_lock for writing' },
  { kind: 'read', letter: 'R', meaning: 'mmap_lock for reading' },
  { kind: 'vma', letter: 'V', meaning: 'lock of an area (vma_lock)' },
  { kind: 'ptl', letter: 'T', meaning: 'page-table lock (ptl)' },
  { kind: 'page', letter: 'P', meaning: 'page lock' },
  { kind: 'anon_vma', letter: 'A', meaning: 'anon_vma lock (rmap)' },
  { kind: 'ksm', letter: 'K', meaning: 'ksm_thread_mutex' },
]

/** Not kernel functions: a statement of the test stands for them, or hardware performs them. */
const SILENT: ReadonlySet<unknown> = new Set([
  run_thread,
  user_load,
  user_store,
  device_read,
  device_write,
  kernel_wait,
])

/** A lane is at least this far from the next, and the last one at least this wide. */
const LEAST_LANE = 10
const LEAST_LAST_LANE = 38
const LEAST_WIDTH = 40

class Schedule {
  private readonly lines: string[] = []
  private readonly colours: ReturnType<typeof pc.createColors>
  private readonly width: number
  /** Columns of the step numbers, and of the locks. */
  private readonly digits: number
  private readonly locks: number
  /** Threads that take part, in order, and where their columns begin. */
  private readonly threads: readonly number[]
  private readonly starts: readonly number[]
  private readonly stuck: readonly Stuck[]
  private readonly printed = new Map<number, { statement: number; kept: number }>()

  constructor(
    private readonly story: Story,
    private readonly options: ScheduleOptions,
  ) {
    this.colours = pc.createColors(options.colour)
    this.width = Math.max(LEAST_WIDTH, options.width)
    const { steps } = story
    this.digits = Math.max(String(steps.length).length, 2)
    this.locks = Math.max(5, ...steps.map((_, step) => story.locksAfter(step).length))
    this.stuck = options.explanation?.stuck ?? []
    this.threads = [...new Set([...steps, ...this.stuck].map(({ thread }) => thread))].sort((a, b) => a - b)
    this.starts = this.lanes()
  }

  render(): string {
    const { story } = this
    this.header()
    story.steps.forEach((step, index) => {
      const previous = story.steps[index - 1]?.thread
      const turns = previous !== step.thread
      if (turns && (previous !== undefined || !this.inColumns)) this.turn(step.thread)
      this.step(step, index, turns)
    })
    for (const { thread, text } of this.stuck) {
      this.turn(thread)
      this.put(
        thread,
        0,
        `${text} …`,
        this.colours.red,
        ` ${'✗'.padStart(this.digits)}${' '.repeat(this.locks + 4)}`,
      )
    }
    return this.lines.join('\n')
  }

  /** Where each thread's column begins; all at one place if there is no room for columns. */
  private lanes(): number[] {
    const first = this.gutter
    const available = this.width - first
    const n = this.threads.length
    if (n <= 1) return [first]
    const equal = Math.floor(available / n)
    const step = Math.min(equal, Math.floor((available - LEAST_LAST_LANE) / (n - 1)))
    return this.threads.map((_, i) => first + (step < LEAST_LANE ? 0 : i * step))
  }

  private get gutter(): number {
    return 1 + this.digits + 2 + this.locks + 2
  }

  private get inColumns(): boolean {
    return this.starts.length > 1 && this.starts[0] !== this.starts[1]
  }

  private header(): void {
    const { dim, bold } = this.colours
    const head = ` ${'#'.padStart(this.digits)}  ${'locks'.padEnd(this.locks)}  `
    const cells = this.inColumns || this.threads.length === 1 ? this.titles() : []
    this.lines.push((dim(head) + bold(cells.join('').trimEnd())).trimEnd(), dim('─'.repeat(this.width)))
  }

  /** The names of the threads, each as wide as its column; without their processes if they are too long. */
  private titles(): string[] {
    const names = this.threads.map((thread) => this.story.names.thread(thread))
    const rooms = this.threads.map((_, i) => (this.starts[i + 1] ?? this.width + 2) - this.starts[i]! - 2)
    const short = names.map((name) => name.split('.').at(-1)!)
    const tooLong = names.some((name, i) => name.length > rooms[i]!)
    const shown = tooLong && new Set(short).size === short.length ? short : names
    return shown.map((name, i) => cut(name, rooms[i]!).padEnd(rooms[i]! + 2))
  }

  /** Another thread takes over. */
  private turn(thread: number): void {
    if (this.lines.length > HEADER_LINES) this.lines.push('')
    const start = this.startOf(thread)
    const name = cut(this.story.names.thread(thread), this.width - start)
    this.lines.push(' '.repeat(start) + this.colours.bold(name))
  }

  private step(step: Step, index: number, turns: boolean): void {
    const { story } = this
    const { thread } = step
    const before = this.printed.get(thread)
    const statementIndex = story.statementIndex(index)
    const statement = story.statement(index)
    const begins = statement !== undefined && before?.statement !== statementIndex
    const kept = before === undefined || begins ? 0 : before.kept
    this.printed.set(thread, { statement: statementIndex, kept: step.kept })

    // Of the statements that take one step and no more, the step is all there is to say.
    const whole = statement !== undefined && ['signal', 'wait', 'waitpid'].includes(statement.kind)
    if (whole) {
      this.row(index, thread, 0, story.source(statement), 'statement')
      return
    }

    if (begins) this.note(thread, 0, story.source(statement), 'statement')
    const visible = step.stack.filter(({ procedure }) => !SILENT.has(procedure))
    let depth = statement === undefined ? 0 : 1
    const entered = new Set(step.stack.slice(kept))
    for (const frame of visible) {
      const name = `${story.nameOf(frame.procedure)}()`
      if (entered.has(frame)) this.note(thread, depth, name, 'function')
      else if (turns && frame === visible.at(-1)) this.note(thread, depth, `… ${name}`, 'function')
      depth++
    }
    this.row(index, thread, depth, story.begins(index) ? BEGINS : phraseOf(story, index), 'step')
  }

  private row(index: number, thread: number, depth: number, text: string, style: Style): void {
    const letters = this.story
      .locksAfter(index)
      .map(({ kind }) => LOCKS.find((lock) => lock.kind === kind)!.letter)
      .join('')
    const marked = this.options.explanation?.cited.has(index) === true
    const failed = this.story.steps[index]!.failure !== undefined
    const { dim, bold, yellow, red } = this.colours
    const number = String(index + 1).padStart(this.digits)
    const gutter = `${marked ? bold(`▸${number}`) : dim(` ${number}`)}  ${yellow(letters.padEnd(this.locks))}  `
    const quiet = style === 'step' && this.isQuiet(index)
    const paint = failed ? red : marked ? bold : quiet ? dim : this.paint(style)
    this.put(thread, depth, text, paint, gutter)
  }

  /** Whether a step only takes or drops a lock, or looks at something and changes nothing. */
  private isQuiet(index: number): boolean {
    const { names, steps } = this.story
    return steps[index]!.changes.every(({ location }) => isLock(names.place(location)))
  }

  private note(thread: number, depth: number, text: string, style: Style): void {
    this.put(thread, depth, text, this.paint(style), ' '.repeat(this.gutter))
  }

  private put(
    thread: number,
    depth: number,
    text: string,
    paint: (text: string) => string,
    gutter: string,
  ): void {
    const start = this.startOf(thread)
    const room = this.width - start
    const indent = Math.min(depth, room - MOST_INDENTED)
    wrap(text, room - indent, 2).forEach((line, i) => {
      const margin = i === 0 ? gutter + ' '.repeat(start - this.gutter) : ' '.repeat(start)
      this.lines.push((margin + ' '.repeat(indent) + paint(line)).trimEnd())
    })
  }

  private startOf(thread: number): number {
    return this.starts[this.threads.indexOf(thread)]!
  }

  private paint(style: Style): (text: string) => string {
    const { bold, cyan } = this.colours
    switch (style) {
      case 'statement':
        return bold
      case 'function':
        return cyan
      case 'step':
        return (text) => text
    }
  }
}

type Style = 'statement' | 'function' | 'step'

const HEADER_LINES = 2

/** However deep the calls, this much room is left for text. */
const MOST_INDENTED = 16

/** What the first step of a process other than the root one is. */
const BEGINS = 'begins'

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
