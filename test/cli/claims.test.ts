import { describe, expect, it } from 'vitest'
import { cowherd, looksLikeStack, scratch } from './cowherd.ts'

const { write } = scratch()

/** A claim about the suite, with what is to be said of it. */
function claim(test: string, design: string, expected: string): string {
  return `section: Mine
about: What I think.
claims:
  - id: mine
    by: me
    when: today
    where: here
    claim: Two processes that write see their own.
    cases:
      - {if: they write, test: ${test}, design: ${design}, asks: {verdict: [right]}}
    expected: ${expected}
    comment: So they do.
    inverted: {case: 1, with: [copy-never]}
`
}

const good = write('good.yaml', claim('both-write', 'v5.19', 'holds'))

describe.concurrent('cowherd claims', () => {
  it('decides the claims of a person', async () => {
    const { code, stdout, stderr } = await cowherd(['claims', '--file', good])
    expect(stdout).toContain('→ holds within bound')
    expect(stdout).toContain('✓ if they write: right')
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('prints JSON', async () => {
    const { code, stdout } = await cowherd(['claims', '--file', good, '--json'])
    expect(JSON.parse(stdout)[0].claims[0]).toMatchObject({ id: 'mine', decision: 'holds', asExpected: true })
    expect(code).toBe(0)
  })

  it('shows the run that decides, and what was expected otherwise', async () => {
    const wrong = write('wrong.yaml', claim('vmsplice-child', 'v5.7', 'holds'))
    const { code, stdout } = await cowherd(['claims', '--file', wrong, '--verbose'])
    expect(stdout).toContain('→ refuted')
    expect(stdout).toContain('! expected: holds')
    expect(stdout).toContain('do_wp_page: mapcount is 1, so page A is reused')
    expect(stdout).toContain('cowherd show vmsplice-child --design v5.7')
    expect(code).toBe(1)
  })

  it('shows the run of one case in full, where no other command could', async () => {
    const id = 'too-much-breaks-references-too-little-leaks'
    const listed = await cowherd(['claims', id, '--verbose'])
    const command = `cowherd claims ${id} --case 2 --full`
    const text = listed.stdout.replace(/\s+/g, ' ')
    expect(text).toContain(`in full: ${command}`)
    const { code, stdout, stderr } = await cowherd(command.split(' ').slice(1))
    expect(stdout).toContain('no write fault copies')
    const steps = Number(/(\d+) steps; in full: cowherd claims \S+ --case 2/.exec(text)?.[1])
    const numbers = [...stdout.matchAll(/^ *(\d+) /gm)].map(([, number]) => Number(number))
    expect(numbers).toEqual(Array.from({ length: steps }, (_, i) => i + 1))
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('says so if a case comes out otherwise than it was to', async () => {
    const text = claim('both-write', 'v5.19', 'holds').replace('[right]}}', '[right]}, holds: false}')
    const { code, stdout } = await cowherd(['claims', '--file', write('flipped.yaml', text)])
    expect(stdout).toContain('! expected to be false')
    expect(stdout).toContain('mine: case 1 is true, expected to be false')
    expect(code).toBe(1)
  })

  it.each([
    [['--case', '1'], '"--case" is about one claim'],
    [['mine', '--case', '2'], 'there is no case 2: claim mine has one case'],
    [['mine', '--case', 'two'], 'Expected the number of a case, from 1.'],
    [['mine', '--full'], '"--full" shows one case'],
  ])('does not take %j of a case', async (args, message) => {
    const { code, stdout, stderr } = await cowherd(['claims', '--file', good, ...args])
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('decides nothing that was not explored', async () => {
    const { code, stdout } = await cowherd(['claims', '--file', good, '--max-states', '50'])
    expect(stdout).toContain('→ not decided: not everything was explored')
    expect(stdout).toContain('? if they write')
    expect(code).toBe(1)
  })

  it.each([
    ['no such test', claim('both-writes', 'v5.19', 'holds'), /claim mine: there is no test "both-writes"/],
    ['no such design', claim('both-write', 'v5.20', 'holds'), /claim mine: unknown design "v5.20"/],
    ['no such decision', claim('both-write', 'v5.19', 'maybe'), /bad-[\w-]+\.yaml:11:15: expected: /],
    ['no YAML', 'section: [', /bad-[\w-]+\.yaml:1:\d+: /],
    ['nothing', '', /bad-[\w-]+\.yaml: this file has no claims/],
  ])('says what is wrong with a file: %s', async (what, text, message) => {
    const file = write(`bad-${what.replaceAll(' ', '-')}.yaml`, text)
    const { code, stdout, stderr } = await cowherd(['claims', '--file', file])
    expect(stderr).toMatch(message)
    expect(looksLikeStack(stderr)).toBe(false)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it.each([[['nosuch']], [['--json', '--markdown']], [['--file', '/no/such.yaml']]])(
    'does not take %j',
    async (args) => {
      const { code, stderr } = await cowherd(['claims', ...args])
      expect(stderr).not.toBe('')
      expect(looksLikeStack(stderr)).toBe(false)
      expect(code).toBe(2)
    },
  )
})

describe.concurrent('a rule that is ours', () => {
  it('is named where a verdict hangs on it, with what the alternative gives', async () => {
    const { stdout } = await cowherd([
      'check',
      'suite/swap/swap-vmsplice-child.litmus',
      '-d',
      'torvalds,v5.16',
    ])
    expect(stdout).toMatch(/This hangs on swap_in_exclusive, which is not stated in torvalds and is\s+ours/)
    expect(stdout).toMatch(/the verdict is:\s+right/)
    expect(stdout).toMatch(/MISSED° +MISSED/)
  })

  it('is told by show and by designs, too', async () => {
    const shown = await cowherd(['show', 'swap-vmsplice-child', '--design', 'torvalds'])
    expect(shown.stdout).toContain('This hangs on swap_in_exclusive')
    const told = await cowherd(['designs', 'torvalds'])
    expect(told.stdout).toContain('Rules that its author never stated, and that are ours:')
  })
})
