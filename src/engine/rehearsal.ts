/** Random runs from the start, for what is learned from them. They are the same each time. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { DONE } from './control.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { Stepper } from './stepper.ts'

const RUNS = 100
const STEPS = 2_000

export function learnFromRandomRuns(learned: Learned, memories: Memories): void {
  const stepper = new Stepper(learned, memories)
  const initial = memories.internInitial()
  const chance = xoroshiro128plus(1)
  const pick = (n: number): number => uniformInt(chance, 0, n - 1)
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
