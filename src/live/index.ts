/**
 * The memory manager, run and not explored: the same paths and rules on real threads over shared memory.
 */
export { Arena } from './arena.ts'
export { DEADLOCKED, ENDLESS, Race, type Tally } from './race.ts'
