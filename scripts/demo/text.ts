/** Numbers and tables of the demonstration. */
import { stripVTControlCharacters } from 'node:util'

export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 file`, `2,000 files` */
export function formatCounted(value: number, one: string): string {
  return `${formatCount(value)} ${one}${value === 1 ? '' : 's'}`
}

/** Three digits, powers of 1000: `1.5 kB`, `299 k`. */
export function formatShort(value: number, unit = ''): string {
  const powers = ['', 'k', 'M', 'G']
  const power = Math.min(powers.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  const digits = (value / 1000 ** power).toLocaleString('en-US', { maximumSignificantDigits: 3 })
  return `${digits} ${powers[power]}${unit}`.trimEnd()
}

export function formatSeconds(seconds: number): string {
  return seconds < 0.1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`
}

export interface Column {
  readonly header: string
  readonly align: 'left' | 'right'
}

/** One line for the headers and one for each row, aligned. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ header }) => header), ...rows]
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index]!))))
  const padded = (cells: readonly string[]) =>
    cells.map((text, index) => {
      const space = ' '.repeat(widths[index]! - widthOf(text))
      return columns[index]!.align === 'right' ? space + text : text + space
    })
  return lines.map((cells) => `${padded(cells).join('  ').trimEnd()}\n`).join('')
}

/** Chinese characters take two places. */
function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((sum, one) => sum + (/\p{Script=Han}/u.test(one) ? 2 : 1), 0)
}
