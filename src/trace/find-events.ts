import { nanosecondsIn } from '../columns/moment-text.ts'
import { LogMapper } from '../map/map-split.ts'
import { orderSlots, typeRank } from '../model/order.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { ParquetFile, RowGroup } from '../parquet/file.ts'
import type { OpenFile } from '../parquet/open-in-turn.ts'
import { fieldAt } from '../parquet/schema.ts'
import { momentBounds } from '../plan/moment-bounds.ts'
import { readBatch } from '../scan/batch.ts'
import type { Batch } from '../scan/event-batch.ts'
import { idText } from '../scan/identity.ts'
import { rowsOutside } from '../scan/moments.ts'
import { typesOf } from '../scan/types.ts'
import { makeUpcaster } from '../scan/upcast.ts'
import { BlockMemory, newBudget } from '../shuffle/block-memory.ts'
import { shuffle } from '../strategy/shuffle.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import type { Key, TraceShare } from './plan-trace.ts'
import { storedValue } from './rows.ts'

/** What a trace shows of an event. Values are as they are stored: moments and decimals as integers, JSON as text. */
export interface EventText {
  /** Of which of the view's logs it is. */
  readonly member: number
  readonly eventId: string
  readonly type: string
  readonly occurredAt: unknown
  readonly recordedAt: unknown
  /** Those that the view's handlers read, in the order of the plan. */
  readonly fields: readonly unknown[]
  /** The values that the view's events are ordered by. */
  readonly order: readonly unknown[]
}

/** An event of the key, as it is in the log. */
export interface FoundEvent extends EventText {
  readonly row: number
  /** Recorded after known-at, or occurred after as-of. */
  readonly isOutside: boolean
}

export interface RowGroupEvents {
  readonly split: number
  readonly rowGroup: number
  /** In the order of their rows. */
  readonly events: readonly FoundEvent[]
}

/** A mapper that keeps nothing of what it maps. */
export function mapperOf({ files, view }: TraceShare, log: LogPlan, group: PreparedGroup): LogMapper {
  const memory = new BlockMemory(newBudget(0, ''), files, 'trace')
  const side = shuffle.mapSide(log, group, memory)
  return new LogMapper({ log, groups: [{ group, side }], upcaster: makeUpcaster(log, view.log.upcast), memory })
}

/** Whether statistics or the file's folders prove that no event of a row group has the key. */
export function isAbsent(
  share: TraceShare,
  file: FilePlan,
  parquet: ParquetFile,
  rowGroup: RowGroup,
  key: Key,
): boolean {
  if (share.window !== null) return liesOutsideWindow(share.log, share.window, { file, parquet, rowGroup }, key)
  return share.view.keyBy === undefined && lacksKey(share.log, file, parquet, rowGroup, key['key'])
}

function lacksKey(log: LogPlan, file: FilePlan, parquet: ParquetFile, rowGroup: RowGroup, value: unknown): boolean {
  const source = file.sources[log.roles.key]!
  const { type } = log.slots[log.roles.key]!
  if (source.kind === 'constant') return type.kind === 'string' && source.value !== value
  if (source.kind !== 'column') return false
  const { kind } = fieldAt(parquet.schema, source.path).type
  const { min, max } = rowGroup.statistics(source.path) ?? {}
  if (min === undefined || max === undefined) return false
  if (type.kind === 'string' && kind === 'string') {
    const compare = (bound: unknown) => Buffer.compare(Buffer.from(value as string), Buffer.from(bound as string))
    return compare(min) < 0 || compare(max) > 0
  }
  const isWhole = kind === 'int' && ['int32', 'int64', 'bigint'].includes(type.kind)
  return isWhole && ((value as bigint) < (min as bigint) || (value as bigint) > (max as bigint))
}

function liesOutsideWindow(
  log: LogPlan,
  { calendar, column }: NonNullable<TraceShare['window']>,
  { file, parquet, rowGroup }: { readonly file: FilePlan; readonly parquet: ParquetFile; readonly rowGroup: RowGroup },
  key: Key,
): boolean {
  const bounds = momentBounds(
    parquet,
    rowGroup,
    file.sources[log.roles.occurredAt],
    log.slots[log.roles.occurredAt]?.type,
  )
  if (bounds === undefined) return false
  const window = calendar.indexOfKey(key[column] as number | bigint)
  const step = nanosecondsIn[log.timeUnit]
  return bounds.max < calendar.startOf(window) * step || bounds.min >= calendar.endOf(window) * step
}

/**
 * The rows of a row group whose events are of the key, whatever becomes of them: by the very code that finds keys in a
 * rebuild, for a view that takes every event.
 */
export function seekRows(seeker: LogMapper, split: number, wanted: Uint8Array, open: OpenFile): number[] {
  const rows = new Set<number>()
  seeker.watch(split, [], open, (_group, _ordinal, batch, { keyed }) => {
    for (let i = 0; i < keyed!.count; i++) {
      const start = keyed!.keyStarts[i]!
      if (isKey(keyed!.keyData, start, keyed!.keyLengths[i]!, wanted)) rows.add(originOf(batch, keyed!.rows[i]!))
    }
  })
  return [...rows].sort((a, b) => a - b)
}

export function originOf({ origin }: Batch, row: number): number {
  return origin === null ? row : origin[row]!
}

export function isKey(data: Uint8Array, start: number, length: number, wanted: Uint8Array): boolean {
  if (length !== wanted.length) return false
  for (let i = 0; i < length; i++) if (data[start + i] !== wanted[i]) return false
  return true
}

/** Reads what is shown of events, as it is in the log. */
export function readEvents(share: TraceShare, split: number, rows: readonly number[], open: OpenFile): RowGroupEvents {
  const { log, fields, traced } = share
  const { file, rowGroups } = log.splits[split]!
  const { id, type, occurredAt, recordedAt } = log.roles
  const needed = new Set(
    [...id, type, occurredAt, recordedAt, ...fields, ...orderSlots(traced.plan.order)].filter((slot) => slot >= 0),
  )
  const batch = readBatch(log, log.files[file]!, open, rowGroups[0]!.index, needed)
  const outside = rowsOutside(log, batch)
  return {
    split,
    rowGroup: batch.rowGroup,
    events: describeRows(share, batch, rows).map((event, i) => {
      const row = rows[i]!
      return { ...event, row, isOutside: outside?.[row] === 1 }
    }),
  }
}

/** Events of a batch, which may be upcast ones. */
export function describeRows(share: TraceShare, batch: Batch, rows: readonly number[]): EventText[] {
  const { log, fields, traced, member } = share
  const { occurredAt, recordedAt } = log.roles
  const types = typesOf(log, batch)
  const valueAt = (slot: number, row: number) => (slot < 0 ? null : storedValue(batch.columns[slot]!, row))
  const typeAt = (row: number) => types.names[types.codes[row]!]!
  // What several logs have in common of an order: when the event was recorded, and the log.
  const across = (row: number) => (traced.plan.share === null ? [] : [valueAt(recordedAt, row), BigInt(member)])
  return rows.map((row) => ({
    member,
    eventId: idText(log, batch, row),
    type: typeAt(row),
    occurredAt: valueAt(occurredAt, row),
    recordedAt: valueAt(recordedAt, row),
    fields: fields.map((slot) => valueAt(slot, row)),
    order: [
      ...across(row),
      ...traced.plan.order.map((term) =>
        term.by === 'slot'
          ? orderValue(log, term.slot, valueAt(term.slot, row))
          : BigInt(typeRank(term.types, typeAt(row))),
      ),
    ],
  }))
}

/** A value as events are ordered by it: integers without a sign are stored as if they had one. */
function orderValue({ slots }: LogPlan, slot: number, value: unknown): unknown {
  return slots[slot]!.type.kind === 'uint64' && typeof value === 'bigint' ? BigInt.asUintN(64, value) : value
}
