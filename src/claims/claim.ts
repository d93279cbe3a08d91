/**
 * A claim, as data: who said it, and the experiments that decide it.
 *
 * Each case of a claim is one experiment, and tells whether the claim is true there. If it is
 * true in all cases the claim holds, if in none it is refuted; otherwise it holds only in those.
 */
import { z } from 'zod'
import { FAILURES, VERDICTS } from '../litmus/ast.ts'

/** What a page has that somebody may rely on while he looks at it. */
export const ASPECTS = [
  'mapcount',
  'refcount',
  'pins',
  'swap count',
  'PageAnon',
  'PageKsm',
  'PageSwapCache',
  'PageAnonExclusive',
  'page-table entry',
] as const
export type Aspect = (typeof ASPECTS)[number]

/** Moments at which a thread has looked at a page and has not yet done what follows from it. */
export const MOMENTS = ['unsharing test', 'unsharing fault', 'write fault'] as const
export type Moment = (typeof MOMENTS)[number]

/** What may be so at every moment of every run. */
export const INVARIANTS = [
  'a writable page has one user',
  'a page that is mapped twice has no reference',
  'a page is mapped once when a reference is taken',
  'a page is shared when its copy is mapped',
  'a page that is pinned for writing is not made COW',
] as const
export type Invariant = (typeof INVARIANTS)[number]

const question = z.union([
  /** True if the test's verdict under the design is one of these. */
  z.strictObject({ verdict: z.array(z.enum([...VERDICTS, ...FAILURES])).min(1) }),
  /** True if no outcome is a missed COW (or the like), whatever else there may be. */
  z.strictObject({ no: z.enum(VERDICTS) }),
  /** True if the test's conditions do. */
  z.strictObject({ conditions: z.enum(['hold', 'are violated']) }),
  /** True if no other thread can change this about the page while somebody is at that moment. */
  z.strictObject({ stable: z.enum(ASPECTS), at: z.enum(MOMENTS) }),
  z.strictObject({ changes: z.enum(ASPECTS), at: z.enum(MOMENTS) }),
  /** True if the number goes up (down) in none but these functions; `some`: if in all of these, whatever others there are. */
  z.strictObject({ raises: z.enum(ASPECTS), only: z.array(z.string()).min(1) }),
  z.strictObject({ lowers: z.enum(ASPECTS), only: z.array(z.string()).min(1) }),
  z.strictObject({ lowers: z.enum(ASPECTS), some: z.array(z.string()).min(1) }),
  /** True if no run installs more copies than that. */
  z.strictObject({ copies: z.number().int().min(0) }),
  /** True if some run installs that many. */
  z.strictObject({ 'copies at least': z.number().int().min(1) }),
  z.strictObject({ always: z.enum(INVARIANTS) }),
  /**
   * True if at a write fault the page can look, to the last bit, like one in this other test, although here
   * all references to it are the writer's own, and there they are somebody else's.
   */
  z.strictObject({ 'looks like': z.string() }),
  /** True if the test has the same outcomes as under these other rules. */
  z.strictObject({ 'same outcomes as': z.lazy(() => rules) }),
])
export type Question = z.infer<typeof question>

/** A design, and what is changed about it. */
const rules = z.strictObject({
  design: z.string(),
  /** Changes by name: see modifications.ts. */
  with: z.array(z.string()).default([]),
  /** Rules taken away. */
  without: z.array(z.string()).default([]),
  /** Rules taken from other designs. */
  like: z.record(z.string(), z.string()).default({}),
})
export type RuleSet = z.infer<typeof rules>

const experiment = rules.extend({
  /** The condition under which the claim is looked at here, to be read after "if". */
  if: z.string().min(3),
  /** A test of the claims, or of the suite. */
  test: z.string(),
  asks: question,
  /** Whether the claim is expected to be true here. */
  holds: z.boolean().optional(),
})
export type Case = z.infer<typeof experiment>

export const DECISIONS = ['holds', 'refuted', 'holds only if'] as const
export type Decision = (typeof DECISIONS)[number]

const claimFields = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected small letters, digits and "-"'),
  by: z.string(),
  /** As precisely as the archive has it. */
  when: z.string(),
  /** A Message-ID or the like. */
  where: z.string(),
  /** In our words. */
  claim: z.string(),
  cases: z.array(experiment).min(1),
  expected: z.enum(DECISIONS),
  /** What the cases show, taken together. */
  comment: z.string(),
  /** One case with something changed, after which the decision must be another one. */
  inverted: z.strictObject({
    case: z.number().int().min(1),
    test: z.string().optional(),
    design: z.string().optional(),
    with: z.array(z.string()).optional(),
    without: z.array(z.string()).optional(),
    like: z.record(z.string(), z.string()).optional(),
  }),
})
export const claim = claimFields.superRefine(({ cases, inverted }, context) => {
  if (inverted.case <= cases.length) return
  const many = cases.length === 1 ? 'one case' : `${cases.length} cases`
  const message = `there is no case ${inverted.case}; this claim has ${many}`
  context.addIssue({ code: 'custom', path: ['inverted', 'case'], message })
})
export type Claim = z.infer<typeof claim>

/** What was claimed and cannot be decided. */
const undecided = z.strictObject({
  by: z.string(),
  claim: z.string(),
  /** Half a sentence, without a full stop. */
  why: z.string(),
})
export type Undecided = z.infer<typeof undecided>

export const section = z
  .strictObject({
    section: z.string(),
    /** A few sentences that introduce it. */
    about: z.string(),
    claims: z.array(claim).default([]),
    undecided: z.array(undecided).default([]),
  })
  .refine(({ claims, undecided }) => claims.length + undecided.length > 0, 'there are no claims in it')
export type Section = z.infer<typeof section>
