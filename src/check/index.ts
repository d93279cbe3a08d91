/** From a test and a design to a verdict. */
export {
  type Cell,
  type ConditionReport,
  checkCell,
  expectationFor,
  type FailureReport,
  isSurprise,
  judgeRun,
  type OutcomeReport,
  witnessOf,
  witnessOfFailure,
} from './cell.ts'
export { type Copies, copiesByOutcome, countCopies } from './copies.ts'
export { type Expected, expectStates } from './expect_states.ts'
export { type Alternative, alternativesIn, type Doubt, doubtsOf } from './ours.ts'
export { foreignReads, isStray, type ReadsFrom, readsFrom, type Write } from './provenance.ts'
export { type Run, type RunOptions, runTest } from './run.ts'
export { type CellVerdict, failureOf, worst } from './verdict.ts'
export type { Progress, Watch } from './watched.ts'
export { type Yardstick, yardstickOf } from './yardstick.ts'
