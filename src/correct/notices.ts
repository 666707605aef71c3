import { columnFromValues, textColumn } from '../columns/from-values.ts'
import type { Column } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import { bool, int32, int64, json, nullable, string, timestamp } from '../model/types.ts'
import { ParquetEncoder } from '../parquet/write.ts'

/** A published figure that a later generation changed, as written to `_corrections`. Values are JSON texts. */
export interface Notice {
  /** `{"day":"2021-05-16"}` */
  readonly key: string
  /** Which of the key's rows, from 0. */
  readonly row: number
  readonly column: string
  /** Whether both generations have the row, or only one of them. */
  readonly change: 'changed' | 'vanished' | 'appeared'
  readonly old: string | null
  readonly new: string | null
  /** Causes, joined by ` + `; `undetermined` where they could not be distinguished. */
  readonly cause: string
  /** The value after each cause: `[{"cause":"late data","old":5,"new":8}]`. */
  readonly steps: string
  /** Why causes could not be distinguished. */
  readonly detail: string | null
  /** Whether the window was final when the old figure was published. */
  readonly wasFinal: boolean | null
  /** The oldest generation that published the old figure, of those that are still there, and when; see `earlierMax`. */
  readonly firstGeneration: string
  /** Microseconds since 1970; null where the generation doesn't say. */
  readonly firstPublishedAt: number | null
  /** Events behind the change. */
  readonly events: number
  /** The first of them: `[{"id":"e1","recordedAt":"2021-05-22T…","lagSeconds":518400}]`. */
  readonly behind: string
}

/** The columns of `_corrections`, in their order, and where each comes from. */
export const noticeColumns: readonly { readonly name: string; readonly type: Type; readonly of: keyof Notice }[] = [
  { name: 'key', type: json(), of: 'key' },
  { name: 'row', type: int32(), of: 'row' },
  { name: 'column', type: string(), of: 'column' },
  { name: 'change', type: string(), of: 'change' },
  { name: 'old', type: nullable(json()), of: 'old' },
  { name: 'new', type: nullable(json()), of: 'new' },
  { name: 'cause', type: string(), of: 'cause' },
  { name: 'steps', type: json(), of: 'steps' },
  { name: 'detail', type: nullable(string()), of: 'detail' },
  { name: 'was_final', type: nullable(bool()), of: 'wasFinal' },
  { name: 'first_generation', type: string(), of: 'firstGeneration' },
  { name: 'first_published_at', type: nullable(timestamp()), of: 'firstPublishedAt' },
  { name: 'events', type: int64(), of: 'events' },
  { name: 'behind', type: json(), of: 'behind' },
]

/** Only as many notices are held at a time. */
const rowGroupRows = 8192

/** The file of notices, bit by bit. */
export function* encodeNotices(notices: Iterable<Notice>): Generator<Uint8Array> {
  const encoder = new ParquetEncoder(noticeColumns, { codec: 'SNAPPY' })
  let held: Notice[] = []
  for (const notice of notices) {
    held.push(notice)
    if (held.length < rowGroupRows) continue
    yield* encoder.writeRowGroup(columnsOf(held))
    held = []
  }
  yield* encoder.writeRowGroup(columnsOf(held))
  yield* encoder.finish()
}

function columnsOf(notices: readonly Notice[]): Column[] {
  return noticeColumns.map(({ type, of }) => {
    const values = notices.map((notice) => notice[of])
    // What is JSON already is stored as the text that it is.
    const isText = type.kind === 'string' || type.kind === 'json'
    return isText ? textColumn(values as (string | null)[]) : columnFromValues(type, values, 'handler')
  })
}
