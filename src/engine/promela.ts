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
import type { Search } from './search.ts'

export interface PromelaOptions {
  /** Lines for the top of the program. */
  readonly title?: string
  /** What the program's file will be called, for the commands in its comment. */
  readonly file?: string
  readonly claims?: readonly PromelaClaim[]
}

/** Something to search for among the states in which every thread that is not a daemon has ended. */
export interface PromelaClaim {
  /** Of capital letters, digits and underscores: the macro that switches the claim on. */
  readonly name: string
  /** What it means that SPIN finds an error. */
  readonly comment: string
  /** A Promela expression, possibly of several lines; `nameOf` gives a location's variable. */
  expression(nameOf: (location: number) => string): string
}

/**
 * A Promela program with the states and transitions of an explored system.
 *
 * To count as many states as the engine, SPIN must not optimise any away: the commands are in
 * the comment at the top. It also counts the initial state as a transition. Invariants are not
 * part of the program, and neither are claims until their macro is defined.
 * @throws Error if the exploration is not complete
 */
export function toPromela(explorer: Search, options: PromelaOptions = {}): string {
  const { bounded, states, transitions } = explorer.result()
  if (bounded !== undefined) throw new Error(`the exploration is not complete: ${bounded}`)
  const { layout, threads, invariant, restInvariant, finalInvariant } = explorer.system
  const names = uniqueNames(
    'v',
    layout.locations.map(({ name }) => name),
  )
  const claims = options.claims ?? []
  const unchecked = Object.entries({ invariant, restInvariant, finalInvariant })
    .filter(([, given]) => given !== undefined)
    .map(([name]) => name)
  const about = [
    ...(options.title === undefined ? [] : [...options.title.split('\n'), '']),
    `${states} states, ${transitions} transitions (SPIN counts one more, for the initial state).`,
    ...(unchecked.length === 0 ? [] : [`Not checked here: ${unchecked.join(', ')}.`]),
    '',
    ...instructions(options.file ?? 'x.pml', states, claims),
  ]
  const lines = ['/*', ...about.map(withinComment), '*/', '']
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
  const required = processes.filter((_, thread) => threads[thread]!.daemon !== true)
  for (const claim of claims) lines.push('', ...claimOf(claim, required, names))
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

function comment(text: string): string[] {
  if (text === '') return []
  return text.split('\n').map((line) => `/* ${withinComment(line)} */`)
}

/** Text that neither ends the comment it is in nor seems to begin another. */
function withinComment(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll('/*', '/ *')
}

/** How to ask SPIN, with commands that work as they are. */
function instructions(file: string, states: number, claims: readonly PromelaClaim[]): string[] {
  const path = /^[\w.][\w.-]*$/.test(file) ? file : `'./${file.replaceAll("'", "'\\''")}'`
  // A claim's steps alternate with the program's, so that a path is at most twice as long as there are states.
  const depth = 10 ** Math.max(4, Math.ceil(Math.log10(2 * states + 2)))
  // What SPIN writes is one function, for which an optimiser takes minutes where the program is long.
  const compile = 'gcc -O0 -w -DSAFETY -DNOREDUCE -DVECTORSZ=4096 -o pan pan.c'
  const lines = [
    'To count the states, and to look for deadlocks (invalid end states) and failures (assertions):',
    '',
    `  spin -a -o1 -o2 ${path} && ${compile} && ./pan -c0 -n -m${depth}`,
  ]
  if (claims.length === 0) return lines
  const macro = claims[0]!.name
  lines.push(
    '',
    claims.length === 1
      ? 'To ask the question below:'
      : `To ask one of the questions below, here ${macro}; for another, change the name in each command:`,
    '',
    `  spin -a -o1 -o2 -D${macro} ${path} && ${compile} && ./pan -A -n -m${depth}`,
    '',
    'An error ("end state in claim reached") means:',
    '',
    ...claims.flatMap(({ name, comment }) => comment.split('\n').map((line) => `  ${name}: ${line}`)),
    '',
    'and the run is shown, step by step with what it changes, by:',
    '',
    `  spin -t -p -g -o1 -o2 -D${macro} ${path}`,
  )
  return lines
}

/**
 * A never claim that ends, which SPIN reports, once all threads have ended and the expression
 * holds. The claim looks at each state that is reached, and has one state itself until it ends.
 */
function claimOf(claim: PromelaClaim, processes: readonly string[], names: readonly string[]): string[] {
  const ended = processes.map((process) => `${process}@end_done`).join(' && ')
  return [
    `#ifdef ${claim.name}`,
    ...comment(claim.comment),
    `never ${claim.name.toLowerCase()} {`,
    '  do',
    `  :: ${ended} &&`,
    ...claim
      .expression((location) => names[location]!)
      .split('\n')
      .map((line) => `     ${line}`),
    '     -> break',
    '  :: else',
    '  od',
    '}',
    '#endif',
  ]
}

function processOf(explorer: Search, thread: number, name: string, names: readonly string[]): string[] {
  const controls = explorer.learned.controls[thread]!
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
    const choices = optionsOf(explorer, explorer.learned.rootOf(thread, control), names, label, control)
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
  explorer: Search,
  root: number,
  names: readonly string[],
  label: (control: number) => string,
  control: number,
): string[] {
  const { code, messages } = explorer.learned.trees
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
