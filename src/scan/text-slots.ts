import { MisfitError } from '../columns/from-values.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import { bufferOf } from '../columns/strings.ts'
import { firstNotUtf8 } from '../columns/utf8.ts'
import { parseUuid, uuidOfHex } from '../model/byte-text.ts'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import { bytesAt } from '../parquet/logical.ts'

/** What text that is none is expected to be, in messages. */
export const utf8Text = 'UTF-8 text; declare bytes() for bytes as they are, or uuid() for UUIDs'

/**
 * A column of bytes as a slot of texts: strings as they are, bytes as hexadecimal digits, UUIDs in their usual form. What is
 * no text, or no UUID, is a MisfitError with its row.
 */
export function textSlot(column: Column, logical: LogicalType, type: Type): SlotColumn {
  switch (type.kind) {
    case 'bytes':
      return eachValue(column, (value) => value.toString('hex'))
    case 'uuid':
      return eachValue(column, uuidText, 'a UUID: 16 bytes, or a text as 6ba7b810-9dad-11d1-80b4-00c04fd430c8')
    default:
      if (logical.kind === 'uuid') return eachValue(column, rawUuid, 'a UUID of 16 bytes')
      return checkedText(column, type.bare === true && logical.kind === 'binary')
  }
}

/** Text as it is. @param plain Its bytes have no annotation and nobody says that they are text: it must look like text. */
function checkedText(column: Column, plain: boolean): SlotColumn {
  const bytes = bytesOf(column)
  const wrong = firstNotUtf8(bytes)
  if (wrong >= 0) refuse(column, wrong, utf8Text)
  if (plain) {
    const control = firstWithControls(bytes)
    if (control >= 0) refuse(column, control, `text without control characters, as ${plainText}`)
  }
  return column as SlotColumn
}

const plainText = 'the bytes have no annotation; declare string() if they are text, else bytes() or uuid()'

function bytesOf(column: Column): BytesColumn {
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') throw new MisfitError(0, 'bytes', bytes.kind)
  return bytes
}

function firstWithControls(bytes: BytesColumn): number {
  for (let row = 0; row < bytes.length; row++) {
    if (isPresent(bytes, row) && bytesAt(bytes, row).some(isControl)) return row
  }
  return -1
}

/** Tabs and line ends are text. */
function isControl(byte: number): boolean {
  return byte < 0x09 || (byte > 0x0d && byte < 0x20) || byte === 0x7f
}

/** Refuses a value of the column or of its dictionary, of which rows that no event has are no matter. */
function refuse(column: Column, entry: number, expected: string): void {
  const row = column.kind === 'dictionary' ? firstOfCode(column, entry) : entry
  if (row >= 0) throw new MisfitError(row, expected, shownBytes(bytesOf(column), entry))
}

function firstOfCode(column: Extract<Column, { kind: 'dictionary' }>, code: number): number {
  for (let row = 0; row < column.length; row++) if (column.codes[row] === code && isPresent(column, row)) return row
  return -1
}

/** Bytes in a message: hexadecimal, the first of them. */
export function shownBytes(column: BytesColumn, row: number): string {
  const value = bytesAt(column, row)
  const hex = bufferOf(value.subarray(0, 20)).toString('hex')
  return `the bytes ${hex}${value.length > 20 ? '…' : ''}`
}

/** Makes the text of each value; of a dictionary once. A value that has none is refused where a row has it. */
function eachValue(column: Column, textOf: (value: Buffer) => string | undefined, expected = ''): SlotColumn {
  const bytes = bytesOf(column)
  const texts = new Array<string>(bytes.length)
  for (let row = 0; row < bytes.length; row++) {
    const text = isPresent(bytes, row) ? textOf(bufferOf(bytesAt(bytes, row))) : ''
    if (text === undefined) refuse(column, row, expected)
    texts[row] = text ?? ''
  }
  const made = asciiColumn(texts, bytes)
  return column.kind === 'dictionary' ? { ...column, dictionary: made } : made
}

function asciiColumn(texts: readonly string[], { length, nullCount, validity }: BytesColumn): BytesColumn {
  const offsets = new Int32Array(length + 1)
  for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
  return { kind: 'bytes', length, nullCount, validity, offsets, data: Buffer.from(texts.join(''), 'latin1'), gap: 0 }
}

function rawUuid(value: Buffer): string | undefined {
  return value.length === 16 ? uuidOfHex(value.toString('hex')) : undefined
}

function uuidText(value: Buffer): string | undefined {
  return rawUuid(value) ?? (value.length === 36 ? parseUuid(value.toString('latin1')) : undefined)
}
