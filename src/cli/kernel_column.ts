/** What the model says of tests that were run on a machine, beside what the machine did. */
import { type Litmus, print as printTest } from '../litmus/index.ts'
import { type Allowed, type Comparison, compare, variantsOf, without } from '../real/compare.ts'
import { MachineFault } from '../real/fault.ts'
import type { Machine } from '../real/machine.ts'
import type { Observed } from '../real/observed.ts'
import { standInFor } from '../real/stand_in.ts'
import { asRunOn, type Version, versionOf } from '../real/ways.ts'
import type { KernelColumn } from '../report/conformance.ts'
import type { Pool } from './pool.ts'

/** Compares what a machine did with what the design that stands for its kernel allows. */
export async function columnOf(
  machine: Machine,
  tests: readonly Litmus[],
  observed: readonly Observed[],
  pool: Pool,
): Promise<KernelColumn> {
  const kernel = observed[0]?.kernel ?? machine.name
  const version = versionOf(kernel)
  if (observed.length === 0) {
    return {
      machine: machine.name,
      kernel,
      design: '–',
      because: 'nothing was run',
      comparisons: tests.map(() => undefined),
    }
  }
  const standIn = standInFor(version)
  if (standIn === undefined) {
    throw new MachineFault(`${machine.name}: no design stands for the kernel ${kernel || 'that ran nothing'}`)
  }
  const comparisons = await Promise.all(
    tests.map((test) => {
      const one = observed.find((each) => each.test === test.name)
      return one === undefined ? undefined : compareOne(test, one, version, standIn.design.name, pool)
    }),
  )
  const { design, because } = standIn
  return { machine: machine.name, kernel, design: design.name, because, comparisons }
}

/** Explores the test as it was run, and without what the kernel did not do. */
async function compareOne(
  test: Litmus,
  observed: Observed,
  version: Version,
  design: string,
  pool: Pool,
): Promise<Comparison> {
  const allowed = new Map<string, Allowed>()
  const wanted = [[], ...observed.seen.flatMap(variantsOf)]
  for (const lines of wanted) {
    if (observed.ending === 'skipped' || allowed.has(lines.join())) continue
    // How references are taken was settled for the whole test, whatever the kernel left undone of it later.
    const adapted = without(asRunOn(test, version, observed.exact.length > 0), lines)
    // A name such as `pin/read-pin` is none that a test could have.
    const text = printTest({ ...adapted, name: 'as-run', conditions: [], expectations: [] })
    allowed.set(
      lines.join(),
      await pool.run('outcomes', {
        test: { file: test.name, text },
        design: { kind: 'built-in', name: design },
        limits: { states: MOST_STATES },
        copies: { states: MOST_COUNTING_STATES },
      }),
    )
  }
  return compare(observed, (lines) => allowed.get(lines.join()) ?? NOTHING_KNOWN)
}

const NOTHING_KNOWN: Allowed = { keys: [], exhaustive: false, copies: undefined }

/** No test of the suite has nearly so many. */
const MOST_STATES = 5_000_000
/** A few tests have more, and their copies are not compared. */
const MOST_COUNTING_STATES = 1_000_000
