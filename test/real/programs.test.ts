// Other programs, and what they print.

import { describe, expect, it } from 'vitest'
import { run } from '../../src/real/programs.ts'

describe.runIf(process.platform === 'linux')('what a program prints', () => {
  it('is read as UTF-8, also if a character comes in two pieces', async () => {
    const pieces: string[] = []
    const script = "printf 'a\\303'; sleep 0.3; printf '\\234b'"
    await run('/bin/sh', ['-c', script], { onOutput: (text) => pieces.push(text) })
    expect(pieces).toEqual(['a', 'Üb'])
  })
})
