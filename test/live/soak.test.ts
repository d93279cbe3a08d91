/** A short soak. `npm run soak -- 60` goes on for an hour, under every design. */
import { describe, expect, inject, it } from 'vitest'
import { type Soaked, soakProcesses, soakTerminated, soakThreads } from './soak.ts'

if (!inject('built')) throw new Error('the sources cannot be built, so there is nothing to test')

const SHORT = { seed: 7, milliseconds: 2_000, least: 150 }

function expectClean({ wrong, statistics }: Soaked): void {
  expect(wrong).toEqual([])
  // Otherwise it was no soak.
  const { copies, swapIns, swapOuts, forks, faults } = statistics
  expect(Math.min(copies, swapIns, swapOuts, forks, faults)).toBeGreaterThan(0)
}

it.each(['v5.7', 'v5.11', 'torvalds', 'v5.19'])(
  'random programs under %s see their own bytes and leave no count wrong',
  { timeout: 180_000 },
  async (design) => expectClean(await soakProcesses({ ...SHORT, design })),
)

it.each(['v5.18', 'v5.19', 'v6.12'])(
  'several workers in one process under %s lose no byte',
  { timeout: 180_000 },
  async (design) => expectClean(await soakThreads({ ...SHORT, design })),
)

describe('a worker that is terminated', () => {
  it('leaves a memory that is whole, or one that says that it is not', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round++) {
      const soak = { design: 'v5.19', seed: round + 1, milliseconds: 700, least: 0 }
      const { wrong } = await soakTerminated(soak, 250 + 17 * round)
      expect(wrong).toEqual([])
    }
  })
})
