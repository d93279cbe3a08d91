/** Whether there is room to reserve what threads share that explore one thing together. */
import { readFileSync } from 'node:fs'
import { DEFAULT_LIMITS } from '../engine/index.ts'
import { UsageError } from './exit.ts'

/**
 * Of what an exploration may fill, so many times as much is reserved: for each of three tables its rows and its
 * slots; and as much again by the exploration before, whose memory may not have been collected yet.
 */
const RESERVED = 12

/**
 * Where a process may have little of it (`ulimit -v`), reserving takes the last of it, and then Node itself ends.
 * @param bytes that an exploration may fill
 * @throws UsageError
 */
export function checkAddressSpace(
  workers: number,
  jobs: number,
  bytes: number = DEFAULT_LIMITS.bytes,
  limit = addressSpace(),
): void {
  const needed = jobs * bytes * RESERVED
  if (workers === 1 || limit === undefined || limit >= needed) return
  throw new UsageError(
    `--workers ${workers} reserves up to ${gib(needed)} of address space, and this process may have ${gib(limit)} (ulimit -v); --max-memory lets it reserve less, and one worker reserves none`,
  )
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

/** Bytes of address space that this process may have; undefined if there is no limit, or no way to know. */
function addressSpace(): number | undefined {
  try {
    const bytes = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return bytes === null ? undefined : Number(bytes[1])
  } catch {
    return undefined
  }
}
