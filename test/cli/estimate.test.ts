/** `cowherd estimate`: numbers of states before anything is explored. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const { write } = scratch()
const leak = write('leak.litmus', LEAK)
const large = fileURLToPath(new URL('../../suite-large/swap-write-pipe-kswapd.litmus', import.meta.url))

describe.concurrent('cowherd estimate', () => {
  it('counts what is small', async () => {
    const args = [leak, 'vmsplice-child']
    const { code, stdout, stderr } = await cowherd(['estimate', ...args, '--design', 'v5.7,v5.19'])
    const counted = await cowherd(['check', ...args, '--design', 'v5.7,v5.19', '--json'])
    const tests: { name: string; cells: { design: string; states: number }[] }[] = JSON.parse(
      counted.stdout,
    ).tests
    const cells = tests.flatMap(({ name, cells }) => cells.map((cell) => ({ ...cell, test: name })))
    expect(stderr).toBe('')
    expect(stdout.trimEnd().split('\n').slice(0, -1)).toHaveLength(4)
    for (const { test, design, states } of cells) {
      expect(stdout).toMatch(new RegExp(`^${test} +${design} +${states} states$`, 'm'))
    }
    const sum = cells.reduce((sum, { states }) => sum + states, 0)
    expect(stdout).toContain(`\nIn all ${sum} states.\n`)
    expect(code).toBe(0)
  })

  it('guesses what is large, with the number of states in the range', async () => {
    const args = ['estimate', large, '--design', 'v5.19', '--max-states', '60,000']
    const [said, json] = await Promise.all([cowherd(args), cowherd([...args, '--json'])])
    expect(said.stdout).toMatch(/^swap-write-pipe-kswapd {2}v5.19 {2}about [\d,]+–[\d,]+ states\n$/)
    const [found] = JSON.parse(json.stdout).explorations
    expect(found).toMatchObject({ test: 'swap-write-pipe-kswapd', design: 'v5.19', exact: false })
    expect(found.states.least).toBeLessThanOrEqual(134_916)
    expect(found.states.most).toBeGreaterThanOrEqual(134_916)
    expect(found.states.least).toBeGreaterThan(60_000)
  })

  it('says what there is at least where too little was looked at', async () => {
    const args = ['estimate', large, '--design', 'v5.19', '--max-states', '100']
    const [said, json] = await Promise.all([cowherd(args), cowherd([...args, '--json'])])
    expect(said.stdout).toMatch(/at least about 100 states\n$/)
    expect(JSON.parse(json.stdout).explorations[0].states).toMatchObject({ most: null })
  })

  it.each([
    [['estimate', 'no-such-test'], 'no-such-test'],
    [['estimate', leak, '--design', 'v5.99'], 'unknown design "v5.99"'],
    [['estimate', leak, '--max-states', '1e9'], '268,435,456'],
    [['check', leak, '--max-states', '300,000,000'], '268,435,456'],
  ])('does not take %j', async (args, message) => {
    const { code, stdout, stderr } = await cowherd(args)
    expect(stderr).toContain(message)
    expect(looksLikeStack(stderr)).toBe(false)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('tells of a design that cannot be explored, and goes on with the others', async () => {
    const design = write(
      'throws.ts',
      `import { extend, v5_19 } from 'cowherd'
export default extend(v5_19, { name: 'throws', title: 'throws', belief: 'none', sources: [], because: {},
  rules: { hooks: { layout: () => { throw new Error('not today') } } } })`,
    )
    const args = ['estimate', leak, '--design', `${design},v5.7`]
    const [said, json] = await Promise.all([cowherd(args), cowherd([...args, '--json'])])
    expect(said.stdout).toMatch(/^leak {2}\S+throws.ts {2}cannot be explored: .*not today/)
    expect(said.stdout).toMatch(/^leak {2}v5.7 +59 states$/m)
    expect(said.stdout).toContain('\nIn all 59 states.\n')
    expect(looksLikeStack(said.stdout + said.stderr)).toBe(false)
    expect(said.code).toBe(2)
    const { explorations } = JSON.parse(json.stdout)
    expect(explorations).toHaveLength(2)
    expect(explorations[0]).toMatchObject({ test: 'leak', file: leak, design, error: expect.any(String) })
  })

  it('asks a design that never comes back once', async () => {
    const endless = write(
      'endless.ts',
      `import { extend, v5_19 } from 'cowherd'
export default extend(v5_19, { name: 'endless', title: 'endless', belief: 'none', sources: [], because: {},
  rules: { hooks: { layout: () => { for (;;) {} } } } })`,
    )
    const { code, stdout } = await cowherd(['estimate', 'suite/leak', '--design', endless, '--jobs', '1'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) expect(line).toContain('cannot be explored: layout')
    expect(code).toBe(2)
  })

  it('names two tests of the same name by their files', async () => {
    const twin = write('twin.litmus', LEAK)
    const { stdout } = await cowherd(['estimate', leak, twin, '--design', 'v5.7'])
    expect(stdout).toContain(`${leak}  v5.7  59 states\n${twin}  v5.7  59 states\n`)
  })
})
