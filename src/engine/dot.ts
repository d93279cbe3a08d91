/** State graphs and runs for Graphviz, in the language DOT. */
import type { StateGraph } from './graph.ts'
import { inWords, type Location } from './layout.ts'
import type { System } from './system.ts'
import type { Step, Trace } from './trace.ts'

/**
 * A state graph: a box for each state, with its number and what differs from the first state, an
 * arrow for each step. States in which a run can end have a double border; failures are red.
 */
export function graphToDot(graph: StateGraph, title: string): string {
  const first = graph.states[0]!.values
  const lines = opening(title)
  graph.states.forEach(({ values, next, final }, state) => {
    const changed = values.flatMap((value, location) =>
      value === first[location] ? [] : [`${graph.locations[location]} = ${value}`],
    )
    const tooltip = [
      ...changed,
      ...next.map((what, thread) => `${graph.threads[thread]!.name}: ${what ?? 'ended'}`),
    ]
    const border = final ? ', peripheries=2' : ''
    lines.push(
      `  s${state} [label=${quoted(String(state))}, tooltip=${quoted(tooltip.join('\n'))}${border}];`,
    )
  })
  graph.steps.forEach(({ from, to, thread, operation, changes, failure }, i) => {
    const what = changes.map(
      ([location, before, after]) => `${graph.locations[location]} ${before} → ${after}`,
    )
    const label = [`${graph.threads[thread]!.name}: ${operation}`, ...what].join('\n')
    if (to === null) lines.push(`  f${i} [label=${quoted(failure ?? 'failure')}, shape=octagon, color=red];`)
    lines.push(`  s${from} -> ${to === null ? `f${i}` : `s${to}`} [label=${quoted(label)}];`)
  })
  return `${lines.join('\n')}\n}\n`
}

/** A single run, from top to bottom: each step with what it changes. */
export function traceToDot(system: System, trace: Trace, title: string): string {
  const lines = [...opening(title), '  s0 [label="start"];']
  trace.steps.forEach((step, i) => {
    const last = i === trace.steps.length - 1
    const what = last ? (step.failure ?? 'end') : String(i + 1)
    const style = last ? (step.failure === undefined ? ', peripheries=2' : ', shape=octagon, color=red') : ''
    lines.push(`  s${i + 1} [label=${quoted(what)}${style}];`)
    lines.push(`  s${i} -> s${i + 1} [label=${quoted(stepInWords(system, step))}];`)
  })
  return `${lines.join('\n')}\n}\n`
}

function opening(title: string): string[] {
  return [
    `digraph ${quoted(title)} {`,
    `  label=${quoted(title)};`,
    '  node [shape=box, fontname="monospace"];',
    '  edge [fontname="monospace"];',
  ]
}

/** Who does what, and what that changes, a line each. */
function stepInWords({ threads, layout }: System, { thread, effect, args, changes }: Step): string {
  const name = (location: number): string => (layout.locations[location] as Location).name
  return [
    `${threads[thread]!.name}: ${inWords({ kind: 'atomic', effect, args }, layout.locations)}`,
    ...changes.map(({ location, before, after }) => `${name(location)} ${before} → ${after}`),
  ].join('\n')
}

/** A string of DOT, in which a line break is written as two characters. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
