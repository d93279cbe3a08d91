/** v5.10.y: the stable branch, with what was backported to it. */
import { extend } from './design.ts'
import { v5_9 } from './v5_9.ts'
import { v5_11 } from './v5_11.ts'

export const v5_10_y = extend(v5_9, {
  name: 'v5.10.y',
  title: 'Linux v5.10.y (from early 2021): v5.9, with the repairs of v5.11',
  belief:
    'As v5.9, whose races between pin and fork, pin and reclaim, and pin and soft-dirty were repaired in the ' +
    'stable branch in the weeks in which they were in v5.11.',
  sources: v5_11.sources,
  rules: {
    write_protect_seq: v5_11.rules.write_protect_seq,
    may_add_to_swap: v5_11.rules.may_add_to_swap,
    clear_refs_excludes_faults: v5_11.rules.clear_refs_excludes_faults,
    clear_refs_may_protect: v5_11.rules.clear_refs_may_protect,
  },
  because: v5_11.because,
})
