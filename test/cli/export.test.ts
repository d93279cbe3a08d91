/** `cowherd export` in each of its languages, by the schema in docs/export.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import parseDot from 'dotparser'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)
const under = ['export', leak, '--design', 'v5.7']

const changes = z.array(z.tuple([z.int(), z.int(), z.int()]))
const step = { thread: z.int(), operation: z.string(), changes, failure: z.string().nullable() }
const DOCUMENT = z.strictObject({
  format: z.literal('cowherd-graph'),
  version: z.literal(1),
  test: z.string(),
  design: z.string(),
  threads: z.array(z.strictObject({ name: z.string(), daemon: z.boolean() })),
  locations: z.array(z.string()),
  bounded: z.string().nullable(),
  graph: z
    .strictObject({
      states: z.array(
        z.strictObject({
          values: z.array(z.int().min(0).max(255)),
          next: z.array(z.string().nullable()),
          final: z.boolean(),
        }),
      ),
      steps: z.array(z.strictObject({ from: z.int(), to: z.int().nullable(), ...step })),
    })
    .nullable(),
  run: z
    .strictObject({
      to: z.string(),
      verdict: z.string(),
      initial: z.array(z.int()),
      steps: z.array(
        z.strictObject({
          ...step,
          functions: z.array(z.string()),
          reads: z.array(z.tuple([z.int(), z.int()])),
        }),
      ),
    })
    .nullable(),
})

/** Two outcomes, to one of which there are shorter runs. */
const RACE = `test race
page x = 1
process p {
  thread one { dontneed x }
  thread two { r0 = x }
}
`

describe.concurrent('cowherd export', () => {
  it('writes Promela unless it is told otherwise', async () => {
    const { stdout, code } = await cowherd(under)
    expect(stdout).toContain('active proctype')
    expect(code).toBe(0)
  })

  it('writes JSON as documented: all states, and the run to the worst outcome', async () => {
    const { stdout, code } = await cowherd([...under, '--to', 'json'])
    expect(code).toBe(0)
    const { graph, run, threads, locations } = DOCUMENT.parse(JSON.parse(stdout))
    expect(graph!.states).toHaveLength(59)
    expect(run).toMatchObject({ to: 'child.r0=1 parent.x=1 child.p=1', verdict: 'missed-cow' })
    expect(threads.map(({ name }) => name)).toEqual(['parent', 'child'])
    // The run is a path of the graph, and ends where a run can end.
    let state = 0
    for (const { thread, operation, changes } of run!.steps) {
      const next = graph!.steps.find(
        (one) =>
          one.from === state &&
          one.thread === thread &&
          one.operation === operation &&
          JSON.stringify(one.changes) === JSON.stringify(changes),
      )
      state = next!.to!
    }
    expect(graph!.states[state]!.final).toBe(true)
    expect(graph!.states[state]!.values[locations.indexOf('child.r0')]).toBe(1)
  })

  it('describes each field of its JSON', async () => {
    const page = readFileSync(new URL('../../docs/export.md', import.meta.url), 'utf8')
    const { stdout } = await cowherd([...under, '--to', 'json'])
    const document = DOCUMENT.parse(JSON.parse(stdout))
    const fields = [
      document,
      ...[document.threads[0]!, document.graph!, document.run!],
      ...[document.graph!.states[0]!, document.graph!.steps[0]!, document.run!.steps[0]!],
    ].flatMap((part) => Object.keys(part))
    for (const field of new Set(fields)) expect(page).toContain(`\`${field}\``)
  })

  it('writes a run alone, to another outcome if asked', async () => {
    const { stdout } = await cowherd([...under, '--to', 'json', '--run', '--outcome', 'parent.x == 1'])
    const { graph, run } = DOCUMENT.parse(JSON.parse(stdout))
    expect(graph).toBeNull()
    expect(run!.steps).toHaveLength(58)
    const none = await cowherd([...under, '--to', 'dot', '--outcome', 'child.r0=0'])
    expect(none.stderr).toContain('no outcome has child.r0=0; there are:\n  child.r0=1 parent.x=1 child.p=1')
    expect(none.code).toBe(2)
  })

  it('writes DOT, of all states or of a run', async () => {
    const whole = parseDot((await cowherd([...under, '--to', 'dot'])).stdout)[0]!.children
    expect(whole.filter(({ type }) => type === 'node_stmt')).toHaveLength(59)
    const run = parseDot((await cowherd([...under, '--to', 'dot', '--run'])).stdout)[0]!.children
    expect(run.filter(({ type }) => type === 'edge_stmt')).toHaveLength(58)
  })

  it('writes ITF to a file, and says so', async () => {
    const file = join(folder, 'leak.itf.json')
    const { stdout, stderr, code } = await cowherd([...under, '--to', 'itf', '-o', file])
    expect([stdout, code]).toEqual(['', 0])
    expect(stderr).toBe(`Wrote ${file}. It is a trace as Apalache writes them.\n`)
    const { states, '#meta': meta } = JSON.parse(readFileSync(file, 'utf8'))
    expect(states).toHaveLength(59)
    expect(meta.description).toBe('leak under v5.7: child.r0=1 parent.x=1 child.p=1 (missed-cow)')
  })

  it('refuses a graph that is too large, and says how to get it', async () => {
    const { stdout, stderr, code } = await cowherd([...under, '--to', 'dot', '--limit', '58'])
    expect(stderr).toBe(
      `${leak} under v5.7: this graph has 59 states, and more than 58 are only written with --limit 59; a single run is written with --run\n`,
    )
    expect([stdout, code]).toEqual(['', 2])
    expect((await cowherd([...under, '--to', 'dot', '--limit', '59'])).code).toBe(0)
  })

  it('says that a run is only the worst so far where a limit has cut off the rest', async () => {
    const file = write('race.litmus', RACE)
    const limited = ['export', file, '--design', 'v5.19', '--max-depth', '16']
    const written = await cowherd([...limited, '--to', 'itf'])
    expect(written.stderr).toBe('there may be a run to something worse: bounded by depth\n')
    const itf = JSON.parse(written.stdout)
    expect(itf['#meta'].description).toBe('race under v5.19: p.r0=1 p.x=0 (right), so far: bounded by depth')
    const json = DOCUMENT.parse(JSON.parse((await cowherd([...limited, '--to', 'json', '--run'])).stdout))
    expect(json).toMatchObject({ bounded: 'depth', graph: null, run: { to: 'p.r0=1 p.x=0' } })
    const other = await cowherd([...limited, '--to', 'dot', '--outcome', 'p.r0=0'])
    expect(other.stderr).toContain('no outcome has p.r0=0; found so far (bounded by depth):\n  p.r0=1 p.x=0')
    expect(other.code).toBe(2)
  })

  it.each([['itf'], ['dot', '--run'], ['json', '--run']])(
    'does not say of what was cut off that it has no end: --to %s',
    async (...to) => {
      const { stdout, stderr, code } = await cowherd([...under, '--to', ...to, '--max-states', '10'])
      expect(stderr).toBe(`${leak} under v5.7: no outcome was found (bounded by states): allow it more\n`)
      expect([stdout, code]).toEqual(['', 2])
    },
  )

  it.each([
    [['--to', 'promela', '--run']],
    [['--to', 'promela', '--limit', '5']],
    [['--to', 'itf', '--limit', '5']],
    [['--to', 'json', '--limit', '0']],
    [['--to', 'dot', '--max-states', '10']],
    [['--to', 'itf', '--outcome', 'child.r0']],
  ])('does not take %j', async (args) => {
    const { code, stdout, stderr } = await cowherd([...under, ...args])
    expect(stderr).not.toBe('')
    expect(looksLikeStack(stderr)).toBe(false)
    expect([stdout, code]).toEqual(['', 2])
  })
})
