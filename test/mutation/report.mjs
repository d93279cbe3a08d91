// What came of the mutants: `node test/mutation/report.mjs` lists the survivors, each with its place and
// what was put there; with `--write` the table in docs/mutation.md is renewed as well.

import { readFileSync, writeFileSync } from 'node:fs'

const REPORT = 'reports/mutation/mutation.json'
const PAGE = 'docs/mutation.md'
const MARKER = '<!-- mutation -->'
const COLUMNS = ['tests', 'runs away', 'outcomes', 'copies', 'survives']

const { files } = JSON.parse(readFileSync(REPORT, 'utf8'))
const sorted = Object.entries(files).sort(([a], [b]) => a.localeCompare(b))
const rows = sorted.map(([file, { source, mutants }]) => {
  const counted = mutants.filter(({ status }) => status !== 'Ignored')
  const survivors = counted.filter((mutant) => fateOf(mutant) === 'survives')
  return { file, source, survivors, fates: counted.map(fateOf) }
})

for (const { file, source, survivors } of rows) {
  for (const mutant of survivors) console.log(`${file}:${placeOf(source, mutant)}`)
}
const table = [
  `| file | mutants | ${COLUMNS.join(' | ')} | noticed | seen |`,
  `| --- |${' ---: |'.repeat(COLUMNS.length + 3)}`,
  ...rows.map(({ file, fates }) => line(`\`${file}\``, fates)),
  line(
    'together',
    rows.flatMap(({ fates }) => fates),
  ),
].join('\n')
console.log(`\n${table}`)

if (process.argv.includes('--write')) {
  const [before, , after] = readFileSync(PAGE, 'utf8').split(MARKER)
  writeFileSync(PAGE, `${before}${MARKER}\n${table}\n${MARKER}${after}`)
}

/** Which column a mutant belongs to. cells.ts begins its messages with the question that failed. */
function fateOf({ status, statusReason = '' }) {
  if (status === 'Survived' || status === 'NoCoverage') return 'survives'
  if (status === 'Timeout' || statusReason.startsWith('limit:')) return 'runs away'
  if (/^(outcomes|yardstick):/.test(statusReason)) return 'outcomes'
  if (statusReason.startsWith('copies:')) return 'copies'
  return 'tests'
}

function line(name, fates) {
  const count = (column) => fates.filter((fate) => fate === column).length
  const percent = (part) => (fates.length === 0 ? '' : `${Math.floor((100 * part) / fates.length)} %`)
  const noticed = count('tests') + count('runs away')
  const counts = COLUMNS.map(count)
  return `| ${[name, fates.length, ...counts, percent(noticed), percent(fates.length - count('survives'))].join(' | ')} |`
}

function placeOf(source, { location: { start, end }, mutatorName, replacement, status }) {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const note = status === 'NoCoverage' ? ' (no test gets there)' : ''
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1)
  lines[0] = lines[0].slice(start.column - 1)
  if (mutatorName === 'StepOrder') {
    const moved = firstMoved(lines, replacement)
    return `${start.line + moved} ${mutatorName}${note}: after the next step: ${lines[moved].trim()}`
  }
  return `${start.line} ${mutatorName}${note}: ${brief(lines.join(' '))} → ${brief(replacement)}`
}

/** The line of a block at which its version with two steps exchanged begins to differ. */
function firstMoved(lines, replacement) {
  const bare = (text) => text.replace(/\/\/.*$/gm, '').replace(/[\s;,]/g, '')
  const other = bare(replacement)
  let at = 0
  for (let i = 0; i < lines.length; i++) {
    const part = bare(lines[i])
    if (!other.startsWith(part, at)) return i
    at += part.length
  }
  return 0
}

function brief(text) {
  const short = text.replace(/\s+/g, ' ').trim()
  return short.length > 90 ? `${short.slice(0, 89)}…` : short
}
