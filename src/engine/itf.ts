/**
 * Runs in the Informal Trace Format of the model checker Apalache (its ADR-015), which viewers and
 * test drivers of other projects read.
 */
import { inWords } from './layout.ts'
import type { System } from './system.ts'
import type { Frame, Trace } from './trace.ts'

export interface ItfTrace {
  readonly '#meta': Readonly<Record<string, string>>
  readonly vars: readonly string[]
  readonly states: readonly ItfState[]
}

/** A value for each of the variables. */
export type ItfState = { readonly '#meta': { readonly index: number } } & Readonly<
  Record<string, number | string | { readonly index: number }>
>

/** The variable that says which step led to a state. */
const ACTION = 'action'

/**
 * A run as a trace: a variable for each shared location; for each thread, `at <name>`, the functions that it is in;
 * and `action`, the step that led to the state. A step that fails is the last state's, and changes nothing.
 * @param meta what the trace is about: `source`, `description`
 */
export function traceToItf(system: System, trace: Trace, meta: Readonly<Record<string, string>>): ItfTrace {
  const { threads, layout } = system
  const places = unique(threads.map(({ name }) => `at ${name}`))
  const names = unique(
    layout.locations.map(({ name }) => name),
    [ACTION, ...places],
  )
  const values = [...trace.initial]
  const at = threads.map(({ procedure }) => procedure.name)
  const states: ItfState[] = []
  const note = (action: string): void => {
    states.push({
      '#meta': { index: states.length },
      ...Object.fromEntries(names.map((name, location) => [name, values[location]!])),
      ...Object.fromEntries(places.map((name, thread) => [name, at[thread]!])),
      [ACTION]: action,
    })
  }
  note('start')
  for (const { thread, effect, args, changes, stackAfter, failure } of trace.steps) {
    for (const { location, after } of changes) values[location] = after
    at[thread] = where(stackAfter)
    const what = `${threads[thread]!.name}: ${inWords({ kind: 'atomic', effect, args }, layout.locations)}`
    note(failure === undefined ? what : `${what} fails: ${failure}`)
  }
  return {
    '#meta': {
      format: 'ITF',
      'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
      ...meta,
    },
    vars: [...names, ...places, ACTION],
    states,
  }
}

function where(stack: readonly Frame[]): string {
  return stack.length === 0 ? 'ended' : stack.map(({ procedure }) => procedure.name).join(' > ')
}

/** Names that differ from each other and from those taken, and that the format does not keep for itself. */
function unique(names: readonly string[], taken: readonly string[] = []): string[] {
  const used = new Set(taken)
  return names.map((name) => {
    const base = name.replace(/^#+/, '') || 'variable'
    let result = base
    for (let i = 2; used.has(result); i++) result = `${base} (${i})`
    used.add(result)
    return result
  })
}
