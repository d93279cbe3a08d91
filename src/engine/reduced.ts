/** Exploration with reductions. */
import { DONE } from './control.ts'
import type { Learned } from './learned.ts'
import { Memories } from './memories.ts'
import { Merging } from './merging.ts'
import { Stepper } from './stepper.ts'
import { Symmetry } from './symmetry.ts'
import { Visited } from './visited.ts'

const UNCHECKED = 0
const HOLDS = 1
const BROKEN = 2

export class ReducedSearch {
  readonly memories: Memories
  visited: Visited
  merging: Merging
  stepper: Stepper
  verdicts = new Uint8Array(1 << 10)
  distance: number[] = []
  buckets: number[][] = [[0]]
  transitions = 0
  rounds = 0
  finals = new Map<number, number>()
  failures = new Map<string, number>()

  symmetry: Symmetry
  constructor(readonly learned: Learned) {
    this.memories = new Memories(learned.system.layout.locations)
    this.stepper = new Stepper(learned, this.memories)
    this.symmetry = new Symmetry(learned, this.memories)
    this.visited = new Visited(1 + Math.ceil(learned.controls.length / 2))
    this.merging = new Merging(learned, this.memories, (m) => this.isBroken(m), undefined)
  }

  isBroken(memory: number): boolean {
    if (memory >= this.verdicts.length) {
      const grown = new Uint8Array(Math.max(memory + 1, this.verdicts.length * 2))
      grown.set(this.verdicts)
      this.verdicts = grown
    }
    if (this.verdicts[memory] === UNCHECKED) {
      const m = this.learned.system.invariant?.(this.merging.reader(memory))
      this.verdicts[memory] = m === undefined ? HOLDS : BROKEN
    }
    return this.verdicts[memory] === BROKEN
  }

  run(): void {
    let seed = 1
    const rand = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % n
    }
    const initial = this.memories.internInitial()
    const { controls } = this.learned
    for (let walk = 0; walk < 100; walk++) {
      let memory = initial
      const at = controls.map((c) => c.initial)
      for (let i = 0; i < 3000; i++) {
        const order = at.map((_, t) => t).filter((t) => at[t] !== DONE)
        let moved = false
        while (order.length > 0) {
          const [t] = order.splice(rand(order.length), 1)
          const n = this.stepper.step(t!, at[t!]!, memory)
          if (n === 0) continue
          const pick = rand(n)
          if (this.stepper.controls[pick]! < 0) break
          memory = this.stepper.memories[pick]!
          at[t!] = this.stepper.controls[pick]!
          moved = true
          break
        }
        if (!moved) break
      }
    }
    let limit = 1000
    for (;;) {
      this.rounds++
      this.merging = new Merging(this.learned, this.memories, (m) => this.isBroken(m), this.merging)
      const complete = this.round(limit)
      limit *= 4
      const ok = this.merging.holds()
      if (process.env.V)
        console.log('round', this.rounds, complete, ok, this.visited.count, this.learned.trees.size)
      if (ok && complete) return
    }
  }

  round(limit: number): boolean {
    const { learned, memories, merging, stepper } = this
    const n = learned.controls.length
    this.visited = new Visited(1 + Math.ceil(n / 2))
    const { visited } = this
    const words = new Int32Array(visited.words)
    const controls = new Int32Array(n)
    this.distance = [0]
    this.buckets = [[0]]
    this.transitions = 0
    this.finals.clear()
    this.failures.clear()
    const pack = (memory: number) => {
      words.fill(0)
      words[0] = memory
      for (let t = 0; t < n; t++) words[1 + (t >> 1)]! |= t & 1 ? controls[t]! << 16 : controls[t]!
    }
    learned.controls.forEach((c, t) => {
      controls[t] = c.initial
    })
    const m0 = memories.internInitial()
    pack(process.env.NOSYM ? m0 : this.symmetry.canonical(m0, controls))
    visited.add(words, 0, visited.hash(words, 0), 0)
    let checkAt = limit
    let size = merging ? learned.trees.size : 0
    for (let d = 0; d < this.buckets.length; d++) {
      const bucket = this.buckets[d]
      if (bucket === undefined) continue
      for (const state of bucket) {
        if (this.distance[state] !== d) continue
        const base = state * visited.words
        const memory = visited.states[base]!
        const own = new Int32Array(n)
        for (let t = 0; t < n; t++) {
          const w = visited.states[base + 1 + (t >> 1)]!
          own[t] = t & 1 ? w >>> 16 : w & 0xffff
        }
        let running = false
        let steps = 0
        let fails = 0
        for (let t = 0; t < n; t++) {
          if (own[t] === DONE) continue
          if (learned.system.threads[t]!.daemon !== true) running = true
          const found = stepper.step(t, own[t]!, memory)
          if (!process.env.NOSYM) this.symmetry.check(t, own[t]!, memory)
          const afterM = stepper.memories.slice(0, found)
          const afterC = stepper.controls.slice(0, found)
          for (let a = 0; a < found; a++) {
            if (afterC[a]! < 0) {
              fails++
              this.failures.set(`failure ${learned.trees.messages[-1 - afterC[a]!]}`, d + 1)
              continue
            }
            this.transitions++
            steps++
            if (this.isBroken(afterM[a]!)) {
              fails++
              const m = learned.system.invariant!(memories.reader(afterM[a]!))
              if (!this.failures.has(`invariant ${m}`)) this.failures.set(`invariant ${m}`, d + 1)
              continue
            }
            controls.set(own)
            controls[t] = afterC[a]!
            const extra = process.env.NOMERGE ? 0 : merging.advance(afterM[a]!, controls, t)
            if (process.env.NOMERGE) merging.memory = afterM[a]!
            pack(process.env.NOSYM ? merging.memory : this.symmetry.canonical(merging.memory, controls))
            const before = visited.count
            const number = visited.intern(words, 0, visited.hash(words, 0), state)
            const dist = d + 1 + extra
            if (number === before || dist < this.distance[number]!) {
              this.distance[number] = dist
              visited.parents[number] = state
              ;(this.buckets[dist] ??= []).push(number)
            }
          }
        }
        if (!running) {
          if (!this.finals.has(memory)) this.finals.set(memory, d)
        } else if (steps + fails === 0) this.failures.set('deadlock no thread can go on', d)
        if (visited.count > checkAt) {
          checkAt *= 4
          if (learned.trees.size !== size) {
            size = learned.trees.size
            if (!merging.holds()) return false
          }
        }
      }
    }
    return true
  }
}
