/**
 * A state in 32-bit words: the number of its memory, then the control states of its threads,
 * two to a word.
 */

/** How many words a state of so many threads has. */
export function wordsOfState(threads: number): number {
  return 1 + Math.ceil(threads / 2)
}

/** The control state of a thread, from the word that has it. */
export function halfOf(word: number, thread: number): number {
  return thread & 1 ? word >>> 16 : word & 0xffff
}

/** The control state of a thread in the state whose words begin at `at`. */
export function controlAt(words: Int32Array, at: number, thread: number): number {
  return halfOf(words[at + 1 + (thread >> 1)]!, thread)
}

/** Puts a thread of the state whose words begin at `at` into a control state. */
export function setControl(words: Int32Array, at: number, thread: number, control: number): void {
  const half = at + 1 + (thread >> 1)
  const word = words[half]!
  words[half] = thread & 1 ? (word & 0xffff) | (control << 16) : (word & ~0xffff) | control
}

/** Packs a state into the words from 0 on. */
export function pack(words: Int32Array, memory: number, controls: ArrayLike<number>): void {
  words.fill(0)
  words[0] = memory
  for (let thread = 0; thread < controls.length; thread++) setControl(words, 0, thread, controls[thread]!)
}
