/** v5.10.y: the stable branch, with what was backported to it. */
import { extend } from './design.ts'
import { v5_9 } from './v5_9.ts'
import { v5_11 } from './v5_11.ts'
import { v5_16 } from './v5_16.ts'

export const v5_10_y = extend(v5_9, {
  name: 'v5.10.y',
  title: 'Linux v5.10.y (stable): v5.9, with the repairs of v5.11',
  belief:
    'As v5.9, whose races between pin and fork, pin and reclaim, and pin and soft-dirty were repaired in the ' +
    'stable branch in the weeks in which they were in v5.11. Read in 5.10.262.',
  sources: [...v5_11.sources, { what: 'pins taken in two steps, as in v5.14', where: 'c24d37322548' }],
  rules: {
    write_protect_seq: v5_11.rules.write_protect_seq,
    may_add_to_swap: v5_11.rules.may_add_to_swap,
    clear_refs_excludes_faults: v5_11.rules.clear_refs_excludes_faults,
    clear_refs_may_protect: v5_11.rules.clear_refs_may_protect,
    clear_refs_flushes: true,
    fast_pin_in_two_steps: true,
  },
  because: {
    ...v5_11.because,
    clear_refs_flushes: v5_16.because.clear_refs_flushes!,
    fast_pin_in_two_steps: v5_16.because.fast_pin_in_two_steps!,
  },
})
