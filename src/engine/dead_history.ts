/**
 * Dead history: what threads remember and never use again, and how many states that costs.
 *
 * Two control states of a thread are *alike* if the same operation is pending in both and, whatever
 * it answers, alike control states follow. Then nothing that the thread does later tells them
 * apart: they differ only in a past that is dead. This file folds the learned control graph of
 * each thread into classes of control states that are alike, counts the states of the run that
 * would be left if each class were one control state, and names what the others differ in.
 *
 * The learned graph is incomplete: an answer that never came in a control state leads nowhere.
 * Such an answer agrees with everything. It is the right reading for the cost: two states of
 * the run that differ only in this thread's control state have the same memory, in which the pending
 * operation, a pure function, answers the same in both; so both have learned that answer,
 * and folding them needs agreement on nothing else. To take "never came" for a difference
 * would call alive what only the other threads' doings tell apart. But agreement in that sense is
 * not transitive, so there is no single coarsest folding, and the smallest is hard to find (C. P. Pfleeger,
 * "State Reduction in Incompletely Specified Finite-State Machines", 1973). Control states are
 * therefore folded one by one, in their order, wherever what each class has learned stays free of
 * contradiction. Any such folding is a bisimulation of the run's states, so the number left is exact
 * for it, and an upper bound of the smallest.
 */
import { type AutomatonNode, describe, plainKey } from './automaton.ts'
import { type ControlStates, DONE, type StackCell } from './control.ts'
import { inWords } from './layout.ts'
import { goesOn, leavesOf } from './leaves.ts'
import type { Plain, Procedure, Response } from './operation.ts'
import type { Search } from './search.ts'

export interface DeadHistory {
  /** States of the run. */
  readonly states: number
  /** States that are left if control states that are alike are one. */
  readonly folded: number
  readonly threads: readonly ThreadHistory[]
  /** What the states that fall away differ in from the one that stays; what costs most comes first. */
  readonly causes: readonly Cause[]
}

export interface ThreadHistory {
  readonly name: string
  /** Control states that were reached, with the end. */
  readonly controls: number
  readonly classes: number
}

/** Something that is remembered although nothing depends on it any more. */
export interface Cause {
  /** Whose memory it is. */
  readonly procedure: string
  /** Such as `step 3, the answer of read`, or `argument vmf.cpu`. */
  readonly what: string
  /** One case of it, in full. */
  readonly example: string
  /** States that fall away and differ in this, perhaps with others: a state can count for several causes. */
  readonly states: number
  /** Those of them that differ in nothing else. */
  readonly alone: number
}

/** Looks for dead history in a finished exploration. */
export function deadHistory(explorer: Search): DeadHistory {
  const foldings = explorer.learned.controls.map((_, thread) => fold(explorer, thread))
  const { folded, causes } = compareStates(explorer, foldings)
  return {
    states: explorer.count,
    folded,
    threads: explorer.system.threads.map(({ name }, thread) => ({
      name,
      controls: explorer.learned.controls[thread]!.count,
      classes: new Set(foldings[thread]).size,
    })),
    causes,
  }
}

/**
 * For each control state of a thread the first one of its class.
 * @returns an array that holds, for DONE, DONE
 */
export function fold(explorer: Search, thread: number): Int32Array {
  const controls = explorer.learned.controls[thread]!
  const folding = new Folding(controls.count)
  const alike = new Map<string, number[]>()
  const effects = new Map<unknown, number>()
  for (let control = DONE + 1; control < controls.count; control++) {
    const { effect, args } = controls.operation(control)
    if (!effects.has(effect)) effects.set(effect, effects.size)
    for (const { response, next } of leavesOf(explorer, thread, control)) {
      if (goesOn(response)) folding.answers[control]!.set(response, next!)
    }
    const key = `${effects.get(effect)} ${plainKey(args)} ${controls.atRest(control)}`
    const members = alike.get(key) ?? []
    alike.set(key, [...members, control])
    folding.kind[control] = members[0] ?? control
  }
  for (const members of alike.values()) {
    const classes: number[] = []
    for (const control of members) {
      if (classes.some((other) => folding.unite(other, control))) continue
      classes.push(control)
    }
  }
  return Int32Array.from({ length: controls.count }, (_, control) => folding.find(control))
}

/** Classes of control states, merged as long as what they have learned does not contradict itself. */
class Folding {
  /** For each control state, or class by its first member, what follows which answer. */
  readonly answers: Map<Response, number>[]
  /** Control states of different kinds are never alike. */
  readonly kind: Int32Array
  private readonly parent: Int32Array

  constructor(count: number) {
    this.answers = Array.from({ length: count }, () => new Map())
    this.kind = new Int32Array(count)
    this.parent = Int32Array.from({ length: count }, (_, control) => control)
  }

  find(control: number): number {
    let root = control
    while (this.parent[root] !== root) root = this.parent[root]!
    return root
  }

  /** Makes two control states one, and whatever must be one then; does nothing and tells false if they contradict. */
  unite(a: number, b: number): boolean {
    const todo: [number, number][] = [[a, b]]
    const undo: (() => void)[] = []
    for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
      const [one, other] = pair.map((control) => this.find(control)) as [number, number]
      if (one === other) continue
      const [root, child] = one < other ? [one, other] : [other, one]
      if (this.kind[root] !== this.kind[child]) {
        for (const revert of undo.reverse()) revert()
        return false
      }
      this.parent[child] = root
      undo.push(() => {
        this.parent[child] = child
      })
      const known = this.answers[root]!
      for (const [response, next] of this.answers[child]!) {
        const already = known.get(response)
        if (already !== undefined) todo.push([already, next])
        else {
          known.set(response, next)
          undo.push(() => known.delete(response))
        }
      }
    }
    return true
  }
}

/** Finds the states that fall away, and what each differs in from the first state of its class. */
function compareStates(
  explorer: Search,
  foldings: readonly Int32Array[],
): { folded: number; causes: Cause[] } {
  const first = new Map<string, number>()
  const found = new Map<string, { cause: Omit<Cause, 'states' | 'alone'>; states: number; alone: number }>()
  const differences = new Differences(explorer)
  for (let state = 0; state < explorer.count; state++) {
    const classes = foldings.map((folding, thread) => folding[explorer.controlOf(state, thread)]!)
    const key = `${explorer.memoryOf(state)} ${classes.join(' ')}`
    const stays = first.get(key)
    if (stays === undefined) {
      first.set(key, state)
      continue
    }
    const causes = new Map(
      explorer.learned.controls.flatMap((_, thread) =>
        differences
          .between(thread, explorer.controlOf(stays, thread), explorer.controlOf(state, thread))
          .map((cause) => [`${cause.procedure}\n${cause.what}`, cause] as const),
      ),
    )
    for (const [key, cause] of causes) {
      const entry = found.get(key) ?? { cause, states: 0, alone: 0 }
      entry.states++
      if (causes.size === 1) entry.alone++
      found.set(key, entry)
    }
  }
  const causes = [...found.values()].map(({ cause, states, alone }) => ({ ...cause, states, alone }))
  causes.sort((a, b) => b.states - a.states || (a.procedure < b.procedure ? -1 : 1))
  return { folded: first.size, causes }
}

type Difference = Omit<Cause, 'states' | 'alone'>

/** What two control states of a thread remember differently. */
class Differences {
  private readonly known = new Map<string, Difference[]>()

  constructor(private readonly explorer: Search) {}

  between(thread: number, a: number, b: number): Difference[] {
    if (a === b) return []
    const key = `${thread} ${a} ${b}`
    const known = this.known.get(key)
    if (known !== undefined) return known
    const controls = this.explorer.learned.controls[thread]!
    const [one, other] = [framesOf(controls, a), framesOf(controls, b)]
    const differences: Difference[] = []
    for (let i = 0; i < Math.max(one.length, other.length); i++) {
      if (one[i] === other[i]) continue
      const [left, right] = [one[i], other[i]]
      if (left?.activation.procedure !== right?.activation.procedure) {
        differences.push(anotherWay(one[i - 1], left ?? right!, left === undefined ? left : right))
        // What comes above lives in different functions.
        break
      }
      differences.push(...this.inFrame(left!, right!))
    }
    this.known.set(key, differences)
    return differences
  }

  private inFrame(a: AutomatonNode, b: AutomatonNode): Difference[] {
    const { procedure, args } = a.activation
    const parts = partsThatDiffer(procedure, args, b.activation.args)
    if (parts.length > 0) {
      return parts.map(([part, left, right]) => ({
        procedure: procedure.name,
        what: `argument ${part}`,
        example: `${part} is ${shown(left)} or ${shown(right)}`,
      }))
    }
    const [one, other] = [pathTo(a), pathTo(b)]
    const at = one.findIndex((node, i) => node !== other[i])
    // The node where they part is the one before the first that differs; one may also be further than the other.
    const before = at < 0 ? one.at(-1)! : one[at - 1]!
    const { pending } = before
    if (pending.kind === 'return') throw new Error('nothing comes after a return')
    const name = pending.kind === 'atomic' ? pending.effect.name : pending.procedure.name
    const asked =
      pending.kind === 'atomic' ? inWords(pending, this.explorer.system.layout.locations) : describe(pending)
    const [left, right] = [one[before.depth + 1], other[before.depth + 1]]
    const answers = [left, right].map((node) => (node === undefined ? 'not yet' : shown(node.response)))
    return [
      {
        procedure: procedure.name,
        what: `step ${before.depth + 1}, the answer of ${name}`,
        example: `${asked} answered ${answers.join(' or ')}`,
      },
    ]
  }
}

function anotherWay(
  below: AutomatonNode | undefined,
  one: AutomatonNode,
  other: AutomatonNode | undefined,
): Difference {
  const names = [one, other].map((node) => node?.activation.procedure.name ?? 'itself').sort()
  return {
    procedure: below?.activation.procedure.name ?? names[0]!,
    what: `whether it is in ${names.join(' or in ')}`,
    example: `${describe(one.pending)}${other === undefined ? '' : ` or ${describe(other.pending)}`}`,
  }
}

/** A value as a person would write it. */
function shown(value: Plain): string {
  return value === undefined ? 'nothing' : plainKey(value)
}

/** A stack's nodes, outermost first. */
function framesOf(controls: ControlStates, control: number): AutomatonNode[] {
  const nodes: AutomatonNode[] = []
  for (let cell: StackCell | undefined = controls.stack(control); cell !== undefined; cell = cell.below) {
    nodes.unshift(cell.node)
  }
  return nodes
}

/** The nodes of an activation from its beginning. */
function pathTo(node: AutomatonNode): AutomatonNode[] {
  const path: AutomatonNode[] = []
  for (let n: AutomatonNode | undefined = node; n !== undefined; n = n.parent) path.unshift(n)
  return path
}

/** The arguments that differ, down to the fields of objects, each with its two values. */
function partsThatDiffer(
  procedure: Procedure,
  a: readonly Plain[],
  b: readonly Plain[],
): [string, Plain, Plain][] {
  const names = parametersOf(procedure)
  const found: [string, Plain, Plain][] = []
  const compare = (name: string, left: Plain, right: Plain): void => {
    if (plainKey(left) === plainKey(right)) return
    const fields = [left, right].every(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    )
    if (!fields) {
      found.push([name, left, right])
      return
    }
    const [one, other] = [left, right] as Record<string, Plain>[]
    for (const field of new Set([...Object.keys(one!), ...Object.keys(other!)])) {
      compare(`${name}.${field}`, one![field], other![field])
    }
  }
  for (let i = 0; i < Math.max(a.length, b.length); i++) compare(names[i] ?? `${i + 1}`, a[i], b[i])
  return found
}

/** The names of a procedure's parameters after the context, where its text tells them. */
function parametersOf(procedure: Procedure): string[] {
  const list = /\(([^()]*)\)/.exec(procedure.toString())?.[1] ?? ''
  // A pattern or a default has no name that would help.
  if (/[{}[\]=]/.test(list)) return []
  return list
    .split(',')
    .slice(1)
    .map((name) => name.trim())
}
