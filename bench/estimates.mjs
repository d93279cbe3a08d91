// Measures anew what src/engine/estimate.ts knows, and how often it is right: node bench/estimates.mjs

import { run } from './run.mjs'

await run('estimates', process.argv.slice(2))
