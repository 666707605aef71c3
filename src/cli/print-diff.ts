import type { ChangedRow, NamedGeneration, ViewComparison } from '../read/diff.ts'
import { csvField, tableCell } from './cells.ts'
import { formatCount, formatCounted } from './numbers.ts'
import type { Output } from './output.ts'
import { renderTable, type TableColumn } from './table.ts'

export type DiffFormat = 'table' | 'json' | 'ndjson' | 'csv'

/** A row that differs, its values as JSON texts. */
type ChangedTexts = ChangedRow<string>

/** Compares two generations and prints the first `limit` keys that differ, and what differs in all. */
export async function printDifferences(
  comparison: ViewComparison,
  format: DiffFormat,
  limit: number,
  output: Output,
): Promise<void> {
  const { key } = comparison.after.manifest
  const isStream = format === 'ndjson' || format === 'csv'
  const held: ChangedTexts[] = []
  let keys = 0
  let text = format === 'csv' ? csvHeader(key) : ''
  for (const difference of comparison.differences()) {
    if (difference.firstOfKey) keys++
    if (keys > limit || output.closed) continue
    const row = difference.texts()
    if (!isStream) held.push(row)
    else text += format === 'csv' ? csvLines(row) : `${rowJson(row, key)}\n`
    if (text.length < 2 ** 16) continue
    await output.result(text)
    text = ''
  }
  if (isStream) {
    await output.result(text)
    output.note(`${titlesOf(comparison)}: ${describeRows(comparison)}.`)
    return
  }
  const rest = Math.max(0, keys - limit)
  await output.result(format === 'json' ? summaryJson(comparison, held) : describeDiff(comparison, held, output.width))
  if (rest > 0 && format === 'table') output.note(`${formatCounted(rest, 'more key')}; --limit ${keys} shows all.`)
}

function titlesOf({ before, after }: ViewComparison): string {
  return `${titleOf(before)} → ${titleOf(after)}`
}

/** Without what both have in common. */
function titleOf({ title }: NamedGeneration): string {
  return title.replace(/^View [^,]*, /, '').replace(/,$/, '')
}

function describeRows({ rows }: ViewComparison): string {
  const { added, removed, changed, unchanged } = rows
  return `${formatCounted(added, 'row')} added, ${formatCount(removed)} removed, ${formatCount(changed)} changed, ${formatCount(unchanged)} unchanged`
}

function describeDiff(comparison: ViewComparison, rows: readonly ChangedTexts[], width: number | undefined): string {
  const right = 'right' as const
  const columns = renderTable(
    [{ header: 'column' }, { header: 'rows changed', align: right }, { header: '' }],
    comparison.columnLines.map(([name, count, note]) => [name, count === null ? '' : formatCount(count), note]),
    width,
  )
  const head = `${comparison.view}, ${titlesOf(comparison)}\n${describeRows(comparison)}\n`
  if (rows.length === 0) return `${head}\n${columns}`
  return `${head}\n${columns}\n${renderTable(...changesTable(rows, comparison.after), width)}`
}

type KeyColumns = NamedGeneration['manifest']['key']

const marks = { added: '+', removed: '−', changed: '~' } as const

/** Only the columns that have something to show, in the order of the view. */
function changesTable(
  rows: readonly ChangedTexts[],
  { manifest: { key, columns } }: NamedGeneration,
): [TableColumn[], string[][]] {
  const told = new Set(rows.flatMap((row) => [...row.old.keys(), ...row.new.keys()]))
  const ordered = columns.map(({ name }) => name).filter((name) => told.has(name))
  const names = [...new Set([...ordered, ...told])]
  const headers = ['', ...key.map(({ name }) => name), ...names].map((header) => ({ header }))
  const lines = rows.map((row) => [
    marks[row.kind],
    ...row.key.map(tableCellOf),
    ...names.map((name) => changeCell(row, name)),
  ])
  return [headers, lines]
}

function changeCell({ kind, old, new: now }: ChangedTexts, name: string): string {
  const [before, after] = [old.get(name), now.get(name)]
  if (kind === 'changed') return before === undefined ? '' : `${wordOf(before)} → ${wordOf(after!)}`
  const only = kind === 'added' ? after : before
  return only === undefined ? '' : tableCellOf(only)
}

function wordOf(json: string): string {
  return json === 'null' || json === '"null"' ? json : tableCellOf(json)
}

/** A JSON text as a cell: texts without their quotes, nothing for null. */
function tableCellOf(json: string): string {
  return json.startsWith('"') ? tableCell(JSON.parse(json)) : cellOf(json)
}

function cellOf(json: string): string {
  if (json === 'null') return ''
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

function rowJson({ kind, key, ordinal, old, new: now }: ChangedTexts, columns: KeyColumns): string {
  const object = (entries: Iterable<readonly [string, string]>) =>
    `{${[...entries].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
  const keyed = object(columns.map(({ name }, index) => [name, key[index]!] as const))
  const members = [`"change":"${kind}"`, `"key":${keyed}`, `"row":${ordinal}`]
  if (kind !== 'added') members.push(`"old":${object(old)}`)
  if (kind !== 'removed') members.push(`"new":${object(now)}`)
  return `{${members.join(',')}}`
}

function csvHeader(key: KeyColumns): string {
  return `${['change', ...key.map(({ name }) => name), 'row', 'column', 'old', 'new'].map(csvField).join(',')}\r\n`
}

/** One line for each figure. */
function csvLines({ kind, key, ordinal, old, new: now }: ChangedTexts): string {
  const field = (json: string | undefined) => csvField(json === undefined || json === 'null' ? null : cellOf(json))
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => {
      const cells = [csvField(kind), ...key.map(field), String(ordinal), csvField(name)]
      return `${[...cells, field(old.get(name)), field(now.get(name))].join(',')}\r\n`
    })
    .join('')
}

function summaryJson(comparison: ViewComparison, rows: readonly ChangedTexts[]): string {
  const { view, before, after, keys, rows: differing, columns } = comparison
  const counts = columns.both.map(({ name }, index) => ({ name, rows: comparison.changedRows[index]! }))
  const head = {
    view,
    before: titleOf(before),
    after: titleOf(after),
    keys,
    rows: differing,
    columns: counts,
    addedColumns: columns.added.map(({ name }) => name),
    removedColumns: columns.removed.map(({ name }) => name),
  }
  const changes = rows.map((row) => `    ${rowJson(row, after.manifest.key)}`).join(',\n')
  // Rows are spliced in as they are, so that no digit is lost.
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "changes": [${changes === '' ? '' : `\n${changes}\n  `}]\n}\n`
}
