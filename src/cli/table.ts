/** Tables for people: aligned by the width characters have on a terminal. */

export interface TableColumn {
  readonly header: string
  /** Numbers go right. */
  readonly align?: 'left' | 'right'
}

const gap = '  '
/** A column is not cut below this, whatever the width: what is left would say nothing. */
const widthMin = 6

/**
 * One line for the headers and one for each row, each ended by a newline. Where `width` is given, the widest columns are
 * cut until the table fits it, as far as that goes.
 */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const lines = [columns.map((column) => column.header), ...rows].map((cells) => cells.map(printable))
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => displayWidth(cells[index] ?? ''))))
  if (width !== undefined) shrink(widths, width)
  return lines
    .map((cells) => {
      const padded = columns.map((column, index) => pad(cells[index] ?? '', widths[index]!, column.align === 'right'))
      return `${padded.join(gap).trimEnd()}\n`
    })
    .join('')
}

function shrink(widths: number[], width: number): void {
  let excess = widths.reduce((sum, one) => sum + one, 0) + gap.length * (widths.length - 1) - width
  for (; excess > 0; excess--) {
    const widest = Math.max(...widths)
    if (widest <= widthMin) return
    widths[widths.indexOf(widest)] = widest - 1
  }
}

function pad(text: string, width: number, right: boolean): string {
  const used = displayWidth(text)
  if (used > width) return truncate(text, width)
  const padding = ' '.repeat(width - used)
  return right ? padding + text : text + padding
}

/** Cuts to `width`, the last character of which is then an ellipsis. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const next = graphemeWidth(segment)
    if (used + next > width - 1) break
    kept += segment
    used += next
  }
  return `${kept}…${' '.repeat(width - 1 - used)}`
}

/** Line ends and control characters are shown, not obeyed: a cell must not move the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ascii = /^[\x20-\x7e]*$/

/** Number of terminal cells a text takes: 2 for East Asian wide characters and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment)
  return width
}

const invisible = /^[\p{Mark}\p{Format}\p{Control}]/u
const emoji = /^\p{Emoji_Presentation}|^\p{Emoji}\ufe0f/u
/** Unicode's East_Asian_Width Wide and Fullwidth, except emoji, in blocks. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u

function graphemeWidth(grapheme: string): number {
  if (invisible.test(grapheme)) return 0
  return wide.test(grapheme) || emoji.test(grapheme) ? 2 : 1
}
