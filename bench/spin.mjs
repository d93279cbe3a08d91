// Compares the engine with SPIN on the same states:
//
//   node bench/spin.mjs [model …]   how fast both are (bench/spin.ts)
//   node bench/spin.mjs --table     all cells of the suite that are small enough (bench/spin_table.ts)

import { run } from './run.mjs'

const [first, ...rest] = process.argv.slice(2)
if (first === '--table') await run('spin_table', rest)
else await run('spin', process.argv.slice(2))
