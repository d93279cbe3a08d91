/**
 * What the threads of one exploration learn, as one list that all of them go through.
 *
 * Every thread has its own automata, control states and decision trees. The numbers in them
 * depend on nothing but the order in which things are learned, so the threads agree if all of
 * them learn the same things in the same order: those of the list. Whoever comes to a place
 * that it does not know first learns what it has not yet seen of the list. Only if the place
 * is still unknown, it takes the lock, looks whether the list has grown meanwhile, learns, and
 * appends what it learned. So nothing is learned that is not in the list, except what every
 * thread learns before it begins: where its threads start.
 *
 * An entry is written before the length of the list is stored atomically, and it is read after
 * an atomic load of that length. The memory that an entry names was published by whoever made
 * it (`shared_tuples.ts`) before the learner could know its number; so a reader of the list
 * sees it too.
 *
 * With each entry goes what the learner then knew, as a digest. A thread that comes to know
 * something else has run code that is no pure function of what it is told.
 */
import { ModelError } from './error.ts'
import type { Learned } from './learned.ts'
import type { Memories } from './memories.ts'
import { OutOfMemory } from './segments.ts'
import { LEARNED, LEARNED_WORDS, LEARNING, type Share, watchOver } from './share.ts'

export class LearningLog {
  private readonly control: Int32Array
  private readonly log: Int32Array
  private seen = 0

  constructor(
    share: Share,
    private readonly learned: Learned,
    private readonly memories: Memories,
  ) {
    this.control = new Int32Array(share.control)
    this.log = new Int32Array(share.log)
  }

  /**
   * Learns something that others have learned, if there is any; otherwise what the pending
   * operation of a thread does in a memory. Whoever asks looks again, and perhaps asks again.
   * @throws ModelError
   */
  learn(thread: number, control: number, memory: number): void {
    if (this.catchUp()) return
    this.lock()
    try {
      if (Atomics.load(this.control, LEARNED) > this.seen) return
      this.learnHere(thread, control, memory)
      this.append(thread, control, memory)
    } finally {
      Atomics.store(this.control, LEARNING, 0)
      Atomics.notify(this.control, LEARNING, 1)
    }
  }

  /** Learns what others have learned; tells whether there was anything. */
  catchUp(): boolean {
    const { log } = this
    const end = Atomics.load(this.control, LEARNED)
    if (this.seen === end) return false
    for (; this.seen < end; this.seen++) {
      const at = this.seen * LEARNED_WORDS
      const [thread, control] = [log[at]!, log[at + 1]!]
      this.learnHere(thread, control, log[at + 2]!)
      if (this.digest(thread) !== log[at + 3]) throw this.divergence(thread, control)
    }
    return true
  }

  private learnHere(thread: number, control: number, memory: number): void {
    this.learned.learn(thread, control, (location) => this.memories.get(memory, location))
  }

  private append(thread: number, control: number, memory: number): void {
    const at = this.seen * LEARNED_WORDS
    if (at + LEARNED_WORDS > this.log.length) throw new OutOfMemory('no room for what is learned')
    this.log.set([thread, control, memory, this.digest(thread)], at)
    this.seen++
    Atomics.store(this.control, LEARNED, this.seen)
  }

  private lock(): void {
    while (Atomics.compareExchange(this.control, LEARNING, 0, 1) !== 0) {
      Atomics.wait(this.control, LEARNING, 1, 5)
      watchOver(this.control)
    }
  }

  private digest(thread: number): number {
    const { automata, trees, controls } = this.learned
    const sizes = Math.imul(automata.nodes, 0x85ebca6b) ^ Math.imul(trees.size, 0xc2b2ae35)
    return (trees.digest ^ sizes ^ (controls[thread]!.count << 20)) | 0
  }

  private divergence(thread: number, control: number): ModelError {
    // What differs also here is known by name.
    this.learned.recheck()
    const { node } = this.learned.controls[thread]!.stack(control)
    const { name } = this.learned.controls[thread]!.operation(control).effect
    return new ModelError(
      'impure',
      name,
      `${name} in ${node.activation.procedure.name}, or what comes after it, did something else in another thread of the exploration. Operations and generators must depend on nothing but their context, their arguments and what they are told.`,
    )
  }
}
