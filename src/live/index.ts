/**
 * The memory manager, run and not explored: the same paths and rules on real threads over shared memory.
 */
export { Arena } from './arena.ts'
export { STATISTICS, type Statistic } from './board.ts'
export { PAGE_SIZE, type SwapDevice } from './contents.ts'
export { Memory, type MemoryOptions } from './memory.ts'
export {
  InvalidCall,
  MemoryBroken,
  MemoryError,
  NotAttached,
  NotPinned,
  OutOfMemory,
  SegmentationFault,
} from './memory_error.ts'
export type { Pin, PinHandle } from './pin.ts'
export type { MemorySize } from './places.ts'
export type { PinOptions, Process } from './process.ts'
export { DEADLOCKED, ENDLESS, Race, type Tally } from './race.ts'
export type { AttachOptions, MemoryEvent, MemoryHandle } from './session.ts'
