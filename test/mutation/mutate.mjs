// `npm run mutate`: Stryker, with the mutations in mutators.mjs added to its own. It has no
// plugin for them, so they go into the list that its instrumenter reads; hence its version is pinned.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { StrykerCli } from '@stryker-mutator/core'
import { stepOrder, stepRemoval } from './mutators.mjs'

const core = createRequire(import.meta.resolve('@stryker-mutator/core'))
const list = join(dirname(core.resolve('@stryker-mutator/instrumenter')), 'mutators', 'index.js')
const { allMutators } = await import(pathToFileURL(list).href)
allMutators.push(stepRemoval, stepOrder)

const [node, script, ...rest] = process.argv
new StrykerCli([node, script, 'run', 'test/mutation/stryker.config.mjs', ...rest]).run()
