/** `cowherd coverage` and `cowherd history`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { DESIGNS } from '../../src/designs/index.ts'
import type { HistoryReport } from '../../src/report/history.ts'
import type { CoverageReport } from '../../src/report/unreached.ts'
import { cowherd, type Ended, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)

/** The functions that are declared at the top of the files of a folder, by file and name. */
function declared(path: string): string[] {
  return readdirSync(join(ROOT, path)).flatMap((file) => {
    const text = readFileSync(join(ROOT, path, file), 'utf8')
    return ts
      .createSourceFile(file, text, ts.ScriptTarget.Latest)
      .statements.filter((statement) => ts.isFunctionDeclaration(statement))
      .map((statement) => `${path}/${file} ${statement.name!.text}`)
  })
}

describe('cowherd coverage', () => {
  let report: CoverageReport
  let ended: Ended

  beforeAll(async () => {
    ended = await cowherd(['coverage', leak, '--json'])
    report = JSON.parse(ended.stdout)
  }, 120_000)

  function functionNamed(name: string): CoverageReport['functions'][number] {
    return report.functions.find((found) => found.name === name)!
  }

  it('knows every function of the paths and the designs', () => {
    const known = new Set(report.functions.map(({ source, name }) => `${source} ${name}`))
    const missing = [...declared('src/mm'), ...declared('src/designs')].filter((one) => !known.has(one))
    // What only tests call is no part of the program.
    expect(missing).toEqual([
      'src/mm/invariants.ts exclusivityHolds',
      'src/mm/invariants.ts swappedElsewhere',
    ])
  })

  it('tells what was called and what was not', () => {
    for (const name of ['do_wp_page', 'copy_pte_range', 'only_mapping', 'add_new_anon_rmap', 'layLedger']) {
      expect(functionNamed(name)).toMatchObject({ name, called: true })
    }
    for (const name of ['do_swap_page', 'ksmd', 'device_write', 'mprotect_fixup', 'count_one_copy']) {
      expect(functionNamed(name)).toMatchObject({ name, called: false, untaken: [] })
    }
  })

  it('tells which branches were not taken, by their lines', () => {
    const { source, untaken } = functionNamed('zap_pte_range')
    const lines = readFileSync(join(ROOT, source), 'utf8').split('\n')
    expect(untaken.map(({ text }) => text)).toContain('if (is_swap_pte(old)) {')
    for (const { line, text } of untaken) expect(lines[line - 1]!.trim()).toBe(text)
    // The child unmaps its page: that branch was taken.
    expect(functionNamed('do_munmap').untaken.map(({ text }) => text)).toEqual([
      'yield* mmap_lock.writeUnlock()',
    ])
  })

  it('tells which rules were never asked', () => {
    const { rules } = report.unasked.find(({ design }) => design === 'v5.7')!
    expect(rules).toContain('swap_in_exclusive')
    expect(rules).not.toContain('wp_can_reuse')
    expect(rules).not.toContain('gup_must_unshare')
  })

  it('tells which questions had one answer', () => {
    const found = report.oneWay.find(({ procedure, step }) => procedure === 'do_munmap' && step === 2)
    expect(found).toMatchObject({ effect: 'test', answers: [0] })
    expect(report.oneWay.filter(({ effect }) => effect === 'read')).toEqual([])
  })

  it('ends well, and says how much it saw', async () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(report).toMatchObject({ tests: 1, bounded: 0 })
    expect(report.designs).toHaveLength(DESIGNS.length)
  })

  it('prints it for people, within the width', async () => {
    const { stdout, code } = await cowherd(['coverage', leak, '--design', 'v5.7', '--max-states', '50'])
    expect(stdout).toMatch(/^Never called: \d+ of \d+ functions\n {2}src\/mm\//)
    expect(stdout).toMatch(/^Never taken: \d+ branches of functions that were called/m)
    expect(stdout).toMatch(/\n1 test under v5\.7, \d+ states; 1 explorations were not complete/)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(code).toBe(0)
  })

  it("looks into a person's own design", async () => {
    const design = write(
      'careful.ts',
      `import { extend, v5_7, call, type Kernel, type Steps, type WpFault } from 'cowherd'
export default extend(v5_7, {
  name: 'careful', title: 'careful', belief: '', sources: [], because: {},
  rules: { *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<'reuse' | 'copy' | 'retry'> {
    if (yield* k.page[pfn]!.refcount.is(1)) {
      return 'reuse'
    }
    return 'copy'
  } },
})
`.replace('call, ', ''),
    )
    const { stdout, code } = await cowherd(['coverage', leak, '--design', design, '--json'])
    expect(code).toBe(0)
    const own = (JSON.parse(stdout) as CoverageReport).functions.find(({ source }) =>
      source.includes('careful'),
    )
    expect(own).toMatchObject({
      called: true,
      untaken: [{ line: 6, text: "return 'reuse'" }],
    })
  })

  it.each([[['no-such-folder']], [['--design', 'v5.6']], [[leak, '--jobs', '0']]])(
    'does not take %j',
    async (args) => {
      const { code, stdout, stderr } = await cowherd(['coverage', ...args], { cwd: folder })
      expect(stderr).not.toBe('')
      expect(looksLikeStack(stderr)).toBe(false)
      expect([stdout, code]).toEqual(['', 2])
    },
  )
})

describe.concurrent('cowherd history', () => {
  it('says when nothing is remembered in vain', async () => {
    const { stdout, code } = await cowherd(['history', leak, '--design', 'v5.7,v5.9'])
    expect(stdout).toBe(
      'Of 129 states in 2 cells, 0 (0.0 %) differ from another one only in what some\nthread remembers and never uses again.\n',
    )
    expect(code).toBe(0)
  })

  it('finds a rule that asks too much, and says which', async () => {
    const design = write(
      'talkative.ts',
      `import { extend, v5_7, type Kernel, type Steps, type WpFault } from 'cowherd'
export default extend(v5_7, {
  name: 'talkative', title: 'talkative', belief: '', sources: [], because: {},
  rules: { *wp_can_reuse(k: Kernel, vmf: WpFault, pfn: number): Steps<'reuse' | 'copy' | 'retry'> {
    yield* k.page[pfn]!.refcount.read()
    return (yield* k.page[pfn]!.mapcount.is(1)) ? 'reuse' : 'copy'
  } },
})
`,
    )
    const file = write(
      'busy.litmus',
      'test busy\npage x = 0\nprocess a { fork b; x = 1 }\nprocess b { pin p = x for read, get; release p }\n',
    )
    const { stdout, code } = await cowherd(['history', file, '--design', design, '--json'])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as HistoryReport
    expect(report.folded).toBeLessThan(report.states)
    const cause = report.causes.find(({ procedure }) => procedure === 'wp_can_reuse')!
    expect(cause).toMatchObject({ what: 'step 1, the answer of read', test: 'busy' })
    expect(cause.example).toMatch(/^read\(page 1\.refcount\) answered \d or \d$/)
    const people = await cowherd(['history', file, '--design', design, '--top', '1'])
    expect(people.stdout).toMatch(/^Of [\d,]+ states in 1 cell, [\d,]+ \(\d+\.\d %\) differ/)
    expect(people.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
