/** Numbers that look random and are the same again for the same seed (xorshift32, Marsaglia 2003). */
export class Random {
  private state: number

  /** @param seed any whole numbers; each makes a difference */
  constructor(...seed: readonly number[]) {
    let hash = 0x9e3779b9
    for (const part of seed) {
      hash = Math.imul(hash ^ part, 0x85ebca6b)
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
      hash ^= hash >>> 16
    }
    this.state = hash === 0 ? 1 : hash
  }

  /** From 0 to `n - 1`, for an `n` from 1 to 2^31. */
  below(n: number): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return (x >>> 0) % n
  }
}
