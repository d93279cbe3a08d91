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
export { type Alternative, alternativesIn, type Doubt, doubtsOf } from './ours.ts'
export { foreignReads, isStray, type ReadsFrom, readsFrom, type Write } from './provenance.ts'
export { type Progress, type Run, type RunOptions, runTest, type Watch } from './run.ts'
export { type CellVerdict, failureOf, worst } from './verdict.ts'
export { type Yardstick, yardstickOf } from './yardstick.ts'
