/**
 * What was claimed about copy-on-write, and what comes of it.
 *
 * `read.ts` is not among it: the libraries that it needs take as long to load as a small test takes
 * to be explored, and only `cowherd claims` reads claims. Whoever does imports it when it is time.
 */
export type { Case, Claim, Decision, Section, Undecided } from './claim.ts'
export { type CaseDoubt, type CaseResult, type ClaimResult, decide, invert, type Tests } from './decide.ts'
export { ClaimsError } from './error.ts'
export { MODIFICATIONS } from './modifications.ts'
export { isPlain } from './rules.ts'
export { testsOf } from './tests_of.ts'
