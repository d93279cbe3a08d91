/** Breaking text into lines of a width. */

/**
 * Breaks text at spaces; a word that is longer than a line is cut.
 * @param hang how far every line but the first is indented
 */
export function wrap(text: string, width: number, hang = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of pieces(text, Math.max(1, width - hang))) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(hang) + word
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
    .replace(/\b(page|step) ([A-Z]|\d+)\b/g, `$1${TIE}$2`)
    .split(/[ \n\t]+/)
    .filter((word) => word !== '')
    .flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], joint: 'and' | 'or' = 'and'): string {
  if (words.length <= 1) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} ${joint} ${words.at(-1)}`
}
