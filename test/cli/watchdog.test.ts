/** Who is given up when a worker falls silent, and who is not. */
import { expect, test } from 'vitest'
import { runTest } from '../../src/check/index.ts'
import { Heartbeat } from '../../src/cli/heartbeat.ts'
import { isStuck } from '../../src/cli/pool.ts'
import type { DesignSource, Request } from '../../src/cli/protocol.ts'
import { designNamed } from '../../src/designs/index.ts'
import { parse } from '../../src/litmus/index.ts'

const BUILT_IN: DesignSource = { kind: 'built-in', name: 'v5.7' }
const OWN: DesignSource = { kind: 'file', file: 'mine.ts', code: '', map: '' }
const LONG = 60_000

function showing(design: DesignSource): Request {
  return { kind: 'show', input: { design } } as Request
}

function pulse(...events: ('enter' | 'leave' | 'progress')[]) {
  const heartbeat = new Heartbeat()
  for (const event of events) {
    if (event === 'enter') heartbeat.enter('wp_can_reuse')
    else if (event === 'leave') heartbeat.leave()
    else heartbeat.progress({ states: 10, depth: 2, frontier: 3, milliseconds: 4, expected: undefined })
  }
  return heartbeat.read()
}

test("a person's own code that does not come back", () => {
  expect(isStuck(pulse('enter'), LONG, showing(OWN))).toBe(true)
  expect(isStuck(pulse('progress', 'enter'), LONG, showing(OWN))).toBe(true)
  expect(isStuck(pulse('enter'), 1_000, showing(OWN))).toBe(false)
})

test('code that has come back, whatever the worker is busy with since', () => {
  expect(isStuck(pulse('enter', 'leave'), LONG, showing(OWN))).toBe(false)
  expect(isStuck(pulse('enter', 'progress'), LONG, showing(OWN))).toBe(false)
})

test("what is Cowherd's own", () => {
  expect(isStuck(pulse('enter'), LONG, showing(BUILT_IN))).toBe(false)
  expect(isStuck(pulse('enter'), LONG, { kind: 'claim', input: {} } as Request)).toBe(false)
})

test('every generator that is begun to be learned from is said to have come back', () => {
  const { test: litmus } = parse('test t\npage x = 0\nprocess p { fork c; x = 1 }\nprocess c { r0 = x }')
  let running: string | undefined
  let most = 0
  let ended = 0
  runTest(litmus, designNamed('v5.9')!.rules, {
    onReplay: (name) => {
      running = name
      most++
    },
    onReplayed: () => {
      running = undefined
      ended++
    },
    watch: () => {
      expect(running).toBeUndefined()
      return true
    },
  })
  expect(running).toBeUndefined()
  // Threads begin to be learned before anybody can listen.
  expect(most - ended).toBeLessThanOrEqual(4)
  expect(ended).toBeGreaterThan(50)
})
