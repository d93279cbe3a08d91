import { LitmusError } from '../../src/litmus/diagnostic.ts'
import { parse } from '../../src/litmus/parse.ts'

/** The rendered complaints about a source that is not a test. Fails if it is one after all. */
export function rejected(source: string, fileName = 't.litmus'): string {
  try {
    parse(source, fileName)
  } catch (error) {
    if (error instanceof LitmusError) return error.message
    throw error
  }
  throw new Error(`this parsed, and should not have:\n${source}`)
}
