/** Breaking text into lines of a width. */

export interface TextOptions {
  /** Columns to fit into. */
  readonly width: number
  readonly colour: boolean
}

/**
 * Breaks text at spaces; a word that is longer than a line is cut.
 * @param indent how far every line but the first is indented
 */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of pieces(text, Math.max(1, width - indent))) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else {
      line = line.trim() === '' ? line + word : `${line} ${word}`
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines.map((each) => each.replaceAll(TIE, ' '))
}

/** Stands for a space at which no line is broken. */
const TIE = '\u00a0'

/** The words of a text, none of them longer than `width`. */
function pieces(text: string, width: number): string[] {
  return text
    .replace(/(\d) → (\d)/g, `$1${TIE}→${TIE}$2`)
    .replace(/ (=|==) /g, `${TIE}$1${TIE}`)
    .replace(/(\d) \+ (\d)/g, `$1${TIE}+${TIE}$2`)
    .replace(/\b(page|step|swap) ([A-Z]|\d+)\b/g, `$1${TIE}$2`)
    .split(/[ \n\t]+/)
    .filter((word) => word !== '')
    .flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
}

/** Text in lines of at most `width` columns, broken at spaces, of which all but the first are indented. */
export function hang(text: string, width: number, indent: number, first = indent): string {
  const lines: string[] = []
  let line = ''
  let room = width - first
  for (const word of text.split(' ')) {
    if (line !== '' && visibleLength(line) + 1 + visibleLength(word) > room) {
      lines.push(line)
      line = word
      room = width - indent
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences that colour text.
  return text.replaceAll(/\x1b\[\d+m/g, '').length
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], joint: 'and' | 'or' = 'and'): string {
  if (words.length <= 1) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} ${joint} ${words.at(-1)}`
}
