// The conditions in an exported program: SPIN finds by itself what the engine finds in the outcomes.
import { describe, expect, it } from 'vitest'
import { runTest } from '../../src/check/index.ts'
import { designNamed } from '../../src/designs/index.ts'
import { conditionHolds, exportPromela, parse } from '../../src/litmus/index.ts'
import { runClaims, spinAvailable } from '../spin.ts'

/** Every kind of term, each with values that it has, may have and never has, also where there is nothing to observe. */
const TERMS = `test terms

page x = 1
page buf: a = 2, b = 3
page gone = 4
zero page z

process parent {
  pin p = x for write, pin
  pin q = buf for read, get
  pin dropped = x for read, pin
  release dropped
  unmap gone
  r0 = gone
  fork child
  p = 5
  x = 6
}

process child {
  fork grandchild
  waitpid grandchild
  x = 7
}

process grandchild {
  r0 = z
  buf.a = 9
  exit
}
`

const COMPARISONS = [
  'parent.r0 == 0',
  'parent.r0 != 0',
  'parent.x == 6',
  'parent.x != 6',
  'parent.gone == 0',
  'parent.gone == 4',
  'parent.gone != 4',
  'parent.z == 0',
  'parent.z != 0',
  'child.x == 7',
  'child.x == 5',
  'child.buf.a == 2',
  'child.buf.b == 9',
  'child.buf.b == 3',
  'grandchild.r0 == 0',
  'grandchild.buf.a == 9',
  'grandchild.buf.a != 9',
  'parent.p == 6',
  'parent.p != 6',
  'parent.q.b == 3',
  'parent.q.b == 2',
  'parent.dropped == 1',
  'parent.dropped != 1',
  'not parent.x == 6',
  'not (parent.x == 6 and child.x == 7) or parent.p == 7',
  'parent.x == 6 and (child.buf.b == 3 or not child.x != 7)',
  'parent.x == 1 or parent.x == 5 or parent.x == 6',
]

function exported(source: string, design: string) {
  const { test } = parse(source, 'terms.litmus')
  const { program, explorer, ends } = runTest(test, designNamed(design)!.rules)
  const outcomes = ends.map(({ outcome }) => outcome)
  return {
    test,
    promela: exportPromela(test, program.kernel, explorer, { design, file: 'my file.pml' }),
    macros: test.conditions.map((_, i) => `CONDITION_${i + 1}`),
    expected: test.conditions.map(
      (condition) => conditionHolds(test, condition, outcomes) === (condition.quantifier === 'sometimes'),
    ),
  }
}

describe.skipIf(!spinAvailable())('SPIN', { concurrent: true }, () => {
  it.each(['v5.7', 'v5.19'])(
    'answers every kind of condition as the engine does: %s',
    { timeout: 1_200_000 },
    async (design) => {
      const conditions = COMPARISONS.map((comparison, i) => {
        const other = i % 2 === 0 ? 'never' : 'sometimes'
        return `always ${comparison}\n${other} ${comparison}\n`
      })
      const { promela, macros, expected } = exported(TERMS + conditions.join(''), design)
      expect(await runClaims(promela, macros)).toEqual(expected)
    },
  )

  it('would notice another condition', { timeout: 1_200_000 }, async () => {
    const { promela, macros, expected } = exported(`${TERMS}never parent.x == 6\n`, 'v5.7')
    expect(expected).toEqual([true])
    const [before, after] = promela.split('#ifdef')
    const other = `${before}#ifdef${after!.replace(/(v_page_\d+_0_) == 6/g, '$1 == 8')}`
    expect(other).not.toBe(promela)
    expect(await runClaims(other, macros)).toEqual([false])
  })
})

describe('exportPromela', () => {
  it('tells how to ask, whatever the file is called', () => {
    const { promela } = exported(`${TERMS}never parent.x == 6\nsometimes child.x == 7\n`, 'v5.7')
    const comment = promela.slice(0, promela.indexOf('\n*/'))
    expect(comment).toContain('/*\nterms under v5.7\n')
    expect(comment).toContain("  spin -a -o1 -o2 -DCONDITION_1 './my file.pml' && gcc ")
    expect(comment).toContain('  CONDITION_1: "never parent.x == 6" is violated\n')
    expect(comment).toContain(
      '  CONDITION_2: "sometimes child.x == 7" is satisfied; no error means violated\n',
    )
  })
})
