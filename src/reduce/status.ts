import { columnFromValues } from '../columns/from-values.ts'
import type { Column } from '../model/column.ts'
import type { FoldedLog } from '../model/plan.ts'
import { parseDuration } from '../time/duration.ts'
import { deadlines } from '../time/lateness.ts'
import { isFinal } from '../time/watermark.ts'
import { type PreparedView, windowCalendar } from '../view/view-set.ts'

/** The contents of the columns `status`, `knownThrough` and `lateEvents` for some rows. */
export interface StatusRows {
  readonly rows: number
  /** By row: the window, as its key column has it. */
  readonly windows: Column
  /** By row: what was known; or of all rows. */
  readonly watermark: bigint | BigInt64Array | null
  readonly lateEvents: Int32Array
}

/** A watermark before all deadlines: one of several logs has recorded nothing yet. Rows show 1970-01-01. */
export const NOTHING_KNOWN = -(2n ** 63n)

function shown(watermark: bigint): bigint {
  return watermark === NOTHING_KNOWN ? 0n : watermark
}

/** Makes the columns that a view with windows has after its own. */
export type StatusColumns = (given: StatusRows) => Column[]

const FINAL = 0
const PROVISIONAL = 1

/** Null for a view without windows. */
export function makeStatusColumns(log: FoldedLog, view: PreparedView): StatusColumns | null {
  if (view.window === null) return null
  const calendar = windowCalendar(log, view.window)
  const deadlineOf = deadlines(calendar, parseDuration(view.window.allowedLateness, 'allowedLateness'))
  const dictionary = columnFromValues({ kind: 'string', nullable: false }, ['final', 'provisional'])
  return ({ rows, windows, watermark, lateEvents }) => {
    const base = { length: rows, nullCount: 0, validity: null }
    const known =
      watermark instanceof BigInt64Array ? watermark : new BigInt64Array(rows).fill(watermark ?? NOTHING_KNOWN)
    const codes = statusCodes(windows, known, (key) => deadlineOf(calendar.indexOfKey(key)))
    return [
      { kind: 'dictionary', ...base, codes, dictionary: dictionary as Extract<Column, { kind: 'bytes' }> },
      { kind: 'int64', ...base, values: known.includes(NOTHING_KNOWN) ? known.map(shown) : known },
      { kind: 'int32', ...base, values: lateEvents },
    ]
  }
}

/** Rows are sorted, so that neighbours mostly are of one window. */
function statusCodes(windows: Column, known: BigInt64Array, deadlineOf: (key: number | bigint) => bigint): Int32Array {
  if (windows.kind !== 'int32' && windows.kind !== 'int64') throw new Error('windows are days or moments')
  const codes = new Int32Array(windows.length)
  let window: number | bigint | undefined
  let deadline = 0n
  for (let row = 0; row < windows.length; row++) {
    const key = windows.values[row]!
    if (key !== window) {
      window = key
      deadline = deadlineOf(key)
    }
    codes[row] = isFinal(known[row]!, deadline) ? FINAL : PROVISIONAL
  }
  return codes
}
