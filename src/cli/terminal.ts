/** What the command line knows about where its output goes. */
import pc from 'picocolors'

/** Columns to fit tables and text into. */
export function outputWidth(): number {
  const width = process.stdout.columns || Number(process.env.COLUMNS)
  return Number.isInteger(width) && width > 0 ? Math.max(40, Math.min(width, 160)) : 80
}

/** Only on a terminal, unless FORCE_COLOR says otherwise, and never with NO_COLOR. */
export function outputColour(): boolean {
  return pc.isColorSupported && (process.stdout.isTTY === true || 'FORCE_COLOR' in process.env)
}

/** Prints to stdout. A reader that has gone away (`| head`) is no reason to complain. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Prints to stderr: warnings, errors, progress. */
export function complain(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Whether stderr is a terminal, where somebody may see how things are going. */
export function isProgressShown(): boolean {
  return process.stderr.isTTY === true
}

/** One line on stderr that is written over and over; nothing unless that is a terminal. */
export class ProgressLine {
  private shown = false

  show(text: string): void {
    if (!isProgressShown()) return
    const width = process.stderr.columns || 80
    process.stderr.write(`\r${text.slice(0, width - 1)}\x1b[K`)
    this.shown = true
  }

  clear(): void {
    if (this.shown) process.stderr.write('\r\x1b[K')
    this.shown = false
  }
}

/** As a shell takes it for one word. */
export function quoted(word: string): string {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
