/** What was claimed about copy-on-write, and what comes of it. */
export {
  ASPECTS,
  type Case,
  type Claim,
  type Decision,
  MOMENTS,
  type Section,
  testsOf,
  type Undecided,
} from './claim.ts'
export { type CaseDoubt, type CaseResult, type ClaimResult, decide, invert, type Tests } from './decide.ts'
export { MODIFICATIONS } from './modifications.ts'
export { ClaimsError, readSection } from './read.ts'
export { isPlain } from './rules.ts'
