/** v6.18: v6.12, as far as pages of the base size go. */
import { extend } from './design.ts'
import { v6_12 } from './v6_12.ts'

export const v6_18 = extend(v6_12, {
  name: 'v6.18',
  title: 'Linux v6.18 (November 2025): as v6.12',
  belief:
    'As v6.12. What changed since is about large folios, how the swap cache is stored, and which locks are held: ' +
    'for a page of the base size the steps are the same.',
  sources: [],
  rules: {},
  because: {},
})
