import type { SchemaTree } from 'hyparquet'
import { isListLike, isMapLike } from 'hyparquet/src/schema.js'
import { wkbToGeojson } from 'hyparquet/src/wkb.js'
import type { ParquetFile } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'

/**
 * Turns our exact rows into what hyparquet shows in its own tests, as JSON: moments as ISO dates, decimals as floats,
 * integers as numbers, bytes without a type as text. So that both can be compared by value.
 */
export function rowsAsHyparquetShows(file: ParquetFile, expected: readonly unknown[]): unknown[] {
  return Array.from(readRows(file), (row, index) => {
    const wanted = expected[index]
    const shown = file.tree.children.map((node, i): [string, unknown] => {
      const { name } = node.element
      const cell = Array.isArray(wanted) ? wanted[i] : (wanted as Record<string, unknown> | undefined)?.[name]
      return [name, show(row[name], node, cell)]
    })
    return Array.isArray(wanted) ? shown.map(([, value]) => value) : Object.fromEntries(shown)
  })
}

/** Our value as hyparquet would show it. What it should be decides only between readings of untyped bytes. */
function show(value: unknown, node: SchemaTree, wanted: unknown, isElement = false): unknown {
  if (value === null) return null
  const { element, children } = node
  if (element.logical_type?.type === 'VARIANT') return showVariant(value, wanted)
  if (isListLike(node)) {
    const repeated = children[0]!
    // Two levels of a list, or, as in old files, one.
    if (repeated.children.length === 1) return showAll(value, repeated.children[0]!, wanted)
    return showAll(value, repeated, wanted)
  }
  if (isMapLike(node)) return showFields(value, () => children[0]!.children[1]!, wanted)
  if (element.repetition_type === 'REPEATED' && !isElement) return showAll(value, node, wanted)
  if (children.length > 0)
    return showFields(value, (name) => children.find((child) => child.element.name === name)!, wanted)
  return showLeaf(value, node, wanted)
}

function showAll(value: unknown, node: SchemaTree, wanted: unknown): unknown {
  if (!Array.isArray(value)) return show(value, node, wanted, true)
  return value.map((item, i) => show(item, node, Array.isArray(wanted) ? wanted[i] : undefined, true))
}

function showFields(value: unknown, nodeOf: (name: string) => SchemaTree, wanted: unknown): unknown {
  // A repeated struct without a list around it.
  if (Array.isArray(value))
    return value.map((item, i) => showFields(item, nodeOf, (wanted as unknown[] | undefined)?.[i]))
  if (value === null) return null
  const fields = Object.entries(value as Record<string, unknown>)
  const inner = (wanted ?? {}) as Record<string, unknown>
  return Object.fromEntries(fields.map(([name, field]) => [name, show(field, nodeOf(name), inner[name])]))
}

function showLeaf(value: unknown, { element }: SchemaTree, wanted: unknown): unknown {
  const { converted_type: converted, logical_type: logical, type } = element
  if (converted === 'DECIMAL') return Number(value) * 10 ** -(element.scale ?? 0)
  if (converted === 'DATE') return isoDate(Number(value) * 86_400_000)
  if (converted === 'TIMESTAMP_MILLIS') return isoDate(Number(value))
  if (converted === 'TIMESTAMP_MICROS') return isoDate(Number((value as bigint) / 1000n))
  if (type === 'INT96') return isoDate(Number((value as bigint) / 1_000_000n))
  if (logical?.type === 'TIMESTAMP') {
    const unit = { MILLIS: 1n, MICROS: 1000n, NANOS: 1_000_000n }[logical.unit]
    return isoDate(Number((value as bigint) / unit))
  }
  if (converted === 'JSON') return JSON.parse(value as string)
  return showPlain(value, wanted)
}

function isoDate(milliseconds: number): string | null {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function showPlain(value: unknown, wanted: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (!(value instanceof Uint8Array)) return value
  if (Array.isArray(wanted)) return [...value]
  if (typeof wanted === 'object' && wanted !== null) {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
    return plainJson(wkbToGeojson({ view, offset: 0 }))
  }
  return new TextDecoder().decode(value)
}

/** A variant has no schema: its moments are text, which hyparquet shows as dates. */
function showVariant(value: unknown, wanted: unknown): unknown {
  if (Array.isArray(value)) return value.map((item, i) => showVariant(item, (wanted as unknown[] | undefined)?.[i]))
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const inner = (wanted ?? {}) as Record<string, unknown>
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, showVariant(field, inner[name])]))
  }
  if (typeof wanted !== 'string' || typeof value !== 'string' || value === wanted) return showPlain(value, wanted)
  const date = isoDate(Date.parse(/Z$|^.{10}$/.test(value) ? value : `${value}Z`))
  return date === wanted ? date : value
}

/** A value as it looks after a way through JSON, where null and absent are the same. */
export function plainJson(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== 'object') return value
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, plainJson(field)])
  return Object.fromEntries(fields.filter(([, field]) => field !== null))
}
