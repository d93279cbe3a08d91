/** What conditions speak about: the registers, the memory and the references of processes. */

import type { Condition, Expression, Term } from './ast.ts'
import { quote } from './diagnostic.ts'
import { choices, type Log } from './log.ts'
import type { Scope } from './scope.ts'
import { type ConditionSyntax, dotted, type ExpressionSyntax, hasExit, type Path } from './syntax.ts'
import { REGISTER } from './vocabulary.ts'
import { resolveReferenceWord, resolveWord } from './words.ts'

/** Undefined after an error, which is then in the log. */
export function resolveCondition(syntax: ConditionSyntax, scope: Scope, log: Log): Condition | undefined {
  const expression = resolveExpression(syntax.expression, scope, log)
  return expression === undefined ? undefined : { ...syntax, expression }
}

/** Looks into both sides before it gives up, so that the errors of both are reported. */
function resolveExpression(syntax: ExpressionSyntax, scope: Scope, log: Log): Expression | undefined {
  if (syntax.kind === 'compare') {
    const term = resolveTerm(syntax.term, scope, log)
    return term === undefined ? undefined : { ...syntax, term }
  }
  if (syntax.kind === 'not') {
    const operand = resolveExpression(syntax.operand, scope, log)
    return operand === undefined ? undefined : { kind: 'not', operand }
  }
  const left = resolveExpression(syntax.left, scope, log)
  const right = resolveExpression(syntax.right, scope, log)
  return left === undefined || right === undefined ? undefined : { kind: syntax.kind, left, right }
}

function resolveTerm(path: Path, scope: Scope, log: Log): Term | undefined {
  const [owner, first, ...rest] = path.names
  if (first === undefined) {
    const some = scope.processes.keys().next().value ?? 'process'
    const hint = `expected whose it is, such as "${some}.${owner.text}"`
    return log.error(path.span, `${quote(owner.text)} without its process`, hint)
  }
  const process = scope.processes.get(owner.text)
  if (process === undefined) return log.unknown('process', owner, scope.processes.keys())

  if (REGISTER.test(first.text)) {
    if (rest[0] !== undefined) return log.error(rest[0].span, 'a register has no parts', 'expected "=="')
    const own = scope.registers.get(owner.text) ?? new Set()
    if (own.has(first.text)) return { kind: 'register', process: owner.text, register: first.text }
    const hint = own.size === 0 ? 'expected a register that it loads' : `expected ${choices(own)}`
    return log.error(first.span, `process ${quote(owner.text)} never assigns ${first.text}`, hint)
  }

  const inProcess: Path = { names: [first, ...rest], span: path.span }
  const reference = scope.references.get(first.text)
  if (reference !== undefined) {
    if (reference.owner !== process) {
      const hint = `expected "${reference.owner.name.text}.${dotted(inProcess.names)}"`
      return log.error(path.span, `process ${quote(owner.text)} has no reference ${quote(first.text)}`, hint)
    }
    const word = resolveReferenceWord(inProcess, reference, scope, log)
    return word === undefined ? undefined : { kind: 'reference', process: owner.text, ref: first.text, word }
  }

  const isThread = process.threads.some((thread) => thread.name?.text === first.text)
  if (isThread && rest.length > 0 && !scope.pages.has(first.text)) {
    const hint = `expected "${owner.text}.${dotted(rest)}": registers belong to the process`
    return log.error(path.span, `${quote(first.text)} is a thread`, hint)
  }
  if (process.threads.some(hasExit)) {
    const hint =
      'expected a register of it, or the memory of a process without "exit": memory ends with its process'
    log.warn(path.span, `process ${quote(owner.text)} exits, so this has no final value`, hint)
  }
  const target = resolveWord(inProcess, scope, log)
  return target === undefined ? undefined : { kind: 'memory', process: owner.text, target }
}
