import { createHash } from 'node:crypto'
import type { Yardstick } from '../../src/check/index.ts'

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

/** What a yardstick says, outcome by outcome. */
export function explanationsOf({ explanations }: Yardstick): string {
  const lines = [...explanations].map(([outcome, sets]) => {
    const texts = sets.map((set) => JSON.stringify(set))
    return `${outcome} ${texts.sort()}`
  })
  return lines.sort().join('\n')
}
