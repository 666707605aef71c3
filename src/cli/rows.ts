import { ConfigurationError } from '../model/errors.ts'
import { compactJson } from '../read/json.ts'
import type { NamedColumn } from '../read/named-column.ts'
import { firstRows, type Rows, rowsOf } from '../read/rows.ts'
import { csvField, tableCell } from './cells.ts'
import { formatCounted } from './numbers.ts'
import type { Output } from './output.ts'
import { renderTable } from './table.ts'
import type { OptionSpecs } from './verb.ts'

const rowFormats = ['table', 'ndjson', 'csv', 'arrow'] as const
export type RowFormat = (typeof rowFormats)[number]

/** For verbs that print rows of a view. */
export const rowOptionSpecs = {
  format: { type: 'string', value: rowFormats.join('|'), default: 'table', requiresArg: true, describe: 'How' },
} as const satisfies OptionSpecs

/** The format that was asked for; `--json` means `--format ndjson`. */
export function requireFormat(given: { readonly format: string; readonly json: boolean }): RowFormat {
  const format = rowFormats.find((candidate) => candidate === given.format)
  if (format === undefined) {
    throw new ConfigurationError(`--format: expected one of ${rowFormats.join(', ')}, found ${given.format}.`)
  }
  if (given.json && format !== 'table' && format !== 'ndjson') {
    throw new ConfigurationError(`--json and --format ${format} exclude each other.`)
  }
  return given.json ? 'ndjson' : format
}

/** Prints the first `limit` rows. A table also reports, on stderr, how many there are beyond. */
export async function printRows(rows: Rows, format: RowFormat, limit: number, output: Output): Promise<void> {
  const batches = firstRows(rows.batches, limit)
  if (format === 'table') {
    await output.result(tableOf(batches, output.width))
    const more = rows.total - Math.min(limit, rows.total)
    if (more > 0) output.note(`${formatCounted(more, 'more row')}; --limit ${rows.total} shows all.`)
    return
  }
  for (const chunk of format === 'arrow'
    ? (await import('./arrow.ts')).arrowStream(batches)
    : linesOf(batches, format)) {
    if (output.closed) return
    await output.result(chunk)
  }
}

function tableOf(batches: Iterable<readonly NamedColumn[]>, width?: number): string {
  let names: readonly NamedColumn[] = []
  const lines: string[][] = []
  for (const columns of batches) {
    names = columns
    for (const values of rowsOf(columns)) lines.push(values.map(tableCell))
  }
  const headers = names.map(({ name, type }) => ({
    header: name,
    align: ['int', 'float', 'decimal'].includes(type.kind) ? ('right' as const) : ('left' as const),
  }))
  return renderTable(headers, lines, width)
}

/** Text by the batch. */
function* linesOf(batches: Iterable<readonly NamedColumn[]>, format: 'ndjson' | 'csv'): Generator<string> {
  let first = true
  for (const columns of batches) {
    const names = columns.map(({ name }) => name)
    if (first && format === 'csv') yield `${names.map(csvField).join(',')}\r\n`
    first = false
    let text = ''
    for (const values of rowsOf(columns)) {
      text +=
        format === 'csv'
          ? `${values.map(csvField).join(',')}\r\n`
          : `${compactJson(Object.fromEntries(names.map((name, index) => [name, values[index]])))}\n`
      if (text.length > 2 ** 16) {
        yield text
        text = ''
      }
    }
    if (text !== '') yield text
  }
}
