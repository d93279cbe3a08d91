/** The largest tests of the suite, for benchmarks that look at a few of them. */

import { readFileSync } from 'node:fs'
import { DESIGNS } from '../src/designs/index.ts'
import { Explorer } from '../src/engine/index.ts'
import { compile, type Litmus, parse } from '../src/litmus/index.ts'
import { corpus } from '../test/suite/corpus.ts'

export interface LargeCell {
  readonly file: string
  readonly design: string
}

/** Of each test the design under which it has the most states; of these so many, the largest first. */
export function largest(count: number): LargeCell[] {
  const cells = corpus('suite').map(({ file, test }) => {
    const sizes = DESIGNS.map(({ name, rules }) => {
      const explorer = new Explorer(compile(test, rules).system)
      explorer.run()
      return { file, design: name, states: explorer.result().states }
    })
    return sizes.sort((a, b) => b.states - a.states)[0]!
  })
  return cells.sort((a, b) => b.states - a.states).slice(0, count)
}

/** The test in a file. */
export function testFrom(file: string): Litmus {
  return parse(readFileSync(file, 'utf8'), file).test
}

/** `ksmd-across v6.1` */
export function nameOf({ file, design }: LargeCell): string {
  return `${file.split('/').at(-1)!.replace('.litmus', '')} ${design}`
}
