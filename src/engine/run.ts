/** The states of one run, in their order, as it ran. */
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import type { States } from './search.ts'

export class Run implements States {
  private readonly memoriesAt: number[]
  private readonly controlsAt: number[][]

  constructor(
    readonly learned: Learned,
    readonly memories: Memories,
  ) {
    this.memoriesAt = [memories.internInitial()]
    this.controlsAt = [learned.controls.map(({ initial }) => initial)]
  }

  get count(): number {
    return this.memoriesAt.length
  }

  memoryOf(state: number): number {
    return this.memoriesAt[state]!
  }

  controlOf(state: number, thread: number): number {
    return this.controlsAt[state]![thread]!
  }

  parentOf(state: number): number {
    return Math.max(0, state - 1)
  }

  append(thread: number, memory: number, control: number): void {
    this.memoriesAt.push(memory)
    this.controlsAt.push(this.controlsAt.at(-1)!.with(thread, control))
  }
}
