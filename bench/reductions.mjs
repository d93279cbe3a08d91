// What reductions save over the largest tests of the suite: node bench/reductions.mjs

import { run } from './run.mjs'

await run('reductions', process.argv.slice(2))
