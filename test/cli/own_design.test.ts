import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cowherd, LEAK, looksLikeStack, scratch } from './cowherd.ts'

const { folder, write } = scratch()
const leak = write('leak.litmus', LEAK)

/** A design that is v5.19 but for one rule. */
function design(rule: string, before = ''): string {
  return `import { extend, v5_19 } from 'cowherd'
${before}
export default extend(v5_19, {
  name: 'mine', title: 'mine', belief: 'none', sources: [], because: {},
  rules: { ${rule} },
})
`
}

/** What a check with that design says on standard error. */
async function complaint(content: string): Promise<string> {
  const file = `design-${Math.random().toString(36).slice(2)}.ts`
  write(file, content)
  const { code, stderr } = await cowherd(['check', leak, '--design', `./${file}`], { cwd: folder })
  expect(looksLikeStack(stderr)).toBe(false)
  expect(code).toBe(2)
  return stderr.replaceAll(file, 'design.ts')
}

describe.concurrent('a design of one’s own', () => {
  it('breaks what the example says it breaks', async () => {
    const example = fileURLToPath(new URL('../../examples/my-design.ts', import.meta.url))
    const test = `test pinned
page x = 1
process parent { pin p = x for read, pin; fork child; x = 2; r0 = p }
process child { }
always parent.r0 == 2
`
    const file = write('pinned.litmus', test)
    const { code, stdout } = await cowherd(['check', file, '--design', `v5.19,${example}`])
    expect(stdout).toMatch(/^ {2}pinned +ok +WRONG!$/m)
    expect(code).toBe(1)
  })

  it('runs on the same modules as Cowherd does', async () => {
    // The verdict needs the ledgers of promise.ts and the effects of mm, which are known by identity.
    const file = write(
      'seven.ts',
      "import { v5_7 } from 'cowherd'\nexport default { ...v5_7, name: 'seven' }\n",
    )
    const { stdout } = await cowherd(['check', leak, '--design', file, '--json'])
    expect(JSON.parse(stdout).tests[0].cells[0]).toMatchObject({ verdict: 'missed-cow', states: 59 })
  })

  it('may print what it likes without spoiling JSON', async () => {
    const file = write('chatty.ts', `console.log('hello')\n${design('')}`)
    const { stdout, stderr } = await cowherd(['check', leak, '--design', file, '--json'])
    expect(() => JSON.parse(stdout)).not.toThrow()
    expect(stderr).toBe('hello\n')
  })

  it('is shown like any other', async () => {
    const file = write(
      'shown.ts',
      "import { v5_7 } from 'cowherd'\nexport default { ...v5_7, name: 'seven' }\n",
    )
    const { code, stdout } = await cowherd(['show', leak, '--design', file])
    expect(stdout).toContain('leak under seven')
    expect(code).toBe(0)
  })

  it('that is not there', async () => {
    const { code, stderr } = await cowherd(['check', leak, '--design', './nowhere.ts'])
    expect(stderr).toBe('there is no file ./nowhere.ts\n')
    expect(code).toBe(2)
  })

  it('that does not compile', async () => {
    expect(await complaint('export default {\n  name = 1\n}')).toContain('design.ts:2:8: Unexpected "="')
  })

  it('that throws while it is loaded', async () => {
    expect(await complaint('const a = 1\n\nthrow new TypeError("no such thing")\nexport default a')).toBe(
      './design.ts cannot be loaded: TypeError: no such thing (design.ts:3:7)\n',
    )
  })

  it('that asks for what Cowherd does not have', async () => {
    expect(await complaint("import { v9_9 } from 'cowherd'\nexport default v9_9")).toContain(
      "'cowherd' does not provide an export named 'v9_9'",
    )
  })

  it('that is no design', async () => {
    expect(await complaint('export const a = 1')).toContain('it has no default export')
    const said = await complaint(
      "export default { name: 'x y', rules: { wp_can_reuse: 1, wp_can_resue: 2 } }",
    )
    for (const line of [
      'title is missing, not a text',
      'name "x y" cannot be used: letters, digits, ".", "_", "+" and "-", and not "all"',
      'sources is missing, not a list of { what, where }; [] is one',
      'promises is missing, not a function of a reference and a circumstance',
      'rules.wp_can_reuse is a number, not a function',
      'rules.zero_page is missing, not a boolean',
      'rules.wp_can_resue is no rule; the rules are wp_can_reuse, ',
    ]) {
      expect(said).toContain(`\n  ${line}`)
    }
  })

  it('whose rule is an ordinary function', async () => {
    expect(await complaint(design("wp_can_reuse() { return 'reuse' }"))).toContain(
      'rules.wp_can_reuse is no generator function; write it with a star',
    )
  })

  it('that has the name of another', async () => {
    expect(await complaint("import { v5_19 } from 'cowherd'\nexport default { ...v5_19 }")).toBe(
      './design.ts: there is another design of the name "v5.19"; give this one its own\n',
    )
  })

  it('that throws in a rule', async () => {
    expect(await complaint(design("*wp_can_reuse() { throw new Error('boom') }"))).toBe(
      'design ./design.ts: wp_can_reuse threw: boom (design.ts:5:36)\n  in test leak\n',
    )
  })

  it('that throws in a hook', async () => {
    expect(await complaint(design("hooks: { layout() { throw new Error('boom') } }"))).toBe(
      'design ./design.ts: boom (design.ts:5:38)\n  in test leak\n',
    )
  })

  it('with hidden state', async () => {
    const text = design("*wp_can_reuse() { return n++ % 2 ? 'reuse' : 'copy' }", 'let n = 0')
    expect(await complaint(text)).toContain('wp_can_reuse did something else when it was run again')
  })

  it('that ends the process', async () => {
    expect(await complaint(`process.exit(0)\n${design('')}`)).toContain('ended its worker (exit code 0)')
  })

  it('that never comes back from a rule', async () => {
    expect(await complaint(design('*wp_can_reuse() { for (;;) {} }'))).toContain(
      'wp_can_reuse has run for 5 s without performing a step',
    )
  })

  it('that is never loaded', async () => {
    expect(await complaint(`for (;;) {}\n${design('')}`)).toContain('has run for 5 s without being loaded')
  })

  it('whose types are wrong, if somebody wants to know', async () => {
    const file = write('types.ts', design('zero_page: 1'))
    const { code, stderr } = await cowherd(['check', leak, '--design', file, '--typecheck'])
    expect(stderr).toContain("error TS2322: Type 'number' is not assignable to type 'boolean")
    expect(code).toBe(2)
  })
})
