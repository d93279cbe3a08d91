/** docs/spin.md: for each test and design that SPIN has searched, how many states it counted. */
import { basename, dirname } from 'node:path'
import { DESIGNS } from '../../src/designs/index.ts'
import { count } from '../../src/report/count.ts'
import { corpus } from './corpus.ts'
import { MANAGEABLE } from './small_program.ts'

/** The states that SPIN stored; or why it was not asked: the program is too large, or time was up. */
export type SpinCell = number | 'too large' | 'not asked'

/** By folder and test, then by design. */
export type SpinTable = ReadonlyMap<string, ReadonlyMap<string, SpinCell>>

/** `fork-race/fast-pin` for a file of the suite. */
export function rowName(file: string): string {
  return `${basename(dirname(file))}/${basename(file, '.litmus')}`
}

const MARKS = { 'too large': '·', 'not asked': '?' } as const

/** The page. */
export function spinPage(table: SpinTable): string {
  const cells = [...table.values()].flatMap((row) => [...row.values()])
  const numbers = cells.filter((cell) => typeof cell === 'number')
  const unasked = cells.filter((cell) => cell === 'not asked').length
  const large = cells.length - numbers.length - unasked
  const states = numbers.reduce((sum, cell) => sum + cell, 0)
  const lines = [
    ...INTRODUCTION,
    `${count(numbers.length)} of ${count(cells.length)} cells, ${count(states)} states; ${count(large)} cells are too large, ${count(unasked)} have not been asked about.`,
  ]
  const folders = [...new Set([...table.keys()].map((name) => dirname(name)))]
  for (const folder of folders) {
    lines.push(
      '',
      `## ${folder}`,
      '',
      `| test | ${DESIGNS.map(({ name }) => name).join(' | ')} |`,
      `|---|${DESIGNS.map(() => '--:|').join('')}`,
    )
    for (const [name, row] of table) {
      if (dirname(name) !== folder) continue
      const shown = DESIGNS.map((design) => {
        const cell = row.get(design.name) ?? 'not asked'
        return typeof cell === 'number' ? count(cell) : MARKS[cell]
      })
      lines.push(`| ${basename(name)} | ${shown.join(' | ')} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The table of a page. */
export function readSpinPage(page: string): SpinTable {
  const table = new Map<string, Map<string, SpinCell>>()
  let folder = ''
  let designs: string[] = []
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) folder = line.slice(3)
    if (!line.startsWith('| ')) continue
    const [name, ...cells] = line.slice(2, -2).split(' | ')
    if (name === 'test') designs = cells
    else {
      table.set(`${folder}/${name}`, new Map(designs.map((design, i) => [design, cellFrom(cells[i]!)])))
    }
  }
  return table
}

function cellFrom(text: string): SpinCell {
  if (text === MARKS['too large']) return 'too large'
  return text === MARKS['not asked'] ? 'not asked' : Number(text.replaceAll(',', ''))
}

/** The tests of the suite by their rows' names, in the order of the page. */
export function suiteRows(folder?: string): Map<string, ReturnType<typeof corpus>[number]['test']> {
  return new Map(corpus(folder).map(({ file, test }) => [rowName(file), test]))
}

const INTRODUCTION = [
  '# The engine beside SPIN',
  '',
  'For each test of the suite under each design, `cowherd export` writes a Promela program (see `docs/export.md`), and',
  '[SPIN](https://spinroot.com) searches it: every state, no partial-order reduction. A number below is how many states',
  'SPIN stored. The engine counted the same states and the same transitions, and both agree on whether there is a deadlock',
  'or a failure; a cell in which they did not agree would have stopped the program that writes this page:',
  '',
  '```',
  'npm run spin-table',
  '```',
  '',
  'It needs SPIN and a C compiler, `tcc` if it is there, since most of the time goes into compiling, else `gcc`.',
  'It remembers in `reports/spin.json` what SPIN has said of a program, and asks again only about a program that is new;',
  '`npm run spin-table -- --minutes 30` stops asking after half an hour, and marks what is left with ?.',
  `Cells marked ${MARKS['too large']} are too large for it: more than ${count(MANAGEABLE.states)} states, or a program of more than ${count(MANAGEABLE.characters)}`,
  'characters. `npm test` asks SPIN anew about two cells of each test, with the conditions of the test, and',
  'compares every number on this page with what the engine counts now.',
  '',
]
