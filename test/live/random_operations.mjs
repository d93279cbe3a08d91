// What the workers of a soak have in common: a part in a memory, random numbers, and doing one thing after the other until time is up.
import { Memory, OutOfMemory } from '../../dist/live.js'
import { job, report } from './employer.mjs'

export { job }
export const memory = Memory.attach(job.handle)
/** What was found wrong, in words. The first ends the work. */
export const wrong = []

let state = job.seed * 2654435761 + 1
/** A random number from 0 up to `n`, and not `n`. */
export function below(n) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % n
}

/**
 * Does random operations, and then what is to be done at the end; reports.
 * @param operations by name: each does something and looks whether it came out right
 * @param subject gives an operation what it is about
 */
export function work(operations, atEnd, subject = () => undefined) {
  const all = Object.values(operations)
  if (job.began !== undefined) Atomics.add(job.began, 0, 1)
  const until = Date.now() + job.milliseconds
  let done = 0
  let outOfMemory = 0
  let broken
  try {
    while ((Date.now() < until || done < job.least) && wrong.length === 0) {
      const about = subject()
      done++
      try {
        all[below(all.length)](about)
      } catch (error) {
        if (!(error instanceof OutOfMemory)) throw error
        outOfMemory++
      }
    }
    atEnd()
    memory.detach()
  } catch (error) {
    if (error.name === 'MemoryBroken') broken = error.message
    else wrong.push(error.stack)
  }
  report({ operations: done, outOfMemory, wrong, broken })
}
