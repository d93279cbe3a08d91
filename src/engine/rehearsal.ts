/** Random runs from the start, for what is learned from them. They are the same each time. */
import { DONE } from './control.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { Stepper } from './stepper.ts'

const RUNS = 100
const STEPS = 2_000

export function learnFromRandomRuns(learned: Learned, memories: Memories): void {
  const stepper = new Stepper(learned, memories)
  const initial = memories.internInitial()
  const pick = numbers()
  for (let run = 0; run < RUNS; run++) {
    const controls = learned.controls.map((states) => states.initial)
    let memory = initial
    for (let step = 0; step < STEPS; step++) {
      const movers = controls.flatMap((control, thread) => (control === DONE ? [] : [thread]))
      let ways = 0
      let thread = 0
      while (ways === 0 && movers.length > 0) {
        thread = movers.splice(pick(movers.length), 1)[0]!
        ways = stepper.step(thread, controls[thread]!, memory)
      }
      if (ways === 0) break
      const way = pick(ways)
      if (stepper.controls[way]! < 0) break
      memory = stepper.memories[way]!
      controls[thread] = stepper.controls[way]!
    }
  }
}

/** Numbers from 0 to n - 1, by a linear congruential generator (Knuth's MMIX has its like in 64 bits). */
function numbers(): (n: number) => number {
  let state = 1
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % n
  }
}
