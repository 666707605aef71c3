import type { Column, LogicalType } from '../model/column.ts'
import { formatDecimal } from '../model/decimal-text.ts'
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import { formatDay } from '../model/moment.ts'
import { formatMoment } from '../model/moment-text.ts'
import { valueReader } from '../parquet/values.ts'
import type { RowPlace } from './batch.ts'

/**
 * Cells as JSON texts, exact: decimals, days and moments are strings, and so are integers that a number can't hold and
 * numbers that JSON doesn't know. Null where there is no value.
 */
export function cellJson({ batch, row }: RowPlace, index: number, column: ManifestColumn): string {
  const raw = cellReader(batch.cells(index).column, column)(row)
  return raw === null ? 'null' : jsonOf(raw, column)
}

/** Values as they lie in their column; bytes as the texts that they are to functions of the view. */
export function cellReader(column: Column, { type }: ManifestColumn): (row: number) => unknown {
  if (type === 'uuid') return valueReader(column, { kind: 'uuid' })
  if (type !== 'bytes') return valueReader(column, asText)
  const read = valueReader(column, { kind: 'binary' })
  return (row) => {
    const value = read(row)
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  }
}

const asText: LogicalType = { kind: 'string' }

/** Days that a Date can hold, on either side of 1970; and the same in seconds. */
const DAYS_MAX = 100_000_000
const SECONDS_MAX = 8_640_000_000_000n
const stepsASecond = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const

function jsonOf(raw: unknown, { type, unit, scale }: ManifestColumn): string {
  switch (type) {
    case 'json':
      return raw as string
    case 'decimal':
      return JSON.stringify(formatDecimal(raw as bigint, scale ?? 0))
    case 'date': {
      const day = raw as number
      // A sentinel such as the largest integer is no date.
      return Math.abs(day) > DAYS_MAX ? String(day) : JSON.stringify(formatDay(day))
    }
    case 'timestamp': {
      const seconds = (raw as bigint) / stepsASecond[unit ?? 'us']
      const isDate = seconds < SECONDS_MAX && seconds > -SECONDS_MAX
      return JSON.stringify(isDate ? formatMoment(raw as bigint, unit ?? 'us') : String(raw))
    }
    case 'int64':
    case 'bigint':
    case 'uint64':
      return Number.isSafeInteger(Number(raw)) ? String(raw) : JSON.stringify(String(raw))
    case 'float64':
      return Number.isFinite(raw) ? numberText(raw as number) : JSON.stringify(String(raw))
    default:
      return JSON.stringify(raw)
  }
}

/** JSON.stringify makes 0 of −0, and a change from one to the other would show none. */
function numberText(number: number): string {
  return Object.is(number, -0) ? '-0' : JSON.stringify(number)
}

/** The key of a row as a JSON object: `{"day":"2021-05-16"}`. */
export function keyJson(place: RowPlace, key: Manifest['key']): string {
  const values = key.map((column, index) => `${JSON.stringify(column.name)}:${cellJson(place, index, column)}`)
  return `{${values.join(',')}}`
}
