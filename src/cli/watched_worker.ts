/**
 * A worker whose source is watched (`source_coverage.ts`) from before any of it is loaded: V8 tells of functions that
 * were never called only if it has seen the module that they are in being loaded.
 */
import { watchSource } from './source_coverage.ts'

watchSource()
await import('./worker.ts')
