/**
 * Export to Promela, the language of the model checker SPIN.
 *
 * The learned automata are written out as they are: a process for each thread, a label for
 * each control state, an option for each leaf of its decision tree. So SPIN explores the same
 * states, to the digit, with no code in common. Places that the explorer has not learned,
 * since it never came there, are options that fail: when SPIN finds no failure, it has proved
 * that no edge was missed.
 */

import { describe } from './automaton.ts'
import { DONE, type StackCell } from './control.ts'
import { CHOOSE, FAIL, LEAF, READ, STUCK } from './decision.ts'
import type { Explorer } from './explore.ts'

export interface PromelaOptions {
  /** Lines for the top of the program. */
  readonly title?: string
}

/**
 * A Promela program with the states and transitions of an explored system.
 *
 * To count as many states as the engine, SPIN must not optimise any away:
 * `spin -a -o1 -o2 x.pml && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -c0 -m1000000`.
 * It also counts the initial state as a transition. Invariants are not part of the program.
 * @throws Error if the exploration is not complete
 */
export function toPromela(explorer: Explorer, options: PromelaOptions = {}): string {
  const { bounded, states, transitions } = explorer.result()
  if (bounded !== undefined) throw new Error(`the exploration is not complete: ${bounded}`)
  const { layout, threads, invariant, restInvariant, finalInvariant } = explorer.system
  const names = uniqueNames(
    'v',
    layout.locations.map(({ name }) => name),
  )
  const lines = [
    ...comment(options.title ?? ''),
    `/* ${states} states, ${transitions} transitions (SPIN counts one more, for the initial state). */`,
  ]
  for (const [name, given] of Object.entries({ invariant, restInvariant, finalInvariant })) {
    if (given !== undefined) lines.push(`/* Not checked here: ${name}. */`)
  }
  lines.push('')
  layout.locations.forEach(({ name, max, initial }, location) => {
    const type = max > 1 ? 'byte' : 'bool'
    lines.push([`${type} ${names[location]} = ${initial};`, ...comment(name)].join(' '))
  })
  const processes = uniqueNames(
    'p',
    threads.map(({ name }) => name),
  )
  threads.forEach((_, thread) => {
    lines.push('', ...processOf(explorer, thread, processes[thread]!, names))
  })
  return `${lines.join('\n')}\n`
}

/** Names made of what Promela and C allow, with a prefix that keeps them clear of all keywords and macros. */
function uniqueNames(prefix: string, names: readonly string[]): string[] {
  const used = new Set<string>()
  return names.map((name) => {
    const base = `${prefix}_${name.replace(/[^A-Za-z0-9]+/g, '_')}`
    let unique = base
    for (let i = 2; used.has(unique); i++) unique = `${base}_${i}`
    used.add(unique)
    return unique
  })
}

/** Text that cannot end the comment it is in. */
function comment(text: string): string[] {
  if (text === '') return []
  return text.split('\n').map((line) => `/* ${line.replaceAll('*/', '* /')} */`)
}

function processOf(explorer: Explorer, thread: number, name: string, names: readonly string[]): string[] {
  const controls = explorer.controls[thread]!
  const daemon = explorer.system.threads[thread]!.daemon === true
  // A process that ended would be removed, which SPIN counts as states of their own: so it stays, blocked.
  const label = (control: number): string =>
    control === DONE ? 'end_done' : `${daemon ? 'end' : 'at'}_${control}`
  const lines = [`active proctype ${name}()`, '{']
  const order = Array.from({ length: controls.count }, (_, control) => control).filter(
    (control) => control !== DONE,
  )
  // A process begins with its first label.
  order.sort((a, b) => Number(b === controls.initial) - Number(a === controls.initial))
  if (controls.initial === DONE) order.length = 0
  for (const control of order) {
    lines.push(`${label(control)}: ${comment(where(controls.stack(control))).join(' ')}`)
    const choices = optionsOf(explorer, explorer.rootOf(thread, control), names, label, control)
    if (choices.length === 0) lines.push('  false')
    else lines.push('  if', ...choices.map((option) => `  :: ${option}`), '  fi;')
  }
  lines.push('end_done:', '  false', '}')
  return lines
}

/** A stack in one line, outermost first, with the pending operation. */
function where(top: StackCell): string {
  const procedures: string[] = []
  for (let cell: StackCell | undefined = top; cell !== undefined; cell = cell.below) {
    procedures.unshift(cell.node.activation.procedure.name)
  }
  return `${procedures.join(' > ')}: ${describe(top.node.pending)}`
}

/** One option for each leaf of a decision tree, and one for each read with values not learned. */
function optionsOf(
  explorer: Explorer,
  root: number,
  names: readonly string[],
  label: (control: number) => string,
  control: number,
): string[] {
  const { code, messages } = explorer.trees
  const { locations } = explorer.system.layout
  const options: string[] = []
  const option = (conditions: readonly string[], body: readonly string[], next: number, note = ''): void => {
    // Not `true`, since SPIN refuses a label of which it can see that it only leads to itself.
    const guard = conditions.length === 0 ? '_pid >= 0' : conditions.join(' && ')
    const target = `goto ${label(next)}`
    // Not d_step, of whose exits SPIN takes 2048 in a program.
    options.push(
      body.length === 0
        ? `${guard} -> ${target}${note}`
        : `atomic { ${guard} -> ${[...body, target].join('; ')} }${note}`,
    )
  }

  const walk = (slot: number, conditions: readonly string[]): void => {
    const record = code[slot]!
    const operand = code[record + 1]!
    switch (record === 0 ? undefined : code[record]) {
      case READ: {
        const unknown: number[] = []
        for (let value = 0; value <= locations[operand]!.max; value++) {
          const child = record + 2 + value
          if (code[child] === 0) unknown.push(value)
          else walk(child, [...conditions, `${names[operand]} == ${value}`])
        }
        if (unknown.length > 0) {
          const known: string[] = []
          for (let value = 0; value <= locations[operand]!.max; value++) {
            if (code[record + 2 + value] !== 0) known.push(`${names[operand]} != ${value}`)
          }
          option([...conditions, ...known], ['assert(false)'], control, ' /* not learned */')
        }
        break
      }
      case CHOOSE:
        for (let i = 0; i < operand; i++) walk(record + 2 + i, conditions)
        break
      case LEAF: {
        const writes: string[] = []
        for (let i = 0; i < code[record + 2]!; i++) {
          writes.push(`${names[code[record + 3 + 2 * i]!]} = ${code[record + 4 + 2 * i]}`)
        }
        option(conditions, writes, operand)
        break
      }
      case FAIL:
        // It goes nowhere: the engine counts no state after a failure.
        option(conditions, ['assert(false)'], control, ` ${comment(messages[operand]!).join(' ')}`)
        break
      case STUCK:
        break
      default:
        option(conditions, ['assert(false)'], control, ' /* not learned */')
    }
  }
  walk(root, [])
  return options
}
