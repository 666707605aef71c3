import type { SlotColumn } from '../columns/slot-column.ts'
import { takeRowsWrittenOut } from '../columns/take-rows.ts'
import { compareContents } from '../dedupe/compare-contents.ts'
import { duplicatesOf, type LogDuplicates, membersBySplit, noDuplicates, type RowPlace } from '../dedupe/duplicates.ts'
import { keepDeclared, rankMembers } from '../dedupe/kept.ts'
import type { KeyedRows } from '../map/emitted-rows.ts'
import type { MapResult } from '../map/map-split.ts'
import { travellingColumns } from '../map/travelling-columns.ts'
import type { LogPlan } from '../model/plan.ts'
import type { ExceptionRow } from '../model/report.ts'
import type { OpenFile } from '../parquet/open-in-turn.ts'
import type { Batch } from '../scan/event-batch.ts'
import { typesOf } from '../scan/types.ts'
import { compilePacker, type Packer } from '../shuffle/pack.ts'
import { eventLayout } from '../view/packed-layout.ts'
import { lateCode, typeCode } from '../view/view-set.ts'
import { describeRows, type EventText, isKey, mapperOf, originOf, type RowGroupEvents } from './find-events.ts'
import type { TraceShare } from './plan-trace.ts'

/** An event that a rebuild hands to the view's handlers for the key. */
export interface SentEvent extends EventText {
  readonly place: RowPlace
  /** Of an event that is late: by how much. */
  readonly late: string | null
}

/** What a rebuild makes of the events that a log has of a key before any is folded. */
export interface Applied {
  /** In the order of the log's files. */
  readonly sent: readonly SentEvent[]
  /** Their packed rows, consecutively. */
  readonly words: Int32Array
  /** By split: events of the row group that the view refused, of whatever key. */
  readonly refused: ReadonlyMap<number, readonly ExceptionRow[]>
  /** Rows that are not applied, as another row of the same event is. */
  readonly dropped: readonly RowPlace[]
}

/**
 * Maps the row groups that hold events of the key as a rebuild does, and packs those of the key.
 *
 * @throws ConflictError where one id has different contents, and what else a rebuild would throw.
 */
export function applyEvents(
  share: TraceShare,
  found: readonly RowGroupEvents[],
  wanted: Uint8Array,
  open: OpenFile,
): Applied {
  const { log, traced, files } = share
  const duplicates = log.identify.by === 'nothing' ? [] : repeatedEvents(found)
  const known = duplicates.length === 0 ? noDuplicates : knownDuplicates(log, duplicates, open)
  const mapper = mapperOf(share, log, traced)
  const pack = compilePacker(eventLayout(log, traced.plan).layout)
  const sent: SentEvent[] = []
  const pieces: Int32Array[] = []
  const mapped: MapResult[] = []
  for (const { split } of found) {
    mapped[split] = mapper.watch(split, known.bySplit.get(split) ?? [], open, (_group, _ordinal, batch, { keyed }) => {
      const own = [...Array(keyed!.count).keys()].filter((i) =>
        isKey(keyed!.keyData, keyed!.keyStarts[i]!, keyed!.keyLengths[i]!, wanted),
      )
      if (own.length === 0) return
      const rows = own.map((i) => keyed!.rows[i]!)
      const windows = share.window?.reader.read(batch) ?? null
      const isLate = rows.map((row) => windows?.late?.[row] === 1)
      pieces.push(packRows(share, pack, batch, keyed!, { own, isLate }))
      describeRows(share, batch, rows).forEach((event, i) => {
        const row = rows[i]!
        const late = isLate[i] ? share.window!.reader.describeLate(batch, windows!, row) : null
        sent.push({ ...event, late, place: { split, rowGroup: batch.rowGroup, row: originOf(batch, row) } })
      })
    })
  }
  compareContents(log, known, mapped, files)
  const refused = new Map(found.map(({ split }) => [split, mapped[split]!.exceptions[share.view.name]!]))
  const dropped = [...known.bySplit].flatMap(([split, rowGroups]) =>
    rowGroups.flatMap(({ rowGroup, dropped: rows }) => Array.from(rows, (row) => ({ split, rowGroup, row }))),
  )
  return { sent, words: joined(pieces), refused, dropped }
}

/** Events of one id have one content, so all of them are of the key if one is. */
function repeatedEvents(found: readonly RowGroupEvents[]): RowPlace[][] {
  const places = found.flatMap(({ split, rowGroup, events }) =>
    events.map(({ eventId, row }) => ({ eventId, place: { split, rowGroup, row } })),
  )
  const sets = [...Map.groupBy(places, ({ eventId }) => eventId).values()]
  return sets.filter((set) => set.length > 1).map((set) => set.map(({ place }) => place))
}

/** The sets as the map stage takes them. */
function knownDuplicates(log: LogPlan, sets: readonly (readonly RowPlace[])[], open: OpenFile): LogDuplicates {
  const numbers = sets.flatMap((set, index) => set.flatMap((place) => [index, place.split, rowOfSplit(log, place)]))
  const { members, sets: count } = membersBySplit([Int32Array.from(numbers)], log.splits.length)
  const known = duplicatesOf(log, members, count)
  if (log.duplicates === null) return known
  const ranks = [...known.bySplit].map(([split, own]) => [split, rankMembers(log, split, own, open)] as const)
  return keepDeclared(log, known, new Map(ranks))
}

/** A row counted through all row groups of its split. */
function rowOfSplit(log: LogPlan, { split, rowGroup, row }: RowPlace): number {
  const before = log.splits[split]!.rowGroups.filter(({ index }) => index < rowGroup)
  return before.reduce((sum, { rows }) => sum + rows, row)
}

/** @param own Which of the keyed rows; `isLate` has an entry for each of them. */
function packRows(
  { log, traced }: TraceShare,
  pack: Packer,
  batch: Batch,
  keyed: KeyedRows,
  { own, isLate }: { readonly own: readonly number[]; readonly isLate: readonly boolean[] },
): Int32Array {
  const types = typesOf(log, batch)
  const rows = own.map((i) => keyed.rows[i]!)
  const packed = Int32Array.from(rows)
  const late = lateCode(traced)
  const typeCodes = Uint16Array.from(rows, (row, i) => {
    const code = typeCode(traced, types.names[types.codes[row]!]!)
    return isLate[i] ? code + late : code
  })
  const input = {
    count: own.length,
    rows: Int32Array.from(own.keys()),
    hashes: Int32Array.from(own, (i) => keyed.hashes[i]!),
    keyData: keyed.keyData,
    keyStarts: Int32Array.from(own, (i) => keyed.keyStarts[i]!),
    keyLengths: Int32Array.from(own, (i) => keyed.keyLengths[i]!),
    typeCodes,
    columns: travellingColumns(traced.plan)(batch).map((column) => takeRowsWrittenOut(column as SlotColumn, packed)),
  }
  return pack(input, 0, (words) => new Int32Array(words)).words
}

/** One after the other. */
export function joined(pieces: readonly Int32Array[]): Int32Array {
  const words = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    words.set(piece, at)
    at += piece.length
  }
  return words
}
