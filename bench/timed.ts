/** How long commands take, as the shell tells. */
import { spawn } from 'node:child_process'

export interface Timed {
  /** That passed. */
  readonly wall: number
  /** On processors, of the command and all that it started. */
  readonly cpu: number
  /** Whether it came to its end. */
  readonly whole: boolean
}

/** What bash adds to standard error when a command is over. */
const TIMES = /^times (\d+\.\d+) (\d+\.\d+) (\d+\.\d+)$/m

/**
 * Runs a command; each process that it starts may use so many seconds of a processor.
 * @param answers exit codes of a command that came to its end
 */
export function timed(
  command: readonly string[],
  cwd: string,
  atMost: number,
  answers: readonly (number | null)[] = [0],
): Promise<Timed> {
  const script = `ulimit -t ${Math.max(1, Math.ceil(atMost))}; TIMEFORMAT='times %R %U %S'; time "$@"`
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script, 'bash', ...command], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => {
      const [, wall, user, system] = TIMES.exec(said)?.map(Number) ?? []
      if (wall === undefined) return reject(new Error(`${command.join(' ')}:\n${said}`))
      const cpu = user! + system!
      const whole = answers.includes(code)
      if (!whole && cpu < atMost / 2)
        return reject(new Error(`${command.join(' ')}: exit code ${code}\n${said}`))
      resolve({ wall, cpu, whole })
    })
  })
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
