import { cellJson } from '../compare/cell-json.ts'
import {
  type ComparedColumns,
  compareGenerations,
  type Difference,
  keyProblem,
  matchColumns,
} from '../compare/compare.ts'
import type { ComparedGeneration } from '../compare/stream.ts'
import { ConfigurationError } from '../model/errors.ts'
import { disk } from '../storage/disk.ts'
import { formatCount, formatCounted } from './numbers.ts'
import type { Output } from './output.ts'
import { renderTable, type TableColumn } from './table.ts'
import { csvField } from './values.ts'
import type { NamedView } from './view-at.ts'

export type DiffFormat = 'table' | 'json' | 'ndjson' | 'csv'

/** The column in which a rebuild changes every row of a view with windows. */
const progressColumn = 'knownThrough'

/** What is compared, and what was counted so far. */
export class DiffSummary {
  readonly view: string
  readonly keys = { added: 0, removed: 0, changed: 0 }
  readonly columns: ComparedColumns
  /** By column that both have: rows in which it differs. */
  readonly changedRows: number[]
  readonly #keysAfter: number

  constructor(view: string, before: NamedView, after: NamedView, allColumns: boolean) {
    const problem = keyProblem(comparedOf(before), comparedOf(after))
    if (problem !== undefined) {
      throw new ConfigurationError(
        `Cannot compare the rows of ${before.title} with ${after.title} key by key: ${problem}.`,
      )
    }
    const matched = matchColumns(comparedOf(before), comparedOf(after))
    const isCompared = (name: string) => allColumns || after.manifest.window === null || name !== progressColumn
    this.view = view
    this.columns = { ...matched, both: matched.both.filter(({ name }) => isCompared(name)) }
    this.changedRows = this.columns.both.map(() => 0)
    this.#keysAfter = after.manifest.keys
  }

  count({ kind, columns, keyInBoth, firstOfKey }: Difference): void {
    if (firstOfKey) this.keys[keyInBoth || kind === 'changed' ? 'changed' : kind]++
    for (const index of columns) this.changedRows[index]!++
  }

  get unchanged(): number {
    return this.#keysAfter - this.keys.added - this.keys.changed
  }

  /** Columns with the number of rows in which they changed, and how those that only one has are told. */
  get columnLines(): readonly (readonly [name: string, rows: number | null, note: string])[] {
    return [
      ...this.columns.both.map(({ name }, index) => [name, this.changedRows[index]!, ''] as const),
      ...this.columns.added.map(({ name }) => [name, null, 'added'] as const),
      ...this.columns.removed.map(({ name }) => [name, null, 'removed'] as const),
    ]
  }
}

export function comparedOf({ folder, manifest }: NamedView): ComparedGeneration {
  return { ...manifest, folder }
}

/** A row that differs, its values as JSON texts by column. */
interface ChangedRow {
  readonly kind: Difference['kind']
  readonly key: readonly string[]
  readonly ordinal: number
  readonly old: ReadonlyMap<string, string>
  readonly new: ReadonlyMap<string, string>
}

/** Compares two generations and prints the first `limit` keys that differ, and what differs in all. */
export async function printDifferences(
  summary: DiffSummary,
  before: NamedView,
  after: NamedView,
  format: DiffFormat,
  limit: number,
  output: Output,
): Promise<void> {
  const [old, now] = [comparedOf(before), comparedOf(after)]
  const isStream = format === 'ndjson' || format === 'csv'
  const held: ChangedRow[] = []
  let keys = 0
  let text = format === 'csv' ? csvHeader(now) : ''
  for (const difference of compareGenerations(old, now, summary.columns, disk)) {
    summary.count(difference)
    if (difference.firstOfKey) keys++
    if (keys > limit || output.closed) continue
    const row = changedRow(difference, old, now, summary.columns)
    if (!isStream) held.push(row)
    else text += format === 'csv' ? csvLines(row) : `${rowJson(row, now)}\n`
    if (text.length < 2 ** 16) continue
    await output.result(text)
    text = ''
  }
  if (isStream) {
    await output.result(text)
    output.note(`${titlesOf(before, after)}: ${describeKeys(summary)}.`)
    return
  }
  const rest = Math.max(0, keys - limit)
  await output.result(
    format === 'json'
      ? summaryJson(summary, before, after, held, now)
      : describeDiff(summary, before, after, held, now, output.width),
  )
  if (rest > 0 && format === 'table') output.note(`${formatCounted(rest, 'more key')}; --limit ${keys} shows all.`)
}

function changedRow(
  difference: Difference,
  old: ComparedGeneration,
  now: ComparedGeneration,
  { keyColumns, both }: ComparedColumns,
): ChangedRow {
  const { kind, before, after, ordinal } = difference
  const place = (after ?? before)!
  const valuesOf = (generation: ComparedGeneration, side: 'before' | 'after'): Map<string, string> => {
    const at = difference[side]
    if (at === null) return new Map()
    const cells =
      kind === 'changed'
        ? difference.columns.map(
            (index) => [both[index]!.name, both[index]![side], both[index]![`${side}Column`]] as const,
          )
        : generation.columns.map((column, index) => [column.name, keyColumns + index, column] as const)
    return new Map(cells.map(([name, index, column]) => [name, cellJson(at, index, column)]))
  }
  return {
    kind,
    key: now.key.map((column, index) => cellJson(place, index, column)),
    ordinal,
    old: valuesOf(old, 'before'),
    new: valuesOf(now, 'after'),
  }
}

function titlesOf(before: NamedView, after: NamedView): string {
  return `${titleOf(before)} → ${titleOf(after)}`
}

/** Without what both have in common. */
function titleOf({ title }: NamedView): string {
  return title.replace(/^View [^,]*, /, '').replace(/,$/, '')
}

function describeKeys({ keys, unchanged }: DiffSummary): string {
  const { added, removed, changed } = keys
  return `${formatCounted(added, 'key')} added, ${formatCount(removed)} removed, ${formatCount(changed)} changed, ${formatCount(unchanged)} unchanged`
}

function describeDiff(
  summary: DiffSummary,
  before: NamedView,
  after: NamedView,
  rows: readonly ChangedRow[],
  now: ComparedGeneration,
  width: number | undefined,
): string {
  const right = 'right' as const
  const columns = renderTable(
    [{ header: 'column' }, { header: 'rows changed', align: right }, { header: '' }],
    summary.columnLines.map(([name, count, note]) => [name, count === null ? '' : formatCount(count), note]),
    width,
  )
  const head = `${summary.view}, ${titlesOf(before, after)}\n${describeKeys(summary)}\n`
  if (rows.length === 0) return `${head}\n${columns}`
  return `${head}\n${columns}\n${renderTable(...changesTable(rows, now), width)}`
}

const marks = { added: '+', removed: '−', changed: '~' } as const

/** Only the columns that have something to show, in the order of the view. */
function changesTable(rows: readonly ChangedRow[], { key, columns }: ComparedGeneration): [TableColumn[], string[][]] {
  const told = new Set(rows.flatMap((row) => [...row.old.keys(), ...row.new.keys()]))
  const ordered = columns.map(({ name }) => name).filter((name) => told.has(name))
  const names = [...new Set([...ordered, ...told])]
  const headers = ['', ...key.map(({ name }) => name), ...names].map((header) => ({ header }))
  const lines = rows.map((row) => [
    marks[row.kind],
    ...row.key.map(cellOf),
    ...names.map((name) => changeCell(row, name)),
  ])
  return [headers, lines]
}

function changeCell({ kind, old, new: now }: ChangedRow, name: string): string {
  const [before, after] = [old.get(name), now.get(name)]
  if (kind === 'changed') return before === undefined ? '' : `${wordOf(before)} → ${wordOf(after!)}`
  const only = kind === 'added' ? after : before
  return only === undefined ? '' : cellOf(only)
}

function wordOf(json: string): string {
  return json === 'null' ? json : cellOf(json)
}

/** A JSON text as a cell: texts without their quotes, nothing for null. */
function cellOf(json: string): string {
  if (json === 'null') return ''
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

function rowJson({ kind, key, ordinal, old, new: now }: ChangedRow, { key: columns }: ComparedGeneration): string {
  const object = (entries: Iterable<readonly [string, string]>) =>
    `{${[...entries].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
  const keyed = object(columns.map(({ name }, index) => [name, key[index]!] as const))
  const members = [`"change":"${kind}"`, `"key":${keyed}`, `"row":${ordinal}`]
  if (kind !== 'added') members.push(`"old":${object(old)}`)
  if (kind !== 'removed') members.push(`"new":${object(now)}`)
  return `{${members.join(',')}}`
}

function csvHeader({ key }: ComparedGeneration): string {
  return `${['change', ...key.map(({ name }) => name), 'row', 'column', 'old', 'new'].map(csvField).join(',')}\r\n`
}

/** One line for each figure. */
function csvLines({ kind, key, ordinal, old, new: now }: ChangedRow): string {
  const field = (json: string | undefined) => csvField(json === undefined || json === 'null' ? null : cellOf(json))
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => {
      const cells = [csvField(kind), ...key.map(field), String(ordinal), csvField(name)]
      return `${[...cells, field(old.get(name)), field(now.get(name))].join(',')}\r\n`
    })
    .join('')
}

function summaryJson(
  summary: DiffSummary,
  before: NamedView,
  after: NamedView,
  rows: readonly ChangedRow[],
  now: ComparedGeneration,
): string {
  const { view, keys, unchanged, columns } = summary
  const counts = columns.both.map(({ name }, index) => ({ name, rows: summary.changedRows[index]! }))
  const head = {
    view,
    before: titleOf(before),
    after: titleOf(after),
    keys: { ...keys, unchanged },
    columns: counts,
    addedColumns: columns.added.map(({ name }) => name),
    removedColumns: columns.removed.map(({ name }) => name),
  }
  const changes = rows.map((row) => `    ${rowJson(row, now)}`).join(',\n')
  // Rows are spliced in as they are, so that no digit is lost.
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "changes": [${changes === '' ? '' : `\n${changes}\n  `}]\n}\n`
}
