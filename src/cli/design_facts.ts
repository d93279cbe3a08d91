/** What there is to know of a design, without its rules. */
import type { Design } from '../designs/index.ts'
import type { DesignFacts } from './protocol.ts'

export function factsOf({ name, title, belief, sources, because, ours }: Design): DesignFacts {
  const stated = Object.entries(ours ?? {}).map(
    ([rule, { taken, alternative }]) => [rule, { taken, alternative: alternative?.text ?? null }] as const,
  )
  return { name, title, belief, sources, because: { ...because }, ours: Object.fromEntries(stated) }
}
