import { expect } from 'vitest'
import type { Step, System, Trace } from '../../src/engine/index.ts'

/**
 * Applies the steps of a trace to a plain memory, and checks on the way that each step read
 * and changed what is there, and that it says of its thread what the step before it said.
 * @returns the last memory
 */
export function replay(system: System, trace: Trace): number[] {
  const memory = [...trace.initial]
  expect(memory).toEqual(system.layout.locations.map(({ initial }) => initial))
  const stacks = new Map<number, unknown>()
  for (const step of trace.steps) {
    for (const { location, value } of step.reads) expect(memory[location]).toBe(value)
    for (const { location, before, after } of step.changes) {
      expect(memory[location]).toBe(before)
      expect(after).not.toBe(before)
      memory[location] = after
    }
    expect(step.stack).toEqual(stacks.get(step.thread) ?? step.stack)
    const kept = (frames: Step['stack']) =>
      frames.slice(0, step.kept).map(({ procedure, args }) => ({ procedure, args }))
    expect(kept(step.stackAfter)).toEqual(kept(step.stack))
    stacks.set(step.thread, step.stackAfter)
  }
  for (const step of trace.steps.slice(0, -1)) expect(step.failure).toBeUndefined()
  return memory
}
