/** Random small programs of a few threads, for the engine's tests. */
import fc from 'fast-check'
import {
  assert,
  atomic,
  BLOCKED,
  call,
  choose,
  Layout,
  type Response,
  type Steps,
  type System,
  tail,
  type View,
} from '../../src/engine/index.ts'

const CELLS = 3
const MAX = 2
const PROCEDURES = 3

type Statement =
  | readonly ['write' | 'add' | 'copy' | 'cas' | 'wait' | 'mix' | 'assert', number, number]
  | readonly ['lock' | 'unlock' | 'try' | 'read' | 'readEnd' | 'writeLock' | 'writeEnd' | 'downgrade']
  | readonly ['choose' | 'skip', number]
  | readonly ['call' | 'tail' | 'return', number, number]

export interface Program {
  /** Procedure `i` may call those behind it, and tail-call any. */
  readonly procedures: readonly (readonly Statement[])[]
  readonly threads: readonly { readonly entry: number; readonly argument: number; readonly daemon: boolean }[]
  readonly writersFirst: boolean
  /** A memory that each kind of invariant forbids: a cell and a value. */
  readonly forbidden: readonly (readonly [number, number] | undefined)[]
}

const cell = fc.nat(CELLS - 1)
const value = fc.nat(MAX)

const statement = (procedure: number): fc.Arbitrary<Statement> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constantFrom('write', 'add', 'copy', 'cas', 'mix'), cell, value) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('wait', 'assert'), cell, value) },
    {
      weight: 3,
      arbitrary: fc.tuple(
        fc.constantFrom('lock', 'unlock', 'try', 'read', 'readEnd', 'writeLock', 'writeEnd', 'downgrade'),
      ),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom('choose', 'skip'), value) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('tail'), fc.nat(PROCEDURES - 1), value) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('return'), value, value) },
    ...(procedure + 1 < PROCEDURES
      ? [
          {
            weight: 3,
            arbitrary: fc.tuple(
              fc.constant('call'),
              fc.integer({ min: procedure + 1, max: PROCEDURES - 1 }),
              value,
            ),
          },
        ]
      : []),
  ) as fc.Arbitrary<Statement>

/** Any small program; most have some hundred states, and go wrong in some way. */
export const program: fc.Arbitrary<Program> = fc.record({
  procedures: fc.tuple(
    ...Array.from({ length: PROCEDURES }, (_, i) => fc.array(statement(i), { minLength: 1, maxLength: 4 })),
  ),
  threads: fc.array(
    fc.record({
      entry: fc.nat(PROCEDURES - 1),
      argument: value,
      daemon: fc.nat(3).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  writersFirst: fc.boolean(),
  forbidden: fc.tuple(
    fc.option(fc.tuple(cell, value), { nil: undefined, freq: 1 }),
    fc.option(fc.tuple(cell, value), { nil: undefined, freq: 3 }),
    fc.option(fc.tuple(cell, value), { nil: undefined, freq: 3 }),
  ),
})

/** A program as text, for another thread. */
export function programText(program: Program): string {
  return JSON.stringify(program, (_name, part) => (part === undefined ? null : part))
}

/** What was written by `programText`. */
export function programFrom(text: string): Program {
  const program: Program = JSON.parse(text)
  return { ...program, forbidden: program.forbidden.map((what) => what ?? undefined) }
}

/** The system of a program. */
export function build({ procedures, threads, writersFirst, forbidden }: Program): System {
  const layout = new Layout()
  const cells = Array.from({ length: CELLS }, (_, i) => layout.cell(`c${i}`, MAX, i % 2))
  const lock = layout.lock('lock')
  const rw = layout.rwLock('rw', writersFirst)

  /** Reads, chooses and writes in an order that depends on what it sees. */
  function mixUp(view: View, _context: unknown, a: number, b: number): Response {
    const at = cells[a]!.location
    const seen = view.get(at)
    if (seen === b) return view.get(cells[(a + 1) % CELLS]!.location) === b ? BLOCKED : 3
    const n = 1 + view.choose(seen + 1)
    if (n === 3) return view.fail('three')
    view.set(at, n - 1)
    view.set(cells[(a + n) % CELLS]!.location, view.get(at))
    return view.choose(2) === 0 ? 1 : seen
  }

  const bodies = procedures.map((statements) => {
    return function* body(_context: unknown, argument: number): Steps<number> {
      let last = argument
      let performed = false
      for (let i = 0; i < statements.length; i++) {
        const [kind, x = 0, y = 0] = statements[i]!
        if (kind !== 'call' && kind !== 'tail' && kind !== 'return' && kind !== 'skip') performed = true
        switch (kind) {
          case 'write':
            yield* cells[x]!.write(y)
            break
          case 'add':
            if (!(yield* cells[x]!.addUnless(1, MAX))) last = y
            break
          case 'copy':
            last = yield* cells[x]!.read()
            yield* cells[y]!.write(last)
            break
          case 'cas':
            if (yield* cells[x]!.compareAndSwap(last, y)) last = y
            break
          case 'wait':
            yield* cells[x]!.waitFor(y)
            break
          case 'mix':
            last = Math.min(MAX, yield* atomic(mixUp, x, y))
            break
          case 'assert':
            yield* assert((yield* cells[x]!.read()) !== y, `c${x} is ${y}`)
            break
          case 'lock':
            yield* lock.lock()
            break
          case 'unlock':
            yield* lock.unlock()
            break
          case 'try':
            if (!(yield* lock.tryLock())) last = 0
            break
          case 'read':
            yield* rw.readLock()
            break
          case 'readEnd':
            yield* rw.readUnlock()
            break
          case 'writeLock':
            yield* rw.writeLock()
            break
          case 'writeEnd':
            yield* rw.writeUnlock()
            break
          case 'downgrade':
            yield* rw.downgrade()
            break
          case 'choose':
            last = yield* choose(x + 1)
            break
          case 'skip':
            if (last === x) i++
            break
          case 'call':
            last = yield* call(bodies[x]!, y)
            break
          case 'tail':
            // Backwards only after an operation, since a silent loop is an error.
            if (performed || bodies.indexOf(body) < x) return yield* tail(bodies[x]!, y)
            break
          case 'return':
            if (last === x) return y
            break
        }
      }
      return last
    }
  })
  const check = (which: number, name: string): System['invariant'] => {
    const what = forbidden[which]
    if (what === undefined) return undefined
    return (memory) =>
      memory.get(cells[what[0]]!.location) === what[1] && memory.get(lock.location) !== 0 ? name : undefined
  }
  return {
    context: undefined,
    layout,
    threads: threads.map(({ entry, argument, daemon }, i) => ({
      name: `T${i}`,
      procedure: bodies[entry]!,
      args: [argument],
      daemon,
    })),
    ...optional('invariant', check(0, 'always')),
    ...optional('restInvariant', check(1, 'at rest')),
    ...optional('finalInvariant', check(2, 'in the end')),
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V })
}
