/**
 * What an exploration asked of the shared locations, and what it was answered: for each question in
 * a procedure the answers that ever came. A test that was only ever true is a branch that was never taken.
 */
import { DONE } from './control.ts'
import { inWords } from './layout.ts'
import { goesOn, leavesOf } from './leaves.ts'
import type { Response } from './operation.ts'
import type { Search } from './search.ts'

/** An operation at one step of a procedure, whatever its arguments. */
export interface Question {
  readonly procedure: string
  /** How many operations and calls of the activation came before, and one. */
  readonly step: number
  readonly effect: string
  /** One case of it: `test(page 1.refcount, 1)`. */
  readonly example: string
  /** The responses that ever came, in ascending order; blocked and failed ones are none. */
  readonly answers: readonly Response[]
}

/** All questions of a finished exploration. */
export function questionsOf(explorer: Search): Question[] {
  const found = new Map<string, Question & { answers: Response[] }>()
  explorer.learned.controls.forEach((controls, thread) => {
    for (let control = DONE + 1; control < controls.count; control++) {
      const operation = controls.operation(control)
      const { activation, depth } = controls.stack(control).node
      const question = {
        procedure: activation.procedure.name,
        step: depth + 1,
        effect: operation.effect.name,
      }
      const key = Object.values(question).join(' ')
      const example = inWords(operation, explorer.system.layout.locations)
      const known = found.get(key) ?? { ...question, example, answers: [] }
      found.set(key, known)
      for (const { response } of leavesOf(explorer, thread, control)) {
        if (goesOn(response) && !known.answers.includes(response)) known.answers.push(response)
      }
    }
  })
  return mergeQuestions([...found.values()])
}

/** The questions of several explorations, each once, with the answers of all. */
export function mergeQuestions(questions: readonly Question[]): Question[] {
  const merged = new Map<string, Question>()
  for (const question of questions) {
    const key = `${question.procedure} ${question.step} ${question.effect}`
    const known = merged.get(key)
    const answers = [...new Set([...(known?.answers ?? []), ...question.answers])].sort((a, b) => a - b)
    merged.set(key, { ...(known ?? question), answers })
  }
  return [...merged.values()]
}

/**
 * The yes-or-no questions that were only ever answered one way. Which they are is seen from the answers:
 * an effect asks yes or no if nobody was ever answered anything but 0 and 1, and both were.
 */
export function answeredOneWay(questions: readonly Question[]): Question[] {
  const byEffect = new Map<string, Set<Response>>()
  for (const { effect, answers } of questions) {
    const all = byEffect.get(effect) ?? new Set()
    for (const answer of answers) all.add(answer)
    byEffect.set(effect, all)
  }
  return questions.filter(({ effect, answers }) => {
    const all = byEffect.get(effect)!
    return answers.length === 1 && all.size === 2 && all.has(0) && all.has(1)
  })
}
