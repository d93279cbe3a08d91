/** A person's own design, imported in a worker once it is bundled, and what is wrong with it. */
import { SourceMap } from 'node:module'
import { dirname, join } from 'node:path'
import { type Design, NO_RULES } from '../designs/index.ts'
import type { DesignFile } from './protocol.ts'

/** Something is wrong with a person's design; the message says what, in words for that person. */
export class DesignError extends Error {
  override readonly name = 'DesignError'
}

/** The library that `import … from 'cowherd'` must mean: the very modules that this program runs on. */
export const LIBRARY = new URL('./index.js', import.meta.url).href

/** How the URL begins that a bundled design is imported from, and with it its places in a stack. */
export const OWN_CODE = 'data:text/javascript;base64,'

/** Imports a bundled design and looks whether it is one. */
export async function designFrom(source: DesignFile): Promise<Design> {
  const { file, code } = source
  let module: { readonly default?: unknown }
  try {
    module = await import(`${OWN_CODE}${Buffer.from(code).toString('base64')}`)
  } catch (error) {
    throw new DesignError(`${file} cannot be loaded: ${explain(error, source)}`)
  }
  const complaints = complaintsAbout(module.default)
  if (complaints.length > 0) {
    throw new DesignError(`${file} is not a design:\n${complaints.map((line) => `  ${line}`).join('\n')}`)
  }
  return module.default as Design
}

/**
 * What a person's own code threw, and where in that person's files, as far as the stack tells.
 * @param message in place of the error's own
 */
export function explain(error: unknown, { file, map }: DesignFile, message?: string): string {
  if (!(error instanceof Error)) return message ?? `it threw ${String(error)}`
  const kind = error.name === 'Error' ? '' : `${error.name}: `
  const text = message ?? `${kind}${error.message}`
  // The code is imported from a data: URL, and that is how the stack names it.
  const at = /data:text\/javascript;base64,[^\s:]*:(\d+):(\d+)/.exec(error.stack ?? '')
  if (at === null) return text.replaceAll(LIBRARY, 'cowherd')
  const entry = new SourceMap(JSON.parse(map)).findEntry(Number(at[1]) - 1, Number(at[2]) - 1)
  if (!('originalSource' in entry)) return text
  return `${text} (${join(dirname(file), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1})`
}

/** The names that a design may have: as those in an `expect` line and on the command line. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/

/** What keeps a value from being a design, in words. */
function complaintsAbout(value: unknown): string[] {
  if (value === undefined) return ['it has no default export; end it with "export default extend(…)"']
  if (typeof value !== 'object' || value === null) {
    return [`its default export is a ${typeof value}, not a design; "extend(v5_19, { … })" makes one`]
  }
  const design = value as Record<string, unknown>
  const complaints: string[] = []
  for (const field of ['name', 'title', 'belief']) {
    if (typeof design[field] !== 'string')
      complaints.push(`${field} is ${missing(design[field])}, not a text`)
  }
  if (typeof design.name === 'string' && (!NAME.test(design.name) || design.name === 'all')) {
    complaints.push(
      `name "${design.name}" cannot be used: letters, digits, ".", "_", "+" and "-", and not "all"`,
    )
  }
  if (!Array.isArray(design.sources) || !design.sources.every(isSource)) {
    complaints.push(`sources is ${missing(design.sources)}, not a list of { what, where }; [] is one`)
  }
  if (typeof design.because !== 'object' || design.because === null) {
    complaints.push(`because is ${missing(design.because)}, not an object; {} is one`)
  }
  if (typeof design.promises !== 'function') {
    complaints.push(
      `promises is ${missing(design.promises)}, not a function of a reference and a circumstance`,
    )
  }
  return [...complaints, ...complaintsAboutRules(design.rules)]
}

function complaintsAboutRules(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`rules is ${missing(value)}, not an object`]
  const rules = value as Record<string, unknown>
  const complaints = Object.entries(NO_RULES)
    .filter(([name, base]) => typeof rules[name] !== typeof base)
    .map(([name, base]) => `rules.${name} is ${missing(rules[name])}, not a ${typeof base}`)
  for (const [name, base] of Object.entries(NO_RULES)) {
    if (isGenerator(base) && typeof rules[name] === 'function' && !isGenerator(rules[name])) {
      complaints.push(
        `rules.${name} is no generator function; write it with a star, as in "*${name}(…) { … }", and call others with "yield*"`,
      )
    }
  }
  for (const name of Object.keys(rules)) {
    if (!(name in NO_RULES) && name !== 'hooks') {
      complaints.push(`rules.${name} is no rule; the rules are ${Object.keys(NO_RULES).join(', ')}`)
    }
  }
  return complaints
}

const GeneratorFunction = Object.getPrototypeOf(NO_RULES.wp_can_reuse).constructor as new () => unknown

function isGenerator(value: unknown): boolean {
  return value instanceof GeneratorFunction
}

function isSource(value: unknown): boolean {
  const { what, where } = (value ?? {}) as Record<string, unknown>
  return typeof what === 'string' && typeof where === 'string'
}

function missing(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return `a ${typeof value}`
}
