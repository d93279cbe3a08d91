/** Numbers as people read them. */

/** A number with separators between thousands. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}
