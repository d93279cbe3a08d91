/** Tests of any size: so many processes, of which each does so many things to so many pages. */

export interface Size {
  /** 2 to 4: a parent and its children. */
  readonly processes: number
  /** 1 to 3. */
  readonly pages: number
  /** 1 to 4, of each process, besides the parent's forks. */
  readonly operations: number
}

const PAGES = ['x', 'y', 'z']

/** Every size, the smaller ones first. */
export const SIZES: readonly Size[] = [2, 3, 4].flatMap((processes) =>
  [1, 2, 3].flatMap((pages) => [1, 2, 3, 4].map((operations) => ({ processes, pages, operations }))),
)

/**
 * The text of a test. Each process stores, loads, pins for reading and reads through the pin, in
 * this order as far as it gets, and takes the pages in turn, each process beginning with the next
 * one: with one page all of them meet there. The parent has forked all its children before that.
 */
export function testOf({ processes, pages, operations }: Size): string {
  const names = Array.from({ length: processes }, (_, i) => (i === 0 ? 'parent' : `child${i}`))
  const blocks = names.map((name, i) => {
    const page = (k: number): string => PAGES[(i + k) % pages]!
    const all = [
      `${page(0)} = ${i + 1}`,
      `r0 = ${page(1)}`,
      `pin p${i} = ${page(2)} for read, pin`,
      `r1 = p${i}`,
    ].slice(0, operations)
    const forks = i === 0 ? names.slice(1).map((child) => `fork ${child}`) : []
    return [`process ${name} {`, ...[...forks, ...all].map((statement) => `  ${statement}`), '}', ''].join(
      '\n',
    )
  })
  return [
    `test scaling-${processes}-${pages}-${operations}`,
    '',
    ...PAGES.slice(0, pages).map((page) => `page ${page} = 0`),
    '',
    ...blocks,
  ].join('\n')
}
