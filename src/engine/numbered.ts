/** Things by number: equal ones have the same, from 0 up, in the order in which they first came. */
export class Numbered<T> {
  readonly list: T[] = []
  private readonly numbers = new Map<string, number>()

  /** @param key the same for things that are equal, and for no others */
  numberOf(key: string, thing: T): number {
    let number = this.numbers.get(key)
    if (number === undefined) {
      number = this.list.push(thing) - 1
      this.numbers.set(key, number)
    }
    return number
  }
}
