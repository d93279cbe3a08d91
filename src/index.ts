/**
 * The library: what a design of one's own is made of, and what checks it.
 *
 * ```ts
 * import { extend, v5_19 } from 'cowherd'
 * ```
 */

// Two floors have a cell: a table's, and a location of the machine.
export type { Cell } from './check/index.ts'
export * from './check/index.ts'
export { eager } from './designs/eager.ts'
export { hildenbrand_v1, hildenbrand_v1_swap } from './designs/hildenbrand_v1.ts'
export * from './designs/index.ts'
export { torvalds, torvalds_get, torvalds_jan, torvalds_snapshot } from './designs/torvalds.ts'
export { only_mapping, v5_7 } from './designs/v5_7.ts'
export { v5_8 } from './designs/v5_8.ts'
export { v5_9 } from './designs/v5_9.ts'
export { v5_10_y } from './designs/v5_10_y.ts'
export { v5_11 } from './designs/v5_11.ts'
export { v5_16 } from './designs/v5_16.ts'
export { count_after_draining, v5_18 } from './designs/v5_18.ts'
export { v5_19 } from './designs/v5_19.ts'
export * from './engine/index.ts'
export { Cell as SharedCell } from './engine/index.ts'
// As above: a page of a test, and a frame of the machine.
export type { Page } from './litmus/index.ts'
export * from './litmus/index.ts'
export * from './mm/copy_page_range.ts'
export * from './mm/do_swap_page.ts'
export * from './mm/do_wp_page.ts'
export * from './mm/fault.ts'
export * from './mm/fork.ts'
export * from './mm/gup.ts'
export * from './mm/kernel.ts'
export * from './mm/ksm.ts'
export type { Page as PageFrame } from './mm/machine.ts'
export * from './mm/machine.ts'
export * from './mm/memory.ts'
export * from './mm/page_alloc.ts'
export * from './mm/page_flags.ts'
export * from './mm/pte.ts'
export * from './mm/rmap.ts'
export * from './mm/swap_state.ts'
export * from './mm/swapfile.ts'
export * from './mm/task_mmu.ts'
export * from './mm/tlb.ts'
export * from './mm/vmscan.ts'
