// How a person asks for other searches than breadth-first, and what is then said.

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cowherd, LEAK, scratch } from './cowherd.ts'

const { folder, write } = scratch()
write('leak.litmus', LEAK)
write('known.litmus', `${LEAK.replace('test leak', 'test known')}expect v5.8: right, holds\n`)
/** Under any design, needs the second thread between two steps of the first. */
write(
  'between.litmus',
  `test between
page x = 0
process p {
  thread a { x = 1; r0 = x }
  thread b { x = 2; r1 = x }
}
sometimes p.r0 == 2 and p.r1 == 2
`,
)

async function cell(...args: string[]) {
  const { stdout } = await cowherd(['check', ...args, '--json'], { cwd: folder })
  return JSON.parse(stdout).tests[0].cells[0]
}

describe.concurrent('cowherd check', () => {
  it.each([
    ['--depth-first', ['--depth-first']],
    ['--hash-compaction', ['--hash-compaction']],
    ['--random', ['--random', '7']],
    ['--preemptions', ['--preemptions', '0']],
    ['--reductions merging', ['--reductions', 'merging']],
    ['--reductions all', ['--reductions', 'all']],
  ])('does not take %s with several threads at one thing', async (option, args) => {
    for (const command of ['check', 'show']) {
      const { code, stdout, stderr } = await cowherd(
        [command, 'leak.litmus', '--design', 'v5.7', '--workers', '2', ...args],
        { cwd: folder },
      )
      expect(stderr).toMatch(new RegExp(`${option} is for one thread, so it does not go with --workers 2`))
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(stdout).toBe('')
      expect(code).toBe(2)
    }
  })

  it('claims no more than was seen', async () => {
    const verdictOf = async (...args: string[]): Promise<string> => {
      const { stdout } = await cowherd(['check', 'fast-pin', '--design', 'v5.9', ...args])
      const [, text] = /^Verdict (.*?)^\S/ms.exec(stdout)!
      return text!.replace(/\s+/g, ' ')
    }
    const early = await verdictOf('--max-depth', '20')
    expect(early).toMatch(
      /^right so far \(expected wrong COW, violated .* found right, no condition violated so far/,
    )
    const random = await verdictOf('--random', '1')
    expect(random).toMatch(/^wrong COW so far .* which is what was found, but not everything was looked at/)
  })

  it('comes to the same by any number of threads where there is too little memory for all states', async () => {
    const test = fileURLToPath(new URL('../../bench/tests/1-shared-page.litmus', import.meta.url))
    const args = [test, '--design', 'v5.19', '--max-memory', '2']
    const [one, ...more] = await Promise.all(
      ['1', '2', '3'].map((workers) => cell(...args, '--workers', workers)),
    )
    expect(one).toMatchObject({ exhaustive: true, search: { reductions: ['merging', 'symmetry'] } })
    const timeless = ({ milliseconds: _, ...rest }: Record<string, unknown>) => rest
    for (const other of more) expect(timeless(other)).toEqual(timeless(one))
  })

  it('makes no reductions with several threads at one thing as long as there is room', async () => {
    const test = fileURLToPath(new URL('../../bench/tests/1-shared-page.litmus', import.meta.url))
    const args = [test, '--design', 'v5.19', '--workers', '2', '--max-states', '5_000']
    for (const which of ['auto', 'none']) {
      const { search, bounded } = await cell(...args, '--reductions', which)
      expect(search).toEqual({ mode: 'breadth-first' })
      expect(bounded).toBe('states')
    }
  })

  it('finds the same depth-first', async () => {
    const [wide, deep] = await Promise.all(
      [[], ['--depth-first']].map((mode) => cell('between.litmus', '--design', 'v5.19', ...mode)),
    )
    expect(deep.search).toEqual({ mode: 'depth-first' })
    expect(deep).toMatchObject({ exhaustive: true, bounded: null, notCovered: null })
    for (const field of ['states', 'transitions', 'verdict', 'failures'])
      expect(deep[field]).toEqual(wide[field])
    const keys = (of: { outcomes: { key: string }[] }) => of.outcomes.map(({ key }) => key).sort()
    expect(keys(deep)).toEqual(keys(wide))
    expect(keys(deep).length).toBeGreaterThan(2)
  })

  it('finds the same with hash compaction, and says how sure that is', async () => {
    const [whole, hashed] = await Promise.all(
      [['--reductions', 'none'], ['--hash-compaction']].map((mode) =>
        cell('between.litmus', '--design', 'v5.19', ...mode),
      ),
    )
    const { states } = whole
    expect(hashed.search).toEqual({ mode: 'hash-compaction', chance: (states * (states - 1)) / 2 ** 65 })
    expect(hashed).toMatchObject({
      bounded: null,
      notCovered: expect.stringMatching(/^a chance of at most 1 in 10\^\d+ that a state was missed/),
    })
    for (const field of ['states', 'transitions', 'verdict', 'failures', 'outcomes', 'conditions'])
      expect(hashed[field]).toEqual(whole[field])
    const { stdout } = await cowherd(
      ['check', 'between.litmus', 'leak.litmus', '--design', 'v5.7,v5.19', '--hash-compaction'],
      { cwd: folder },
    )
    expect(stdout).toMatch(/in all, there is a chance of at most 1 in 10\^\d+ that a state was missed/)
  })

  it('says of random runs that they prove nothing, and what repeats them', async () => {
    const args = ['leak.litmus', '--design', 'v5.7', '--random', '7', '--runs', '30', '--max-depth', '100']
    const { code, stdout } = await cowherd(['check', ...args], { cwd: folder })
    expect(stdout).toContain('Outcomes 1 (59 states, 30 random runs of at most 100 steps, seed 7)')
    expect(stdout).toContain('Condition never child.r0 == 1: violated')
    expect(stdout).toContain('not looked at: what any other run does')
    expect(stdout).toContain('cowherd show leak.litmus --design v5.7 --random 7 --runs 30 --max-depth 100')
    expect(code).toBe(1)
    const report = await cell(...args)
    expect(report).toMatchObject({
      exhaustive: false,
      bounded: 'runs',
      notCovered: 'what any other run does',
    })
    expect(report.search).toEqual({ mode: 'random', seed: 7, steps: 100, runs: 30, cut: 0 })
    expect({ ...(await cell(...args)), milliseconds: 0 }).toEqual({ ...report, milliseconds: 0 })
  })

  it('does not take what random runs have not seen for what cannot be', async () => {
    const args = ['known.litmus', '--design', 'v5.8,v5.9', '--random', '7', '--runs', '30']
    const { code, stdout } = await cowherd(['check', ...args], { cwd: folder })
    expect(stdout).toContain('child.r0 == 1 not seen in 30 random runs of at most 1,000 steps, seed 7')
    expect(stdout).toContain('Condition never child.r0 == 1: not decided')
    expect(stdout).toContain('? = only 30 random runs')
    // As with any bound: an expectation that was not looked at to the end is not met.
    expect(code).toBe(1)
    expect((await cell(...args)).conditions[0]).toMatchObject({
      holds: null,
      observation: null,
      decided: false,
    })
  })

  it('looks at runs with few preemptions, and says when they are all', async () => {
    const with_ = (most: string) => cell('between.litmus', '--design', 'v5.19', '--preemptions', most)
    const [none, some, many] = await Promise.all([with_('0'), with_('2'), with_('40')])
    expect(none.conditions[0]).toMatchObject({ holds: null, decided: false })
    expect(none).toMatchObject({ bounded: 'preemptions', notCovered: 'runs with a preemption' })
    expect(none.search).toEqual({ mode: 'preemptions', most: 0, complete: 0 })
    expect(some.states).toBeGreaterThan(none.states)
    expect(many).toMatchObject({ bounded: null, exhaustive: true, notCovered: null })
    expect(many.search.complete).toBeLessThan(40)
    const all = await cell('between.litmus', '--design', 'v5.19')
    expect(many.states).toBe(all.states)
  })

  it.each([
    [['--runs', '5'], '--runs is for random runs: say --random <seed>, too\n'],
    [['--random', '-1'], 'Expected a seed from 0 to 4294967295.'],
    [['--random', '4294967296'], 'Expected a seed from 0 to 4294967295.'],
    [['--preemptions', '1.5'], 'Expected a whole number from 0 to 9007199254740991.'],
    [['--preemptions', '1', '--max-depth', '4'], '--preemptions looks at runs of any length'],
    [['--random', '1', '--preemptions', '2'], 'cannot be used with'],
    [['--depth-first', '--random', '1'], 'cannot be used with'],
    [['--hash-compaction', '--depth-first'], 'cannot be used with'],
    [['--hash-compaction', '--reductions', 'all'], '--reductions all is for a breadth-first search'],
    [['--random', '1', '--reductions', 'merging'], '--reductions merging is for a breadth-first search'],
  ])('does not understand %j', async (args, words) => {
    const { code, stderr } = await cowherd(['check', 'leak.litmus', '--design', 'v5.7', ...args], {
      cwd: folder,
    })
    expect(stderr).toContain(words)
    expect(code).toBe(2)
  })
})

describe.concurrent('cowherd show', () => {
  it.each([
    [['--depth-first'], /run +\d+ steps, there may be shorter ones; all 59 states were explored/],
    [
      ['--random', '2', '--runs', '9'],
      /run +\d+ steps, found in 9 random runs of at most 1,000 steps, seed 2; there/,
    ],
    [
      ['--hash-compaction'],
      /run +\d+ steps, none is shorter; all 59 states\s+were\s+explored,\s+but\s+for\s+a\s+chance\s+of\s+at\s+most\s+1\s+in/,
    ],
    [['--preemptions', '1'], /run +\d+ steps, no preemption, there may be shorter ones; 59 states were/],
    [['--max-depth', '58'], /run +58 steps, none is shorter/],
  ])('claims no more than is known with %j', async (args, words) => {
    const { code, stdout } = await cowherd(['show', 'leak.litmus', '--design', 'v5.7', ...args], {
      cwd: folder,
    })
    expect(stdout).toMatch(words)
    expect(stdout).toContain('child reads 1 through p')
    expect(code).toBe(0)
  })
})
