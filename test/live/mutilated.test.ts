// What the comparison is worth: break the live side, or the engine's, and it must come out.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { checkCell, runTest, yardstickOf } from '../../src/check/index.ts'
import { designNamed } from '../../src/designs/index.ts'
import { cellReport } from '../../src/report/json.ts'
import { liveReport, renderLive } from '../../src/report/live.ts'
import { corpus } from '../suite/corpus.ts'
import { allowedBy, forbidden, newCrew, runLive } from './crew.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(root, 'node_modules', '.mutilated-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Mutilation {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const MUTILATIONS: readonly Mutilation[] = [
  {
    what: 'locks of locations that do not lock',
    file: 'src/live/transaction.ts',
    from: 'Atomics.compareExchange(version, location, before, before + 1) === before',
    to: 'true',
  },
  {
    what: 'no second look at what was read',
    file: 'src/live/transaction.ts',
    from: 'if (own !== this.seen[i]) return false',
    to: 'continue',
  },
  {
    what: 'nobody wakes those who sleep',
    file: 'src/live/transaction.ts',
    from: 'let mask = Atomics.exchange(waiters, location, 0)',
    to: 'let mask = 0',
  },
  {
    what: 'page-table locks, page locks and mutexes that do not lock',
    file: 'src/engine/layout.ts',
    from: `function lock(view: View, _c: unknown, location: number): Response {
  if (view.get(location) !== 0) return BLOCKED`,
    to: 'function lock(view: View, _c: unknown, location: number): Response {',
  },
  {
    what: 'a TLB flush that leaves the last processor out',
    file: 'src/mm/tlb.ts',
    from: 'for (const cpu of k.mm[mm]!.cpus) yield* k.cpu[cpu]!.tlb[vpn]!.write(PTE_NONE)',
    to: 'for (const cpu of k.mm[mm]!.cpus.slice(0, -1)) yield* k.cpu[cpu]!.tlb[vpn]!.write(PTE_NONE)',
  },
]

/** A worker's program with something broken in it. */
async function mutilated({ file, from, to }: Mutilation, index: number): Promise<URL> {
  const path = join(root, file)
  const contents = readFileSync(path, 'utf8')
  expect(contents.split(from).length, `${file} has what is to be broken once`).toBe(2)
  const outfile = join(folder, `worker${index}.mjs`)
  await build({
    entryPoints: [join(root, 'src/cli/live_worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    keepNames: true,
    plugins: [
      {
        name: 'mutilate',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, (args) =>
            args.path === path ? { contents: contents.replace(from, () => to), loader: 'ts' } : null,
          )
        },
      },
    ],
  })
  return pathToFileURL(outfile)
}

/** Tests in which much races, and what they may do. */
const design = designNamed('v5.19')!
const RACES = corpus()
  .filter(({ test }) =>
    [
      'two-threads-write',
      'three-threads',
      'copy-stale-tlb',
      'stale-tlb',
      'fast-pin',
      'store-races-mprotect',
      'both-write',
    ].includes(test.name),
  )
  .map((one) => ({ one, can: allowedBy(one, design) }))

describe('a broken executor', () => {
  it.each(MUTILATIONS.map((mutilation, index) => ({ ...mutilation, index })))(
    'comes out: $what',
    { timeout: 60_000 },
    async (mutilation) => {
      const crew = newCrew(await mutilated(mutilation, mutilation.index))
      try {
        const found: string[] = []
        const until = Date.now() + 40_000
        for (let seed = 1; found.length === 0 && Date.now() < until; seed++) {
          for (const { one, can } of RACES) {
            if (found.length > 0) break
            found.push(...forbidden(await runLive(crew, one, design, 100, seed), can))
          }
        }
        expect(found).not.toEqual([])
      } finally {
        await crew.close()
      }
    },
  )
})

describe('a broken engine', () => {
  const fastPin = corpus().find(({ test }) => test.name === 'fast-pin')!
  const v5_9 = designNamed('v5.9')!

  it('comes out: one outcome dropped', { timeout: 60_000 }, async () => {
    const { test } = fastPin
    const yardstick = yardstickOf(test)
    const whole = cellReport(checkCell(test, v5_9, yardstick), yardstick, undefined, [])
    const crew = newCrew()
    try {
      const runs = await runLive(crew, fastPin, v5_9, 100)
      expect(liveReport(test, whole, runs, 1).defect).toBe(false)
      const [seen] = runs.outcomes[0]!
      const without = { ...whole, outcomes: whole.outcomes.filter(({ key }) => key !== seen) }
      const report = liveReport(test, without, runs, 1)
      expect(report.defect).toBe(true)
      expect(report.outcomes.filter(({ status }) => status === 'forbidden').map(({ key }) => key)).toEqual([
        seen,
      ])
      const text = renderLive(report, 'cowherd live again', { width: 200, colour: false })
      expect(text).toContain('FORBIDDEN')
      expect(text).toContain('The engine forbids something that happened')
      expect(text).toContain('cowherd live again')
    } finally {
      await crew.close()
    }
  })

  it('comes out: interleavings left out', { timeout: 60_000 }, async () => {
    const one = corpus().find(({ test }) => test.name === 'two-writers')!
    const { exploration, ends } = runTest(one.test, v5_9.rules)
    // A breadth-first exploration that is cut short has not come to the long runs.
    let states = exploration.states
    let some = ends
    while (some.length === ends.length && states > 1) {
      states = Math.floor(states * 0.98)
      some = runTest(one.test, v5_9.rules, { limits: { states } }).ends
    }
    expect(some.length).toBeLessThan(ends.length)
    const can = { outcomes: new Set(some.map(({ outcome }) => outcome.key)), failures: new Set<string>() }
    const crew = newCrew()
    try {
      const found: string[] = []
      for (let seed = 1; found.length === 0 && seed < 100; seed++) {
        found.push(...forbidden(await runLive(crew, one, v5_9, 200, seed), can))
      }
      expect(found).not.toEqual([])
    } finally {
      await crew.close()
    }
  })
})
