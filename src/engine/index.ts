/**
 * The explicit-state explorer. It knows threads, atomic operations and bytes.
 *
 * To use it: lay out the shared locations (`Layout`), write each thread as a generator
 * function (`operation.ts`), put them together as a `System`, and `explore` it.
 */
export { type AssistHooks, assist } from './assist.ts'
export { AUTOMATON_LIMITS, type AutomatonLimits, describe, plainKey } from './automaton.ts'
export { DONE } from './control.ts'
export { answeredOneWay, mergeQuestions, type Question, questionsOf } from './coverage.ts'
export { type Cause, type DeadHistory, deadHistory, type ThreadHistory } from './dead_history.ts'
export { graphToDot, traceToDot } from './dot.ts'
export { ModelError, type ModelFault } from './error.ts'
export { type Estimate, estimateStates } from './estimate.ts'
export {
  type Bound,
  type Coverage,
  DEFAULT_LIMITS,
  type Exploration,
  type ExploreLimits,
  type FailedRun,
  type FailureKind,
  type FinalMemory,
  type Level,
  MAX_SEED,
  MAX_STATES,
  REDUCTIONS,
  type Reduction,
  type SearchMode,
} from './exploration.ts'
export { Explorer, explore } from './explore.ts'
export { type GraphState, type GraphStep, type StateGraph, stateGraph } from './graph.ts'
export { type ItfState, type ItfTrace, traceToItf } from './itf.ts'
export { Cell, inWords, Layout, type Location, Lock, RwLock, WRITER } from './layout.ts'
export { fields, type Naming, naming, type Rename, Sort } from './naming.ts'
export {
  assert,
  atomic,
  BLOCKED,
  call,
  choose,
  type Effect,
  FAILED,
  type Plain,
  type Procedure,
  pick,
  type Request,
  type Response,
  type Steps,
  tail,
  type View,
} from './operation.ts'
export { ParallelExplorer, type Team } from './parallel.ts'
export { type PromelaClaim, type PromelaOptions, toPromela } from './promela.ts'
export type { Search, States } from './search.ts'
export { BREADTH_FIRST, searchOf } from './search_mode.ts'
export { reportDeath, type Share, TeamError } from './share.ts'
export type { Memory, System, ThreadSpec } from './system.ts'
export {
  type Change,
  type Frame,
  type Pending,
  pendingIn,
  type Step,
  stepsFrom,
  type Trace,
  traceOfFailure,
  traceTo,
} from './trace.ts'
