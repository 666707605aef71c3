import { type GatheredRows, gatherColumn } from '../columns/gather.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import type { Batch } from '../compare/batch.ts'
import { mergedParts } from '../compare/stream.ts'
import type { NamedColumn } from './named-column.ts'
import { type OpenView, readBatches, readPart } from './view-files.ts'

export interface OrderedOptions {
  /** Only these columns, in the order of the file; all where absent. */
  readonly columns?: readonly string[] | undefined
  /** Rows that are asked for; no more need to be decoded. Default: all. */
  readonly limit?: number
}

/** Rows of a batch that is handed out, */
const batchRows = 8192
/** and of a part that is merged with others: fewer where there are many, so that those of all together stay within some megabytes a column. */
const mergedRowsMax = 2 ** 20
const partRowsMax = 8192
const partRowsMin = 1024
const partRowsLeast = 64

/**
 * The rows of all parts in the order of their keys, nulls first, texts by their bytes: each part is sorted, and keys are dealt out to
 * parts by their hash. Some rows of every part are in memory at a time. Where there are no rows, one batch of none gives the columns.
 */
export function* orderedBatches(opened: OpenView, options: OrderedOptions = {}): Generator<readonly NamedColumn[]> {
  const { columns, limit = Number.POSITIVE_INFINITY } = options
  const { manifest } = opened
  const parts = opened.parts.filter(({ rows }) => rows > 0)
  if (parts.length <= 1) {
    if (columns === undefined || parts.length === 0) yield* readBatches(opened)
    else yield* readPart(parts[0]!, columns)
    return
  }
  const wanted = parts[0]!.schema.flatMap(({ name, type }, index) =>
    columns === undefined || columns.includes(name) ? [{ name, type, index }] : [],
  )
  const perPart = Math.max(partRowsMin, Math.min(partRowsMax, Math.floor(mergedRowsMax / parts.length)))
  const rows = Math.max(partRowsLeast, Math.min(perPart, limit))
  const stream = mergedParts(parts, manifest.key.length, rows)
  while (stream.batch !== null) {
    const { sources, picked } = pick(stream)
    yield wanted.map(({ name, type, index }) => ({
      name,
      type,
      column: gatherColumn(
        sources.map((source) => source.cells(index).column as SlotColumn),
        picked,
      ),
    }))
  }
}

/** The next rows of a stream, and the batches that they are in. */
function pick(stream: ReturnType<typeof mergedParts>): { sources: Batch[]; picked: GatheredRows } {
  const numbers = new Map<Batch, number>()
  const batches = new Int32Array(batchRows)
  const rows = new Int32Array(batchRows)
  let count = 0
  while (stream.batch !== null && count < batchRows) {
    const { batch, row } = stream
    let source = numbers.get(batch)
    if (source === undefined) {
      source = numbers.size
      numbers.set(batch, source)
    }
    const run = Math.min(stream.ahead, batchRows - count)
    for (let i = 0; i < run; i++) {
      batches[count] = source
      rows[count] = row + i
      count++
    }
    stream.advance(run)
  }
  return { sources: [...numbers.keys()], picked: { count, batches, rows } }
}
