/** Reading claims from YAML, with errors that say what is wrong and where. */
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { type Section, section } from './claim.ts'
import { ClaimsError } from './error.ts'

/**
 * Reads one section of claims.
 * @throws ClaimsError with every mistake, each on a line of its own
 */
export function readSection(text: string, file: string): Section {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    throw new ClaimsError(document.errors.map(({ pos, message }) => `${at(pos[0])}: ${message}`).join('\n'))
  }
  if (document.contents === null) {
    throw new ClaimsError(`${file}: this file has no claims; expected "section", "about" and "claims"`)
  }
  const parsed = section.safeParse(document.toJS())
  if (!parsed.success) {
    const where = (path: readonly PropertyKey[]): string => {
      // The place itself may be missing: then what it is missing in.
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true)
        if (isNode(node) && node.range) return at(node.range[0])
      }
      return at(0)
    }
    throw new ClaimsError(
      parsed.error.issues.map((issue) => `${where(issue.path)}: ${meaning(issue)}`).join('\n'),
    )
  }
  const seen = new Set<string>()
  for (const { id } of parsed.data.claims) {
    if (seen.has(id)) throw new ClaimsError(`${file}: two claims are called "${id}"`)
    seen.add(id)
  }
  return parsed.data
}

function meaning({ path, message }: z.core.$ZodIssue): string {
  const field = path.filter((part) => typeof part === 'string').at(-1)
  return field === undefined ? message : `${String(field)}: ${message}`
}
