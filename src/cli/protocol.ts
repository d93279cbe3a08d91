/** What the main thread asks of its workers, and what they answer. */
import type { Expected, Yardstick } from '../check/index.ts'
import type { Claim } from '../claims/index.ts'
import type { ExploreLimits, SearchMode, Share } from '../engine/index.ts'
import type { ProgramOptions } from '../litmus/index.ts'
import type { ClaimReport } from '../report/claims.ts'
import type { CellReport } from '../report/json.ts'
import type { DesignCoverage } from './coverage_job.ts'
import type { DesignHistory } from './history_job.ts'

/** A test as text: workers parse it themselves, since a parsed one is larger than that. */
export interface TestText {
  readonly file: string
  readonly text: string
}

/** A design: one of Cowherd's by its name, or a person's own file, as one module without TypeScript in it. */
export type DesignSource = { readonly kind: 'built-in'; readonly name: string } | DesignFile

export interface DesignFile {
  readonly kind: 'file'
  /** As it was given on the command line. */
  readonly file: string
  readonly code: string
  /** Where in which file the code comes from, as a source map. */
  readonly map: string
}

/** What the main thread needs to know of a person's own design, which only ever runs in a worker. */
export interface DesignFacts {
  readonly name: string
  readonly title: string
  readonly belief: string
  readonly sources: readonly { readonly what: string; readonly where: string }[]
  readonly because: Readonly<Record<string, string>>
  /** By rule: what we took where its author stated nothing, and what he may as well have meant. */
  readonly ours: Readonly<Record<string, { readonly taken: string; readonly alternative: string | null }>>
}

export interface Jobs {
  design: { input: { design: DesignSource }; output: DesignFacts }
  yardstick: { input: { test: TestText; limits: ExploreLimits }; output: Yardstick }
  /** Counts copies too if it is told within which limits. */
  cell: { input: CellInput & { copies?: ExploreLimits }; output: CellReport }
  show: { input: CellInput & ShowOptions; output: ShowAnswer }
  export: { input: ExportInput; output: Exported }
  /** Null if it was stopped before it was decided. */
  claim: { input: ClaimInput; output: ClaimReport | null }
  coverage: { input: CoverageInput; output: DesignCoverage }
  history: { input: SurveyInput & { design: DesignSource }; output: DesignHistory }
  /** Null if it was stopped before there was anything to guess from. */
  estimate: { input: Pick<CellInput, 'test' | 'design' | 'limits'>; output: Expected | null }
  outcomes: { input: OutcomesInput; output: AllowedOutcomes }
  /** Helps another worker with an exploration. */
  assist: { input: AssistInput; output: null }
}

/** What is explored: a test under a design, or under the yardstick where there is none. */
export interface AssistInput {
  readonly test: TestText
  readonly design: DesignSource | null
  readonly program: ProgramOptions
  readonly share: Share
}

export interface SurveyInput {
  readonly tests: readonly TestText[]
  readonly limits: ExploreLimits
}

export interface CoverageInput extends SurveyInput {
  /** Undefined for the yardstick. */
  readonly design: DesignSource | undefined
  readonly copies: boolean
}

export interface ClaimInput {
  readonly claim: Claim
  /** The tests that its cases name. */
  readonly tests: Readonly<Record<string, TestText>>
  readonly limits: ExploreLimits
  readonly width: number
  /** The only case that is wanted, by its number from 1, and whether its run is wanted in full. */
  readonly only: { readonly case: number; readonly full: boolean } | undefined
}

export interface OutcomesInput extends Pick<CellInput, 'test' | 'design' | 'limits'> {
  /** The limits of the exploration that counts copies. */
  readonly copies: ExploreLimits
}

/** What a design allows, without a look at whether that is right. */
export interface AllowedOutcomes {
  readonly keys: readonly string[]
  readonly exhaustive: boolean
  /** By outcome, the numbers of copies in runs to it; undefined if that takes more than the limits. */
  readonly copies: Readonly<Record<string, readonly number[]>> | undefined
}

export interface CellInput {
  readonly test: TestText
  readonly design: DesignSource
  readonly yardstick: Yardstick
  readonly limits: ExploreLimits
  /** Breadth-first if nothing is said. */
  readonly search?: SearchMode
}

export type ExportLanguage = 'promela' | 'dot' | 'itf' | 'json'

export interface ExportInput extends Omit<CellInput, 'yardstick' | 'search'> {
  readonly to: ExportLanguage
  /** Needed where a run is chosen by its verdict: everywhere but for Promela. */
  readonly yardstick: Yardstick | undefined
  /** A single run instead of the whole graph: to the worst outcome, or to one that has all these terms, `name=value`. */
  readonly run: readonly string[] | undefined
  /** Most states of a graph. */
  readonly limit: number
  /** What the program's file will be called, if that is known. */
  readonly output: string | undefined
}

export interface Exported {
  readonly text: string
  /** How far the exploration came, if it was not complete. */
  readonly bounded: string | undefined
}

export interface ShowOptions {
  /** Terms, `name=value`, which the outcome to be shown must all have; undefined: the worst that there is. */
  readonly terms: readonly string[] | undefined
  readonly width: number
  readonly colour: boolean
  readonly fold?: number
  readonly copies: boolean
}

export type ShowAnswer =
  | { readonly kind: 'shown'; readonly text: string; readonly report: CellReport }
  /** No outcome has all the terms. */
  | {
      readonly kind: 'none'
      readonly outcomes: readonly string[]
      /** How far the search went, if it left anything out. */
      readonly bounded: string | undefined
    }

export type JobKind = keyof Jobs

export type Request = { [K in JobKind]: { readonly kind: K; readonly input: Jobs[K]['input'] } }[JobKind]

export type Reply =
  | { readonly kind: 'done'; readonly output: Jobs[JobKind]['output'] }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure }
  /** The job goes on, and other workers are to help with it. */
  | { readonly kind: 'call'; readonly input: AssistInput }

export interface WorkerFailure {
  /** `model`: somebody's rules are wrong, and the message says how. `internal`: Cowherd is. */
  readonly kind: 'model' | 'internal'
  readonly message: string
}
