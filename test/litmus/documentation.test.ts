// docs/language.md tells the truth: its examples parse, its errors are the ones given, its limits are the code's.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ACTORS, FAILURES, VERDICTS } from '../../src/litmus/ast.ts'
import { LIMITS } from '../../src/litmus/limits.ts'
import { parse } from '../../src/litmus/parse.ts'
import { KEYWORDS, STATEMENTS } from '../../src/litmus/vocabulary.ts'
import { rejected } from './rejected.ts'

const manual = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8')

/** The texts of all code blocks that are marked with exactly this. */
function blocks(mark: string): string[] {
  return [...manual.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, info]) => info === mark)
    .map(([, , text]) => text!)
}

describe('the manual', () => {
  it('has four examples, and they are tests without a warning', () => {
    const examples = blocks('litmus').map((source) => parse(source))
    expect(examples.map(({ test }) => test.name)).toEqual([
      'vmsplice-child',
      'device-and-kswapd',
      'device-and-fork',
      'store-and-merge',
    ])
    expect(examples.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  it('shows errors as they are given', () => {
    const wrong = blocks('litmus wrong')
    expect(wrong).toHaveLength(1)
    expect(wrong.map((source) => `${rejected(source, 'first.litmus')}\n`)).toEqual(blocks('text'))
  })

  it('has the limits of the code', () => {
    const rows = [...manual.matchAll(/^\| [^|]*\(`(\w+)`\) \| (\d+) \|$/gm)]
    expect(Object.fromEntries(rows.map(([, name, limit]) => [name, Number(limit)]))).toEqual(LIMITS)
  })

  it('explains each word that an expectation can have, and has it in the grammar', () => {
    const [grammar] = blocks('ebnf')
    for (const word of [...VERDICTS, ...FAILURES, 'holds', 'violated']) {
      expect(manual).toMatch(new RegExp(`^\\| \`${word}\` \\| .+ \\|$`, 'm'))
      expect(grammar).toContain(`"${word}"`)
    }
  })

  it('explains each statement, and has each word of the language in the grammar', () => {
    const [grammar] = blocks('ebnf')
    for (const word of STATEMENTS) expect(manual).toMatch(new RegExp(`^\\| \`${word}[ \`].+ \\|$`, 'm'))
    for (const word of KEYWORDS) expect(grammar).toContain(`"${word}"`)
  })

  it('has actors in a fragment that parse in a test', () => {
    const fragments = blocks('').filter((text) => text.startsWith('actor '))
    expect(fragments).toHaveLength(1)
    const { test, warnings } = parse(
      `test t\npage x = 0\npage buf = 0\n${fragments.join('')}process p { x = 1 }`,
    )
    expect(test.actors.map(({ kind }) => kind)).toEqual([...ACTORS])
    expect(warnings).toEqual([])
  })

  it('has conditions and expectations in its fragments that parse in a test', () => {
    const pages = 'test t\npage x = 0\npage buf: a = 0, flag = 0\nprocess parent { fork child; fork server\n'
    const parts = 'pin p = buf for read, get }\nprocess child { r0 = x }\nprocess server { r0 = x }\n'
    const fragments = blocks('').filter((text) => /^(never|expect) /.test(text))
    expect(fragments).toHaveLength(2)
    const { test, warnings } = parse(`${pages}${parts}${fragments.join('')}`)
    expect(test.conditions).toHaveLength(3)
    expect(test.expectations).toHaveLength(3)
    expect(warnings).toEqual([])
  })

  it('links only to its own headings', () => {
    const anchor = (heading: string): string =>
      heading
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-')
    const headings = [...manual.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!))
    const links = [...manual.matchAll(/\]\(#([^)]+)\)/g)].map(([, target]) => target!)
    expect(links.filter((target) => !headings.includes(target))).toEqual([])
  })
})
