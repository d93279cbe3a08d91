/** Random small programs that take, hand over and give back interchangeable things. */
import fc from 'fast-check'
import {
  atomic,
  BLOCKED,
  call,
  Layout,
  naming,
  pick,
  type Rename,
  type Response,
  Sort,
  type Steps,
  type System,
  tail,
  type View,
} from '../../src/engine/index.ts'

const THINGS = 4
const POINTERS = 2
const VALUES = 2

type Statement = readonly [
  (
    | 'take'
    | 'give'
    | 'put'
    | 'get'
    | 'set'
    | 'add'
    | 'wait'
    | 'link'
    | 'follow'
    | 'pass'
    | 'again'
    | 'lock'
    | 'unlock'
  ),
  number,
  number,
]

export interface ThingProgram {
  readonly threads: readonly (readonly Statement[])[]
  readonly forbidden: number | undefined
}

const statement: fc.Arbitrary<Statement> = fc.tuple(
  fc.constantFrom(
    ...([
      'take',
      'take',
      'give',
      'put',
      'put',
      'get',
      'get',
      'set',
      'set',
      'add',
      'wait',
      'link',
      'follow',
      'pass',
      'again',
      'lock',
      'unlock',
    ] as const),
  ),
  fc.nat(POINTERS - 1),
  fc.nat(VALUES),
)

export const thingProgram: fc.Arbitrary<ThingProgram> = fc.record({
  threads: fc.array(fc.array(statement, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
  forbidden: fc.option(fc.nat(VALUES), { nil: undefined, freq: 2 }),
})

const TURN: readonly Statement[] = [
  ['take', 0, 0],
  ['put', 0, 0],
  ['give', 0, 0],
  ['take', 0, 0],
  ['put', 1, 0],
  ['take', 0, 0],
  ['get', 0, 0],
  ['set', 0, 1],
]

/** Two threads that take things, hand them over and give them back, all they can. */
export const TAKE_TURNS: ThingProgram = { threads: [TURN, TURN], forbidden: undefined }

const THING = new Sort('thing')
/** 1 + a thing, or 0. */
const HELD = (value: number, to: Rename): number => (value === 0 ? 0 : 1 + to(THING, value - 1))

/**
 * The system of a program.
 * @param broken what depends on numbers: an operation looks for the thing with the smallest one, or compares two that it
 *   reads the names of, or a thread stores what the number of its thing is; or an argument is not declared
 */
export function buildThings(
  { threads, forbidden }: ThingProgram,
  broken?: 'ordered' | 'compared' | 'odd' | 'undeclared',
): System {
  const layout = new Layout()
  const pointers = Array.from({ length: POINTERS }, (_, i) =>
    layout.naming(layout.cell(`p${i}`, THINGS), HELD),
  )
  const things = Array.from({ length: THINGS }, (_, i) => ({
    taken: layout.cell(`t${i}.taken`, 1),
    value: layout.cell(`t${i}.value`, VALUES),
    next: layout.naming(layout.cell(`t${i}.next`, THINGS), HELD),
  }))
  const used = layout.cell('used', THINGS)
  layout.sort(
    THING,
    0,
    things.map(({ taken, value, next }) => [taken, value, next]),
    used,
  )
  const lock = layout.lock('lock')

  /** 1 + a free thing, or 0. */
  function take(view: View): Response {
    const known = view.get(used.location)
    const free: number[] = []
    for (let i = 0; i < known; i++) if (view.get(things[i]!.taken.location) === 0) free.push(i)
    if (known < THINGS) free.push(known)
    if (free.length === 0) return 0
    const thing = pick(view, free)
    if (thing === known) view.set(used.location, known + 1)
    view.set(things[thing]!.taken.location, 1)
    return 1 + thing
  }
  naming(take, [], HELD)

  /** 1 + the taken thing with the smallest number, or 0: what nothing may do. */
  function lowest(view: View): Response {
    return 1 + things.findIndex(({ taken }) => view.get(taken.location) === 1)
  }
  naming(lowest, [], HELD)

  /** Whether the pointers name two things, the first of which has the smaller number: what nothing may ask. */
  function inOrder(view: View): Response {
    const [one, other] = [view.get(pointers[0]!.location), view.get(pointers[1]!.location)]
    return one > 0 && other > one ? 1 : 0
  }

  function give(view: View, _context: unknown, thing: number): Response {
    for (const { location } of Object.values(things[thing]!)) view.set(location, 0)
    return 0
  }

  function addTo(view: View, _context: unknown, thing: number): Response {
    const at = things[thing]!.value.location
    if (view.get(at) === VALUES) return view.fail('too much')
    view.set(at, view.get(at) + 1)
    return 0
  }

  function full(view: View, _context: unknown, thing: number, value: number): Response {
    return view.get(things[thing]!.value.location) === value ? 0 : BLOCKED
  }

  function* run(
    _context: unknown,
    statements: readonly Statement[],
    at: number,
    held: number,
  ): Steps<number> {
    if (at === statements.length) return held
    const [kind, x, y] = statements[at]!
    let now = held
    const thing = things[held - 1]
    if (kind === 'take') now = yield* atomic(take)
    else if (kind === 'get') now = broken === 'ordered' ? yield* atomic(lowest) : yield* pointers[x]!.read()
    else if (kind === 'put') yield* pointers[x]!.write(held)
    else if (kind === 'lock') yield* lock.lock()
    else if (kind === 'unlock') yield* lock.unlock()
    else if (kind === 'pass') now = yield* call(run, statements.slice(at + 1), 0, held)
    else if (kind === 'again' && held > 0 && x === 0) now = 0
    else if (thing !== undefined) {
      if (kind === 'give') yield* atomic(give, held - 1)
      else if (kind === 'set' && broken === 'odd') yield* thing.value.write(held % 2)
      else if (kind === 'set' && broken === 'compared') yield* thing.value.write(yield* atomic(inOrder))
      else if (kind === 'set') yield* thing.value.write(y)
      else if (kind === 'add') yield* atomic(addTo, held - 1)
      else if (kind === 'wait') yield* atomic(full, held - 1, y)
      else if (kind === 'link') yield* thing.next.write(yield* pointers[x]!.read())
      else if (kind === 'follow') now = yield* thing.next.read()
      if (kind === 'give') now = 0
    }
    return yield* tail(run, statements, at + 1, now)
  }
  if (broken !== 'undeclared') naming(run, [undefined, undefined, HELD], HELD)

  return {
    context: undefined,
    layout,
    threads: threads.map((statements, i) => ({ name: `T${i}`, procedure: run, args: [statements, 0, 0] })),
    ...(forbidden === undefined
      ? {}
      : {
          invariant: (memory) =>
            things.filter(({ value }) => memory.get(value.location) === forbidden && forbidden > 0).length > 1
              ? 'two alike'
              : undefined,
          restInvariant: (memory) => (memory.get(lock.location) !== 0 ? 'left locked' : undefined),
        }),
  }
}

/** A memory as a text that is the same however things are numbered. */
export function thingsKey(bytes: ArrayLike<number>): string {
  const base = POINTERS
  const fields = 3
  const order: number[] = []
  const name = (held: number): string => {
    if (held === 0) return '-'
    if (!order.includes(held)) order.push(held)
    return `#${order.indexOf(held)}`
  }
  const roots = Array.from({ length: POINTERS }, (_, i) => name(bytes[i]!))
  const parts: string[] = []
  const show = (held: number): string => {
    const at = base + (held - 1) * fields
    return `${bytes[at]}${bytes[at + 1]}${name(bytes[at + 2]!)}`
  }
  for (let i = 0; i < order.length; i++) parts.push(show(order[i]!))
  // Those that no pointer leads to, by what can be reached from each.
  const rest = Array.from({ length: THINGS }, (_, i) => i + 1).filter((held) => !order.includes(held))
  const others = rest.map((held) => {
    const seen: number[] = []
    let text = ''
    for (let h = held; h !== 0; h = bytes[base + (h - 1) * fields + 2]!) {
      if (order.includes(h)) {
        text += name(h)
        break
      }
      if (seen.includes(h)) {
        text += `loop${seen.indexOf(h)}`
        break
      }
      seen.push(h)
      text += `${bytes[base + (h - 1) * fields]}${bytes[base + (h - 1) * fields + 1]}.`
    }
    return text
  })
  return [
    ...roots,
    ...parts,
    ...others.filter((text) => text !== '00.').sort(),
    bytes[base + THINGS * fields + 1],
  ].join(' ')
}
