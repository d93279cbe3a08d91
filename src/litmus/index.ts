/** The litmus language: from text to a checked test, and from a test to a system. */
export * from './ast.ts'
export { type Diagnostic, LitmusError, renderDiagnostic } from './diagnostic.ts'
export {
  conditionHolds,
  holdsIn,
  type Observation,
  type Observed,
  type Outcome,
  outcomeOf,
} from './outcome.ts'
export { parse } from './parse.ts'
export { print } from './print.ts'
export { compile, type Instruction, type Program, type ProgramOptions } from './program.ts'
export { type ExportOptions, exportPromela } from './promela.ts'
