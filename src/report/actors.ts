/** Threads of the kernel's own: who they are, and what they do. */
import type { Step } from '../engine/index.ts'
import type { ActorKind } from '../litmus/ast.ts'
import { withoutPage } from './changes.ts'
import { mergedSpots, mergeFacts } from './facts_merge.ts'
import { reclaimed, reclaimFacts } from './facts_reclaim.ts'
import { phraseOf } from './phrase.ts'
import { lastDecision } from './prose.ts'
import type { Story } from './story.ts'
import { enumerate } from './wrap.ts'

const ROLES: Readonly<Record<ActorKind, string>> = {
  kswapd: "the kernel's thread that swaps pages out",
  ksmd: "the kernel's thread that merges pages that hold the same",
}

/** `kswapd, the kernel's thread that swaps pages out`; undefined for a thread that is no actor. */
export function introduceActor(story: Story, thread: number): string | undefined {
  const name = story.names.thread(thread)
  const role = Object.hasOwn(ROLES, name) ? ROLES[name as ActorKind] : undefined
  return story.isActor(thread) && role !== undefined ? `${name}, ${role},` : undefined
}

/** Who acts beside the test's threads, and on what: `kswapd, … may act once at any moment, on x`. */
export function actorsOf({ test, k }: Story): string {
  return test.actors
    .map(({ kind, times, pages }) => {
      const often = times === 1 ? 'once' : times === 2 ? 'twice' : `${times} times`
      const where = enumerate(pages.map((vpn) => k.config.pages[vpn]!.name))
      return `${kind}, ${ROLES[kind]}, may act ${often}, at any moment, on ${where}`
    })
    .join('; ')
}

/** Whether an actor chooses with this step what it will do next. */
export function actsAnew({ effect }: Step): boolean {
  return effect.name === 'isolate_some' || effect.name === 'choose_two'
}

/** What an actor did in some steps, none but the first of which begins something new. */
export function actorFacts(
  story: Story,
  from: number,
  to: number,
): { readonly text: string; readonly weight: 'nothing' | 'detail' | 'event' } {
  const first = story.steps[from]!
  const failed = story.steps[to]!.failure
  if (failed !== undefined) return { text: failed, weight: 'event' }
  const isDone = actsAnew(first) && first.stackAfter.length === 0
  if (isDone) return { text: phraseOf(story, from), weight: 'nothing' }
  const facts = story.inside(story.steps[to]!, 'ksmd')
    ? [mergedSpots(story, to), mergeFacts(story, from, to)].filter((text) => text !== '').join(': ')
    : reclaimFacts(story, from, to)
  if (facts !== '') return { text: facts, weight: 'event' }
  const found = lastDecision(story, from, to)
  const pfn = actsAnew(first) ? reclaimed(story, to) : undefined
  if (found === undefined) return { text: phraseOf(story, from), weight: 'nothing' }
  const text = phraseOf(story, found)
  if (pfn === undefined) return { text, weight: 'detail' }
  const page = story.names.page(pfn)
  return { text: `takes ${page}: ${withoutPage(text, page)}`, weight: 'detail' }
}
