/** Random runs from the start, for what is learned from them. They are the same each time. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { DONE } from './control.ts'
import type { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import { OutOfMemory } from './segments.ts'
import { Stepper } from './stepper.ts'

const RUNS = 100
const STEPS = 2_000

/** As many as there is room for: none of them is needed. */
export function learnFromRandomRuns(learned: Learned): void {
  try {
    // Most memories that they come to would only be in the way of the search.
    runAtRandom(learned, new Memories(learned.system.layout.locations))
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error
  }
}

function runAtRandom(learned: Learned, memories: Memories): void {
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
