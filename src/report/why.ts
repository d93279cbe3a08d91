/** Why an outcome or a failure is what it is: one paragraph of prose, and the steps that it cites. */
import { type FailureReport, foreignReads, type OutcomeReport } from '../check/index.ts'
import type { Explanation } from './prose.ts'
import type { Story } from './story.ts'
import { explainFailure } from './why_failed.ts'
import { explainLostWrite } from './why_lost_write.ts'
import { explainMissedCow } from './why_missed_cow.ts'
import { explainWrongCow } from './why_wrong_cow.ts'

/** What a report is about: one outcome of a cell, or one of its failures. */
export type Selection = { readonly outcome: OutcomeReport } | { readonly failure: FailureReport }

export function explain(story: Story, selection: Selection): Explanation {
  if ('failure' in selection) return explainFailure(story, selection.failure)
  const { outcome } = selection
  switch (outcome.verdict) {
    case 'right':
      return {
        text:
          'This outcome is right: the yardstick has it too. That is a kernel whose fork copies every page at ' +
          'once, so that processes share no private memory and nobody can see what is not theirs.',
        cited: new Set(),
        stuck: [],
      }
    case 'missed-cow': {
      const [read] = foreignReads(story.k, story.test, story.trace).sort(
        (a, b) => (a.step ?? Number.POSITIVE_INFINITY) - (b.step ?? Number.POSITIVE_INFINITY),
      )
      return read === undefined ? explainLostWrite(story) : explainMissedCow(story, read)
    }
    case 'lost-write':
      return explainLostWrite(story)
    case 'wrong-cow':
    case 'not-promised':
      return explainWrongCow(story, outcome)
  }
}
